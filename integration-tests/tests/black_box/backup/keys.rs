//! The key of KMS, with which S3 encrypts a backup: a wrong one is refused by S3, at the first write or at a read.
//!
//! There is no key of ours, so that nothing can be decrypted to anything else: S3 answers with what was
//! written, or refuses. The local S3 knows no keys, so its refusals are made here as S3 documents them.

use axum::http::{Method, StatusCode};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use sqlx::PgPool;

use super::fixture::{Fixture, id, key, number, stderr};
use super::s3::{Fault, Gateway};

const KEY: &str = "arn:aws:kms:us-east-1:000000000000:key/1f2e3d4c-0000-4000-8000-000000000000";
/// What S3 answers for a key that is not there, that was disabled, and that this identity may not use.
const REFUSALS: [(StatusCode, &str, &str); 3] = [
    (StatusCode::BAD_REQUEST, "KMS.NotFoundException", "key does not exist"),
    (StatusCode::BAD_REQUEST, "KMS.DisabledException", "key is disabled"),
    (StatusCode::FORBIDDEN, "AccessDenied", "not authorized to perform: kms:Decrypt on resource"),
];
const REMEDY: &str = "S3 may not use the key of KMS";

#[tokio::test]
async fn the_key_of_the_setting_encrypts_a_backup() {
    let fixture = Fixture::new().await;
    let manifest = fixture.json(&["dump", "--kms-key", KEY]).await.remove(0);
    let head = fixture.s3.head_object().bucket(&fixture.bucket).key(key(id(&manifest)));
    let head = head.send().await.expect("an answer");
    assert_eq!(head.ssekms_key_id(), Some(KEY));
}

#[tokio::test]
async fn a_wrong_key_is_named_before_anything_is_written() {
    let fixture = Fixture::new().await;
    fixture.add_large_tasks(3_000).await;
    for (status, code, message) in REFUSALS {
        for (part_mib, method, path) in
            [("5", Method::POST, "?uploads"), ("64", Method::PUT, "database.dump.zst")]
        {
            let fault = Fault::Refused(status, code, message);
            let gateway = Gateway::start(&fixture.system.aws.endpoint, method, path, fault).await;
            let options = ["dump", "--kms-key", KEY, "--part-mib", part_mib];
            let mut dump = fixture.command(&options);
            let output = dump.env("AWS_ENDPOINT_URL", &gateway.url).output().await.expect("a run");
            assert_eq!(output.status.code(), Some(1), "{output:?}");
            let error = stderr(&output);
            assert!(error.contains(code) && error.contains(REMEDY), "{error}");
            assert_eq!((fixture.keys().await.len(), fixture.uploads().await), (0, 0), "{code}");
        }
    }
}

#[tokio::test]
async fn a_backup_whose_key_is_gone_costs_nothing_and_is_not_called_bad() {
    let fixture = Fixture::new().await;
    fixture.add_large_tasks(3).await;
    let manifest = fixture.dump().await;
    let name: String = sqlx::query_scalar("SELECT current_database()::text")
        .fetch_one(&fixture.system.owner)
        .await
        .expect("a name");
    // A database that others use would be refused before.
    fixture.system.owner.close().await;
    let owner = fixture.system.database.owner_url.expose_secret();
    for (status, code, message) in REFUSALS {
        let fault = Fault::Refused(status, code, message);
        let endpoint = &fixture.system.aws.endpoint;
        let gateway = Gateway::start(endpoint, Method::GET, "database.dump.zst", fault).await;
        for options in [&["verify"][..], &["restore", id(&manifest), "--replace", &name]] {
            let mut command = fixture.command(options);
            command.env("AWS_ENDPOINT_URL", &gateway.url).env("DATABASE_URL", owner);
            let output = command.output().await.expect("a run");
            assert_eq!(output.status.code(), Some(1), "{output:?}");
            let error = stderr(&output);
            assert!(error.contains(code) && error.contains(REMEDY), "{error}");
        }
    }
    assert_eq!(fixture.json(&["list"]).await[0]["verification"], Value::Null);
    let tasks = PgPool::connect(owner).await.expect("a login");
    assert_eq!(number(&tasks, "SELECT count(*) FROM tasks").await, 3);
}

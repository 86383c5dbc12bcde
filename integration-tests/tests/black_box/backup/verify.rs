//! `backup verify`: a backup that cannot be restored, or is not what was dumped, is found.

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use sqlx::Executor as _;

use super::fixture::{Fixture, id, key, stderr};
use crate::support::load::Load;
use crate::support::system::TestSystem;
use local_stack::{Durability, Server, State};

async fn filled() -> Fixture {
    let (fixture, load) = (Fixture::new().await, Load::on(40, 3, 300));
    fixture.system.send(&load.messages).await;
    let _worker = fixture.system.worker().await;
    fixture.system.processed(load.distinct).await;
    fixture
}

#[tokio::test]
async fn a_good_backup_is_listed_and_verified() {
    let fixture = filled().await;
    let manifest = fixture.dump().await;
    let listed = fixture.json(&["list"]).await;
    assert_eq!(
        listed,
        [json!({
            "id": manifest["id"], "good": true, "manifest": manifest, "verification": null,
        })]
    );
    assert_eq!(fixture.object(id(&manifest)).await.len() as u64, manifest["dump"]["size"]);
    let tasks = fixture.system.count("SELECT count(*) FROM tasks").await;
    assert_eq!(manifest["contents"]["tables"]["tasks"]["rows"], tasks);
    let last = fixture.system.count("SELECT max(seq) FROM outbox").await;
    assert_eq!(manifest["contents"]["last_outbox_sequence"], last);

    let verified = &fixture.json(&["verify"]).await[0];
    assert_eq!((&verified["good"], &verified["migrated"]), (&true.into(), &false.into()));
    let listed = &fixture.json(&["list"]).await[0];
    assert_eq!(listed["verification"], verified["verification"]);
    let text = fixture.run(&["list"]).await;
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(text.contains("VERIFIED") && text.contains(id(&manifest)), "{text}");
}

#[tokio::test]
async fn an_object_that_is_truncated_or_altered_is_found_and_never_restored() {
    let fixture = filled().await;
    let manifest = fixture.dump().await;
    let whole = fixture.object(id(&manifest)).await;
    let (url, restored) = fixture.empty_database().await;
    let at = |place: usize| {
        let mut altered = whole.clone();
        altered[place] ^= 1;
        altered
    };
    let last = whole.len() - 1;
    let mut longer = whole.clone();
    longer.push(0);
    let cases = [
        ("empty", Vec::new()),
        ("cut by one byte", whole[..last].to_vec()),
        ("cut in half", whole[..last / 2].to_vec()),
        ("longer", longer),
        ("first byte", at(0)),
        ("in the middle", at(last / 2)),
        ("near the end", at(last - 20)),
        ("last byte", at(last)),
    ];
    for (case, body) in cases {
        fixture.put(id(&manifest), body).await;
        let error = fixture.fails(&["verify"]).await;
        assert!(error.contains("altered") || error.contains("truncated"), "{case}: {error}");
        let output = fixture.restore(id(&manifest), &url, &[]).await;
        assert_eq!(output.status.code(), Some(1), "{case}: {output:?}");
        let tables = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace";
        assert_eq!(super::fixture::number(&restored, tables).await, 0, "{case}");
    }
    let delete = fixture.s3.delete_object().bucket(&fixture.bucket).key(key(id(&manifest)));
    delete.send().await.expect("deleted");
    let error = fixture.fails(&["verify"]).await;
    assert!(error.contains("NoSuchKey"), "{error}");
    fixture.put(id(&manifest), whole).await;
    fixture.json(&["verify"]).await;
}

#[tokio::test]
async fn a_manifest_that_says_otherwise_fails_the_verification() {
    let fixture = filled().await;
    let manifest = fixture.dump().await;
    let mut other = manifest.clone();
    other["contents"]["tables"]["tasks"]["digest"] = "1".into();
    other["contents"]["tables"]["inbox"]["rows"] = 1.into();
    other["contents"]["tables"]["gone"] = json!({"rows": 1, "digest": "0"});
    other["contents"]["objects"].as_array_mut().expect("objects").push("policy x of y".into());
    let name = key(id(&manifest)).replace("database.dump.zst", "manifest.json");
    let put = fixture.s3.put_object().bucket(&fixture.bucket).key(name);
    put.body(other.to_string().into_bytes().into()).send().await.expect("written");
    let output = fixture.run(&["verify", "--json"]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let verified: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let problems = verified["verification"]["problems"].to_string();
    for expected in [
        "rows of tasks differ",
        "rows, and had 1",
        "the table gone is missing",
        "missing: policy x of y",
    ] {
        assert!(problems.contains(expected), "{expected}: {problems}");
    }
    assert_eq!(fixture.json(&["list"]).await[0]["good"], false);
    let text = String::from_utf8(fixture.run(&["list"]).await.stdout).expect("text");
    assert!(text.contains("FAILED"), "{text}");
}

/// A user as the master of RDS is: it may make databases and roles, and is no superuser.
#[tokio::test]
async fn no_superuser_is_needed() {
    let (_folder, postgres) = crate::support::private_servers::postgres().await;
    let server = postgres.url().expose_secret();
    let owner = sqlx::PgPool::connect(server).await.expect("a login");
    let master = "CREATE ROLE master LOGIN CREATEROLE CREATEDB PASSWORD 'secret'";
    owner.execute(master).await.expect("a role");
    let make = "CREATE DATABASE of_master OWNER master";
    owner.execute(make).await.expect("a database");
    let (_, place) = server.rsplit_once('@').expect("a login");
    let (place, _) = place.rsplit_once('/').expect("a database");
    let url = format!("postgres://master:secret@{place}/of_master");
    let fixture = Fixture::new().await;
    let migrate = |url: &str| {
        let mut migrate = tokio::process::Command::new(crate::support::system::binary("migrate"));
        migrate.env_clear().env("DATABASE_URL", url).env("HEALTH_ADDR", "127.0.0.1:0");
        migrate
    };
    let migrated = migrate(&url).output().await.expect("a run");
    assert!(migrated.status.success(), "{migrated:?}");
    owner.execute("CREATE ROLE dumper LOGIN PASSWORD 'secret'").await.expect("a role");
    owner.execute("GRANT task_app_backup TO dumper").await.expect("a grant");
    let login = format!("postgres://dumper:secret@{place}/of_master");
    let mut dump = fixture.command(&["dump", "--json"]);
    let dumped = dump.env("DATABASE_URL", login).output().await.expect("a run");
    assert!(dumped.status.success(), "{dumped:?}");
    let manifest: Value = serde_json::from_slice(&dumped.stdout).expect("JSON");
    let mut verify = fixture.command(&["verify"]);
    let verified = verify.env("SCRATCH_DATABASE_URL", &url).output().await.expect("a run");
    assert!(verified.status.success(), "{verified:?}");
    let left = "SELECT count(*) FROM pg_database WHERE datname LIKE 'backup_verify_%'";
    assert_eq!(super::fixture::number(&owner, left).await, 0, "the scratch database is gone");
    let lost = fixture.restore(id(&manifest), &url.as_str().into(), &[]).await;
    assert!(lost.status.success(), "a database without tasks is replaced: {lost:?}");
    let migrated = migrate(&url).output().await.expect("a run");
    assert!(migrated.status.success(), "{migrated:?}");
}

#[tokio::test]
async fn a_dump_is_restored_to_the_next_major_version_and_not_made_of_it() {
    let Some(programs) = super::fixture::newest_postgresql() else { return };
    let fixture = filled().await;
    let manifest = fixture.dump().await;
    let folder = tempfile::tempdir().expect("a folder");
    let state = State::open(folder.path()).expect("a state folder");
    let newest = Server::postgres_of(&state, Durability::Throwaway, Some(&programs)).await;
    let newest = newest.expect("the newest PostgreSQL");
    let mut verify = fixture.command(&["verify", "--json"]);
    verify.env("SCRATCH_DATABASE_URL", newest.url().expose_secret());
    let output = verify.output().await.expect("a run");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let verified: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let version = |of: &Value| of["server_version"].as_i64().expect("a version") / 10_000;
    let (from, to) = (version(&manifest["contents"]), version(&verified["verification"]));
    assert!(to > from, "{from} and {to}");

    let system = TestSystem::with_postgres(newest.url()).await;
    let mut dump = fixture.command(&["dump"]);
    let login = system.database.backup_url.expose_secret();
    let output = dump.env("DATABASE_URL", login).output().await.expect("a run");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let expected = format!("pg_dump of PostgreSQL {to} is needed");
    assert!(stderr(&output).contains(&expected), "{output:?}");
}

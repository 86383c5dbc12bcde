//! What is left when a dump does not succeed: nothing that looks like a backup.

use axum::http::Method;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use secrecy::ExposeSecret as _;

use super::fixture::{Fixture, stderr};
use super::s3::{Fault, Gateway};
use crate::support::private_servers;
use crate::support::system::TestSystem;

/// Enough for three parts of 5 MiB.
const TASKS: i32 = 3_000;
const SMALL_PARTS: [&str; 3] = ["dump", "--part-mib", "5"];

#[tokio::test]
async fn an_upload_that_breaks_anywhere_leaves_nothing() {
    let fixture = Fixture::new().await;
    fixture.add_large_tasks(TASKS).await;
    for (method, path, fault) in [
        (Method::POST, "?uploads", Fault::Denied),
        (Method::PUT, "partNumber=1", Fault::Denied),
        (Method::PUT, "partNumber=2", Fault::Broken),
        (Method::PUT, "partNumber=3", Fault::Denied),
        (Method::POST, "uploadId=", Fault::Denied),
    ] {
        let gateway = Gateway::start(&fixture.system.aws.endpoint, method, path, fault).await;
        let mut command = fixture.command(&SMALL_PARTS);
        let output = command.env("AWS_ENDPOINT_URL", &gateway.url).output().await.expect("a run");
        assert_eq!(output.status.code(), Some(1), "{path}: {output:?}");
        let error = stderr(&output);
        assert!(error.contains("writing s3://"), "{error}");
        // What S3 answered and what to do, without the types of the SDK.
        let next = if fault == Fault::Denied {
            "the rights that docs/backups.md lists"
        } else {
            "run it again"
        };
        assert!(error.contains(": not now") && error.contains(next), "{error}");
        assert!(!error.contains("service error") && !error.contains("Some("), "{error}");
        assert_eq!((fixture.keys().await.len(), fixture.uploads().await), (0, 0), "{path}");
    }
    let manifest = &fixture.json(&SMALL_PARTS).await[0];
    assert!(manifest["dump"]["parts"].as_u64().expect("a number") >= 3, "{manifest}");
}

#[tokio::test]
async fn a_dump_without_its_manifest_is_no_backup_and_is_pruned() {
    let fixture = Fixture::new().await;
    let endpoint = &fixture.system.aws.endpoint;
    let gateway = Gateway::start(endpoint, Method::PUT, "manifest.json", Fault::Denied).await;
    let mut command = fixture.command(&["dump"]);
    let output = command.env("AWS_ENDPOINT_URL", &gateway.url).output().await.expect("a run");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(fixture.keys().await.len(), 1);
    assert_eq!(fixture.json(&["list"]).await.len(), 0);
    fixture.json(&["prune"]).await;
    assert_eq!(fixture.keys().await.len(), 1, "it may still be written");
    fixture.json(&["prune", "--unfinished-hours", "0"]).await;
    assert_eq!(fixture.keys().await.len(), 0);
}

#[tokio::test]
async fn postgresql_that_stops_in_the_middle_leaves_nothing() {
    let (_folder, mut postgres) = private_servers::postgres().await;
    let fixture = Fixture::of(TestSystem::with_postgres(postgres.url()).await).await;
    // More than is in memory, so that `pg_dump` has not ended.
    fixture.add_large_tasks(2 * TASKS).await;
    let endpoint = &fixture.system.aws.endpoint;
    let gateway = Gateway::start(endpoint, Method::PUT, "partNumber=1", Fault::Held).await;
    let mut command = fixture.command(&SMALL_PARTS);
    let dump = command.env("AWS_ENDPOINT_URL", &gateway.url).spawn().expect("a dump");
    gateway.holds().await;
    postgres.kill().await.expect("killed");
    gateway.release();
    let output = dump.wait_with_output().await.expect("an end");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(stderr(&output).contains("Nothing was left in S3"), "{output:?}");
    assert_eq!((fixture.keys().await.len(), fixture.uploads().await), (0, 0));
}

#[tokio::test]
async fn a_dump_that_is_terminated_leaves_nothing_and_one_that_is_killed_is_pruned() {
    let fixture = Fixture::new().await;
    fixture.add_large_tasks(TASKS).await;
    for (signal, left) in [(Signal::SIGTERM, 0), (Signal::SIGKILL, 1)] {
        let endpoint = &fixture.system.aws.endpoint;
        let gateway = Gateway::start(endpoint, Method::PUT, "partNumber=1", Fault::Held).await;
        let mut command = fixture.command(&SMALL_PARTS);
        let dump = command.env("AWS_ENDPOINT_URL", &gateway.url).spawn().expect("a dump");
        gateway.holds().await;
        let pid = dump.id().and_then(|id| i32::try_from(id).ok()).expect("a process");
        kill(Pid::from_raw(pid), signal).expect("a signal");
        let output = dump.wait_with_output().await.expect("an end");
        let code = (signal == Signal::SIGTERM).then_some(1);
        assert_eq!(output.status.code(), code, "{output:?}");
        assert_eq!((fixture.keys().await.len(), fixture.uploads().await), (0, left));
    }
    assert_eq!(fixture.json(&["prune"]).await[0]["aborted_uploads"], 0);
    let pruned = &fixture.json(&["prune", "--unfinished-hours", "0"]).await[0];
    assert_eq!((&pruned["aborted_uploads"], fixture.uploads().await), (&1.into(), 0));
}

#[tokio::test]
async fn a_wrong_login_says_so() {
    let fixture = Fixture::new().await;
    let login = fixture.system.database.backup_url.expose_secret();
    let (start, end) = login.split_once('@').expect("a login");
    let (user, _) = start.rsplit_once(':').expect("a password");
    for url in [format!("{user}:s3cret@{end}"), format!("{login}_none")] {
        let mut command = fixture.command(&["dump"]);
        let output = command.env("DATABASE_URL", url).output().await.expect("a run");
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let error = stderr(&output);
        assert!(error.contains("connecting to PostgreSQL") && !error.contains("s3cret"), "{error}");
        assert!(error.contains("Look at the URL, its password"), "{error}");
    }
    assert_eq!((fixture.keys().await.len(), fixture.uploads().await), (0, 0));

    // A role that does not see all rows must not make a dump without them.
    for login in [&fixture.system.database.writer_url, &fixture.system.database.reader_url] {
        let mut command = fixture.command(&["dump"]);
        let output = command.env("DATABASE_URL", login.expose_secret()).output().await;
        let error = stderr(&output.expect("a run"));
        assert!(error.contains("this user does not see all rows of"), "{error}");
    }
}

#[tokio::test]
async fn the_programs_of_another_version_are_refused_and_named() {
    let fixture = Fixture::new().await;
    let folder = tempfile::tempdir().expect("a folder");
    for (printed, expected) in [("pg_dump (PostgreSQL) 9.6.24", "9.6.24"), ("", "printed")] {
        let program = folder.path().join("pg_dump");
        let script = format!("#!/bin/sh\necho '{printed}'\n");
        std::fs::write(&program, script).expect("a program");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&program, mode).expect("an executable");
        let mut command = fixture.command(&["dump"]);
        let output = command.env("POSTGRES_BIN_DIR", folder.path()).output().await.expect("a run");
        let error = stderr(&output);
        assert!(error.contains("pg_dump") && error.contains(expected), "{error}");
    }
    let mut command = fixture.command(&["dump"]);
    let output = command.env("POSTGRES_BIN_DIR", "/nowhere").output().await.expect("a run");
    assert!(stderr(&output).contains("install postgresql-client-"), "{output:?}");
}

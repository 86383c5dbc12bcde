//! A server without room for what is restored.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use local_stack::{Durability, Server, State};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use sqlx::{Executor as _, PgPool};
use tempfile::TempDir;

use super::fixture::{Fixture, id, number, stderr};

/// So large a file may be: a part of the write-ahead log has 16 MiB.
const MIB_OF_A_FILE: u32 = 17;
/// Ten thousand characters each, so their table becomes larger than that.
const TASKS: i32 = 4_000;

/// A PostgreSQL whose files cannot grow. To fill a file system takes one of its own, and so rights that a
/// test need not have. A limit of the process fails the same writes, in the same places: PostgreSQL ignores
/// the signal for it, "so that ulimit violations work like disk full", as its source says.
async fn without_room(fixture: &Fixture) -> (TempDir, Server) {
    let programs = "SELECT setting FROM pg_config WHERE name = 'BINDIR'";
    let programs: String =
        sqlx::query_scalar(programs).fetch_one(&fixture.system.owner).await.expect("a folder");
    let folder = tempfile::tempdir().expect("a folder");
    let limited = folder.path().join("programs");
    fs::create_dir(&limited).expect("a folder");
    // In blocks of 512 bytes.
    write(&limited, "postgres", &format!("ulimit -f {}\n", MIB_OF_A_FILE * 2_048), &programs);
    write(&limited, "initdb", "", &programs);
    let state = State::open(folder.path()).expect("a state folder");
    let server = Server::postgres_of(&state, Durability::Throwaway, Some(&limited)).await;
    (folder, server.expect("a PostgreSQL"))
}

fn write(folder: &Path, program: &str, before: &str, programs: &str) {
    let script = format!("#!/bin/sh\n{before}exec '{programs}/{program}' \"$@\"\n");
    let path = folder.join(program);
    fs::write(&path, script).expect("a program");
    fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).expect("an executable");
}

#[tokio::test]
async fn a_disk_that_is_full_is_named_and_nothing_is_restored() {
    let fixture = Fixture::new().await;
    fixture.add_large_tasks(TASKS).await;
    let manifest = fixture.dump().await;
    let (_folder, server) = without_room(&fixture).await;
    let url = server.url().expose_secret();
    let full = PgPool::connect(url).await.expect("a login");

    let mut verify = fixture.command(&["verify"]);
    let output = verify.env("SCRATCH_DATABASE_URL", url).output().await.expect("a run");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let error = stderr(&output);
    assert!(error.contains("could not extend file") && error.contains("is full"), "{error}");
    let left = "SELECT count(*) FROM pg_database WHERE datname LIKE 'backup_verify_%'";
    assert_eq!(number(&full, left).await, 0, "the scratch database is gone");
    let listed = &fixture.json(&["list"]).await[0];
    assert_eq!((&listed["good"], &listed["verification"]), (&true.into(), &Value::Null));

    full.execute("CREATE DATABASE replaced TEMPLATE template0").await.expect("a database");
    let (server, _) = url.rsplit_once('/').expect("a database");
    let replaced = format!("{server}/replaced");
    let output = fixture.restore(id(&manifest), &replaced.as_str().into(), &[]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(stderr(&output).contains("is full"), "{output:?}");
    let replaced = PgPool::connect(&replaced).await.expect("a login");
    let tables = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace";
    assert_eq!(number(&replaced, tables).await, 0);

    assert_eq!(fixture.json(&["verify"]).await[0]["good"], true, "elsewhere there is room");
}

//! Millions of tasks: how long a dump and its verification take, and how much memory.

use std::fs;
use std::time::{Duration, Instant};

use secrecy::ExposeSecret as _;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Executor as _};
use tokio::process::Command;
use tokio::time::sleep;

use super::fixture::Fixture;

/// Of tasks with a title, and half of them with a description, tags and an assignee.
const TASKS: u32 = 5_000_000;
/// MiB that a dump may have in memory: four parts of 16 MiB, and what S3's client has of them.
const MOST_MEMORY: u64 = 200;

/// The most memory that a process has had so far, in MiB.
fn peak_memory(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? / 1_024)
}

async fn fill(fixture: &Fixture, tasks: u32) {
    let owner = &fixture.system.owner;
    let indexes: Vec<String> = sqlx::query_scalar(
        "SELECT indexdef FROM pg_indexes WHERE tablename = 'tasks' AND indexname <> 'tasks_pkey'",
    )
    .fetch_all(owner)
    .await
    .expect("indexes");
    let names: Vec<String> = sqlx::query_scalar(
        "SELECT indexname::text FROM pg_indexes WHERE tablename = 'tasks' AND indexname <> 'tasks_pkey'",
    )
    .fetch_all(owner)
    .await
    .expect("indexes");
    // Built once at the end, in a fraction of the time.
    owner.execute(AssertSqlSafe(format!("DROP INDEX {}", names.join(", ")))).await.expect("none");
    let insert = format!(
        "INSERT INTO tasks (tenant, id, title, description, status, priority, assignee, tags, version, \
             created_at, updated_at)
         SELECT 'tenant-' || n % 100, gen_random_uuid(), 'Task ' || n || ' ' || md5(n::text),
             CASE n % 2 WHEN 0 THEN repeat('what is to be done ', 10) || md5((n + 1)::text) END,
             'open', 'normal', CASE n % 2 WHEN 0 THEN 'someone-' || n % 1000 END,
             CASE n % 2 WHEN 0 THEN ARRAY['tag-' || n % 50, 'all'] ELSE '{{}}' END, 1,
             now() - n * interval '1 second', now()
         FROM generate_series(1, {tasks}) AS n"
    );
    owner.execute(AssertSqlSafe(insert)).await.expect("tasks");
    for index in indexes {
        let index = format!("SET ROLE task_app_owner; {index}; RESET ROLE");
        owner.execute(AssertSqlSafe(index)).await.expect("an index");
    }
}

/// Seconds of `pg_dump` alone.
async fn bare(fixture: &Fixture, options: &str) -> f64 {
    let begun = Instant::now();
    let url = fixture.system.database.owner_url.expose_secret();
    let command = format!("pg_dump --format=custom {options} '{url}' | cat > /dev/null");
    let status = Command::new("bash").args(["-o", "pipefail", "-c", &command]).status().await;
    assert!(status.expect("a run").success());
    begun.elapsed().as_secs_f64()
}

#[expect(clippy::print_stdout, reason = "figures")]
async fn measure(tasks: u32) {
    let fixture = Fixture::new().await;
    fill(&fixture, tasks).await;
    let (compressed, plain) = (bare(&fixture, "").await, bare(&fixture, "--compress=0").await);
    let mut dump = fixture.command(&["dump", "--json"]);
    let dump = dump.spawn().expect("a dump");
    let pid = dump.id().expect("a process");
    let mut ended = Box::pin(dump.wait_with_output());
    let mut peak = 0;
    let output = loop {
        tokio::select! {
            output = &mut ended => break output.expect("an end"),
            () = sleep(Duration::from_millis(50)) => peak = peak.max(peak_memory(pid).unwrap_or(0)),
        }
    };
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let manifest: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let number = |of: &str| manifest["dump"][of].as_u64().expect("a number") >> 20;
    let seconds = manifest["seconds"].as_f64().expect("seconds");
    println!(
        "{tasks} tasks: {} MiB of dump, {} MiB in S3 in {} parts",
        number("uncompressed"),
        number("size"),
        manifest["dump"]["parts"]
    );
    println!(
        "dumped, counted and sent in {seconds:.1} s, with {peak} MiB of memory; `pg_dump | cat` alone takes \
         {compressed:.1} s, uncompressed {plain:.1} s"
    );
    assert!(peak < MOST_MEMORY, "{peak} MiB");
    let verified = fixture.json(&["verify"]).await.remove(0);
    assert_eq!(verified["good"], true, "{verified}");
    println!(
        "restored in {:.1} s, with the comparison {:.1} s",
        verified["restore_seconds"].as_f64().expect("seconds"),
        verified["verification"]["seconds"].as_f64().expect("seconds")
    );
}

#[tokio::test]
#[ignore = "it takes minutes: make test-long"]
async fn millions_of_tasks_are_dumped_in_bounded_memory() {
    measure(TASKS).await;
}

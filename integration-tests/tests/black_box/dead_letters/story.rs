//! The operator's story of `docs/dead-letters-story.md`: its commands are run, and the end is what it would
//! be without the accident.

use std::path::Path;
use std::process::Output;

use local_stack::{create_fifo_queue, create_table};
use resources::resources;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;
use uuid::Uuid;

use super::fixture::Fixture;
use crate::support::documents::{blocks, document};
use crate::support::system::{TestSystem, binary, eventually};

/// Where the repaired worker is deployed.
const REPAIRED: &str = "## A cause that a deploy mends";
const LEDGER: &str = "task-replays";

/// The three kinds of commands, of `messages` in all.
struct Accident {
    messages: usize,
}

impl Accident {
    /// One command each, behind one that is applied.
    fn tasks_of_the_deploy(&self) -> usize {
        self.messages * 6 / 10
    }

    fn tasks_of_the_priority(&self) -> usize {
        self.messages * 3 / 10
    }

    fn unwanted(&self) -> usize {
        self.messages / 10
    }

    /// What happened.
    fn commands(&self) -> Vec<(String, String)> {
        let mut commands = self.right("acme", "/shop");
        for number in 0..self.tasks_of_the_priority() {
            commands.push(create("acme", "/web", &format!("priority {number}"), "highest"));
        }
        for _ in 0..self.unwanted() {
            commands.push(command("acme", "/web", "erase-task", &Uuid::now_v7(), &json!({})));
        }
        commands
    }

    /// What should have happened.
    fn control(&self) -> Vec<(String, String)> {
        let mut commands = self.right("control", "/web");
        for number in 0..self.tasks_of_the_priority() {
            commands.push(create("control", "/web", &format!("priority {number}"), "high"));
        }
        commands
    }

    fn right(&self, tenant: &str, source: &str) -> Vec<(String, String)> {
        let mut commands = Vec::new();
        for number in 0..self.tasks_of_the_deploy() {
            let task = Uuid::now_v7();
            let mut push = |source: &str, kind: &str, title: &str| {
                let title = json!({"title": format!("{title} {number}")});
                let is_new = kind == "create-task";
                let data = if is_new { title } else { json!({ "patch": title }) };
                commands.push(command(tenant, source, kind, &task, &data));
            };
            push("/web", "create-task", "new");
            push(source, "update-task", "deploy");
        }
        commands
    }
}

fn create(tenant: &str, source: &str, title: &str, priority: &str) -> (String, String) {
    let data = json!({"title": title, "priority": priority});
    command(tenant, source, "create-task", &Uuid::now_v7(), &data)
}

/// A command's group and body.
fn command(tenant: &str, source: &str, kind: &str, task: &Uuid, data: &Value) -> (String, String) {
    let body = json!({
        "specversion": "1.0",
        "id": Uuid::new_v4(),
        "source": source,
        "type": format!("dev.task-app.{kind}.v1"),
        "subject": task,
        "time": "2026-01-31T09:30:00Z",
        "datacontenttype": "application/json",
        "tenant": tenant,
        "data": data,
    });
    (task.to_string(), body.to_string())
}

/// Runs a block of the page.
async fn run(system: &TestSystem, folder: &Path, block: &str) -> Output {
    let tool = binary("dead-letters");
    let path = format!("{}:/usr/bin:/bin", tool.parent().expect("a folder").display());
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", block])
        .current_dir(folder)
        .env_clear()
        .envs(system.aws.environment().iter())
        .env("REPLAYS_TABLE", LEDGER)
        .env("PATH", path)
        .output();
    let output = output.await.expect("a run");
    assert_eq!(output.status.code(), Some(0), "{block}{output:?}");
    output
}

/// How many messages each cause has, by `groups`.
fn causes(printed: &str) -> Vec<(usize, String)> {
    let words = printed.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let causes =
        words.filter_map(|words| Some((words.first()?.parse().ok()?, words.get(1)?.to_string())));
    causes.collect()
}

/// The titles, priorities and versions of a tenant's tasks.
async fn tasks(system: &TestSystem, tenant: &str) -> Vec<(String, String, i64)> {
    let select =
        "SELECT title, priority::text, version FROM tasks WHERE tenant = $1 ORDER BY title";
    let tasks = sqlx::query_as(select).bind(tenant).fetch_all(&system.owner);
    tasks.await.expect("tasks")
}

async fn story(messages: usize) {
    let accident = Accident { messages };
    let mut system = TestSystem::new().await;
    // A region of its own, where a queue may have the name of the page's.
    system.aws.region = format!("story-{}", Uuid::new_v4().simple());
    system.sqs = system.aws.sqs();
    system.queue = create_fifo_queue(&system.sqs, "task-commands", 3).await.expect("a queue");
    let ledger = &resources().tables.replays;
    create_table(&system.aws.config(), ledger, LEDGER).await.expect("a table");
    let queues = Fixture::of(system.aws.clone(), system.sqs.clone(), system.queue.clone());

    let bad = system.start_worker("bad", &[("ALLOWED_SOURCES", "/shopp,/web")]);
    system.send(&accident.commands()).await;
    eventually("all commands are dead letters", async || {
        (queues.depth().await == (messages, 0)).then_some(())
    })
    .await;
    drop(bad);

    let page = document("docs/dead-letters-story.md");
    let folder = TempDir::new().expect("a folder");
    let mut repaired = None;
    let mut outputs = Vec::new();
    for section in page.split("\n## ") {
        if REPAIRED.ends_with(section.lines().next().expect("a heading")) {
            repaired = Some(system.start_worker("repaired", &[("ALLOWED_SOURCES", "/shop,/web")]));
        }
        for block in blocks(section, "sh") {
            outputs.push((block, run(&system, folder.path(), block).await));
        }
    }
    assert!(repaired.is_some(), "{REPAIRED}");

    let groups = outputs.iter().find(|(block, _)| block.contains("groups")).expect("groups");
    let printed = String::from_utf8_lossy(&groups.1.stdout);
    let part = |tenths: usize, reason: &str| (messages * tenths / 10, reason.to_owned());
    let expected =
        [part(6, "producer_not_allowed"), part(3, "schema_violation"), part(1, "unknown_type")];
    assert_eq!(causes(&printed), expected, "{printed}");

    assert_eq!(queues.depth().await, (0, 0));
    let runs = queues.json(&["runs", "--ledger", LEDGER]).await;
    let counts = runs.iter().map(|run| {
        assert_eq!(run["state"], "done", "{run}");
        ["sent", "edited", "deleted"].map(|of| run["counts"][of].as_u64().expect("a number"))
    });
    let tenth = messages as u64 / 10;
    let expected = [[0, 0, tenth], [3 * tenth, 3 * tenth, 0], [6 * tenth, 0, 0]];
    assert_eq!(counts.collect::<Vec<_>>(), expected, "the last run first");

    system.send(&accident.control()).await;
    let count = accident.tasks_of_the_deploy() + accident.tasks_of_the_priority();
    eventually("the control has its tasks", async || {
        let control = tasks(&system, "control").await;
        (control.len() == count
            && control.iter().all(|(title, _, version)| {
                *version == if title.starts_with("deploy") { 2 } else { 1 }
            }))
        .then_some(())
    })
    .await;
    assert_eq!(tasks(&system, "acme").await, tasks(&system, "control").await);
}

#[tokio::test]
async fn a_bad_deploy_leaves_nothing_behind() {
    story(500).await;
}

#[tokio::test]
#[ignore = "it takes minutes: make test-long"]
async fn a_bad_deploy_of_five_thousand_commands_leaves_nothing_behind() {
    story(5_000).await;
}

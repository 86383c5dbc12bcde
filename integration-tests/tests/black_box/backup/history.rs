//! `backup verify --history-sample`: the history in DynamoDB is what the restored tasks say, or it is found.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use uuid::Uuid;

use super::fixture::{Fixture, id};
use crate::history::projector;
use crate::relay::{facts_queue, relay};
use crate::support::load::Load;
use crate::support::system::{event, eventually};

/// More tasks than there are.
const ALL: &str = "1000";

struct History<'a> {
    fixture: &'a Fixture,
    client: aws_sdk_dynamodb::Client,
    table: String,
}

impl<'a> History<'a> {
    fn of(fixture: &'a Fixture) -> Self {
        let client = aws_sdk_dynamodb::Client::new(&fixture.system.aws.config());
        Self { fixture, client, table: fixture.system.table("history") }
    }

    /// Compares it with a backup. Returns whether all is well, and what is printed.
    async fn verify(&self, backup: &str, wait: &str) -> (bool, Value) {
        let options = ["verify", backup, "--json", "--history-sample", ALL, "--history-wait", wait];
        let options = [&options[..], &["--history-table", &self.table]].concat();
        let output = self.fixture.run(&options).await;
        let printed = serde_json::from_slice(&output.stdout).ok();
        assert!(printed.is_some(), "{output:?}");
        (output.status.success(), printed.expect("JSON"))
    }

    async fn get(
        &self,
        task: &str,
        version: i64,
    ) -> std::collections::HashMap<String, AttributeValue> {
        let got = self.client.get_item().table_name(&self.table);
        let got = got.key("task", text(format!("acme/{task}"))).key("version", number(version));
        got.send().await.expect("an answer").item.expect("an entry")
    }

    async fn put(&self, item: std::collections::HashMap<String, AttributeValue>) {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        put.send().await.expect("written");
    }
}

fn text(text: String) -> AttributeValue {
    AttributeValue::S(text)
}

fn number(number: i64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// The group and the body of a command that creates one more task.
fn creation() -> (String, String) {
    let task = Uuid::now_v7().to_string();
    let body = event("one-more", "create-task", &task, &json!({"title": "One more"}));
    (task, body)
}

fn problems(verified: &Value) -> String {
    verified["verification"]["problems"].to_string()
}

#[tokio::test]
async fn a_history_that_is_not_what_its_tasks_are_is_found() {
    let (fixture, load) = (Fixture::new().await, Load::on(20, 12, 300));
    let system = &fixture.system;
    system.create_tables().await;
    let facts = facts_queue(system).await;
    system.send(&load.messages).await;
    let _worker = system.worker().await;
    system.processed(load.distinct).await;
    let mut relay = relay(system, "relay", &[&facts.url]).await;
    eventually("all facts are published", async || {
        (system.count("SELECT count(*) FROM outbox").await == 0).then_some(())
    })
    .await;
    let manifest = fixture.dump().await;
    let (history, backup) = (History::of(&fixture), id(&manifest));

    // Their facts are in a queue still: the comparison waits for them.
    let verify = history.verify(backup, "60");
    let ((good, verified), _projector) = tokio::join!(verify, projector(system, &facts.url));
    assert!(good, "{verified}");
    let tasks = system.count("SELECT count(*) FROM tasks").await;
    let versions = system.count("SELECT sum(version)::bigint FROM tasks").await;
    assert_eq!(verified["history"]["tasks"], tasks, "{verified}");
    assert_eq!(verified["history"]["entries"], versions, "{verified}");
    assert_eq!(verified["verification"]["histories"], tasks);

    let last: (String, i64) =
        sqlx::query_as("SELECT id::text, version FROM tasks ORDER BY version DESC LIMIT 1")
            .fetch_one(&system.owner)
            .await
            .expect("a task");
    let (task, version) = (last.0.as_str(), last.1);
    let entry = history.get(task, version).await;
    let mut altered = entry.clone();
    let data = entry["data"].as_s().expect("text").replacen("\"title\":\"", "\"title\":\"x", 1);
    altered.insert("data".to_owned(), text(data));
    history.put(altered).await;
    let (good, verified) = history.verify(backup, "0").await;
    assert!(!good && problems(&verified).contains(&format!("version {version} is another one")));
    assert!(problems(&verified).contains(task), "{verified}");
    assert_eq!(fixture.json(&["list"]).await[0]["good"], false);

    let delete = history.client.delete_item().table_name(&history.table);
    let delete = delete.key("task", text(format!("acme/{task}"))).key("version", number(version));
    delete.send().await.expect("deleted");
    let (good, verified) = history.verify(backup, "0").await;
    assert!(!good && problems(&verified).contains(&format!("version {version} is missing")));

    // Of an older version only the history knows what it was, but not of which task.
    history.put(entry).await;
    let mut foreign = history.get(task, 1).await;
    let data = foreign["data"].as_s().expect("text").replacen("acme", "other", 1);
    foreign.insert("data".to_owned(), text(data));
    let first = history.get(task, 1).await;
    history.put(foreign).await;
    let (good, verified) = history.verify(backup, "0").await;
    assert!(!good && problems(&verified).contains("version 1 is another one"), "{verified}");
    history.put(first).await;
    assert!(history.verify(backup, "0").await.0);

    // Facts that were still to be published are in no history yet.
    relay.stop().await.expect("stopped");
    system.send(&[creation()]).await;
    system.processed(load.distinct + 1).await;
    let pending = id(&fixture.dump().await).to_owned();
    let (good, verified) = history.verify(&pending, "0").await;
    assert!(good, "{verified}");
    assert_eq!(verified["history"]["tasks"], tasks + 1, "{verified}");
}

#[tokio::test]
async fn a_history_that_was_not_asked_for_is_named() {
    let fixture = Fixture::new().await;
    let _worker = fixture.system.worker().await;
    fixture.system.send(&[creation()]).await;
    fixture.system.processed(1).await;
    fixture.dump().await;
    let output = fixture.run(&["verify"]).await;
    let printed = String::from_utf8(output.stdout).expect("text");
    assert!(printed.contains("the history in DynamoDB was not compared"), "{printed}");
    assert_eq!(fixture.json(&["verify"]).await[0]["history"], Value::Null);
    // A table that is not there is no comparison, and no verdict about the backup.
    let missing = ["verify", "--history-sample", "1", "--history-table", "none"];
    fixture.dump().await;
    let error = fixture.fails(&missing).await;
    assert!(error.contains("was not verified") && error.contains("HISTORY_TABLE"), "{error}");
    assert_eq!(fixture.json(&["list"]).await[1]["verification"], Value::Null);
}

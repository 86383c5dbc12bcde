//! The real worker in both hosts: what a scenario leaves in the database, in the queue and in the
//! dead-letter queue must be the same, and what the table says.
//!
//! What any handler can rely on, whatever it does, is in `conformance`.

use std::time::Duration;

use aws_sdk_sqs::types::{MessageSystemAttributeName, QueueAttributeName};
use fake_lambda::LambdaApi;
use local_stack::Function;
use serde_json::{Value, json};
use tokio::time::sleep;
use uuid::Uuid;

use crate::conformance::Host;
use crate::support::event_source_mapping::{Mapping, TIME};
use crate::support::load::Load;
use crate::support::private_servers;
use crate::support::system::{TestSystem, event, eventually};

/// The worker, and what feeds it if it is a Lambda.
struct Worker {
    _function: Function,
    _mapping: Option<Mapping>,
}

async fn worker(host: Host, system: &TestSystem) -> Worker {
    if host == Host::Pod {
        return Worker { _function: system.worker().await, _mapping: None };
    }
    let api = LambdaApi::start().await;
    let environment = api.environment();
    let settings: Vec<_> =
        environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let function = system.start_worker("command-worker-lambda", &settings);
    eventually("the function is a Lambda", async || (!api.extensions().is_empty()).then_some(()))
        .await;
    let mapping = Mapping::start(system.sqs.clone(), system.queue.url.clone(), api, TIME);
    Worker { _function: function, _mapping: Some(mapping) }
}

/// Messages, and what they leave.
struct Scenario {
    name: &'static str,
    /// Group and body of each.
    messages: Vec<(String, String)>,
    left: Left,
}

/// What is left: title, status and version of each task; the number of commands in the inbox; body,
/// reason and attempts of each dead letter. All sorted. The queue is empty.
#[derive(Debug, Default, PartialEq)]
struct Left {
    tasks: Vec<(String, String, i64)>,
    inbox: i64,
    dead: Vec<(String, String, i64)>,
}

fn task(title: &str, status: &str, version: i64) -> (String, String, i64) {
    (title.to_owned(), status.to_owned(), version)
}

fn scenarios() -> Vec<Scenario> {
    let subject = || Uuid::now_v7().to_string();
    let create = |id: &str, subject: &str, title: &str| {
        let body = event(id, "create-task", subject, &json!({"title": title}));
        (subject.to_owned(), body)
    };
    let (a, b) = (&subject(), &subject());
    let update = event("2", "update-task", a, &json!({"patch": {"title": "Renamed"}}));
    let complete = event("3", "complete-task", a, &json!({}));
    let next = |body: &str| (a.clone(), body.to_owned());
    let bad = "not JSON";
    let wrapped = create("1", b, "Wrapped").1;
    let sns = json!({"Type": "Notification", "TopicArn": "arn", "Message": wrapped}).to_string();
    vec![
        Scenario {
            name: "commands of a task take effect in order",
            messages: vec![create("1", a, "A"), next(&update), next(&complete)],
            left: Left {
                tasks: vec![task("Renamed", "completed", 3)],
                inbox: 3,
                ..Left::default()
            },
        },
        Scenario {
            name: "a repeat takes effect once",
            messages: vec![create("1", a, "A"), create("1", a, "A"), create("1", a, "A")],
            left: Left { tasks: vec![task("A", "open", 1)], inbox: 1, ..Left::default() },
        },
        Scenario {
            name: "a refusal is a result",
            messages: vec![next(&complete)],
            left: Left { inbox: 1, ..Left::default() },
        },
        Scenario {
            name: "a bad body is a dead letter at once, and neither group nor batch suffers",
            messages: vec![create("1", a, "A"), next(bad), next(&update), create("4", b, "B")],
            left: Left {
                tasks: vec![task("B", "open", 1), task("Renamed", "open", 2)],
                inbox: 3,
                dead: vec![task(bad, "malformed_json", 1)],
            },
        },
        Scenario {
            name: "an envelope of somebody else is a dead letter that says so, and its neighbour is applied",
            messages: vec![(b.clone(), sns.clone()), create("4", a, "A")],
            left: Left {
                tasks: vec![task("A", "open", 1)],
                inbox: 1,
                dead: vec![task(&sns, "foreign_envelope", 1)],
            },
        },
        Scenario {
            name: "an id for two commands is a dead letter",
            messages: vec![create("1", a, "A"), create("1", a, "Other")],
            left: Left {
                tasks: vec![task("A", "open", 1)],
                inbox: 1,
                dead: vec![task(&create("1", a, "Other").1, "id_reused", 1)],
            },
        },
    ]
}

#[tokio::test]
async fn both_hosts_leave_the_same_of_each_scenario() {
    for scenario in scenarios() {
        for host in [Host::Pod, Host::Lambda] {
            let system = TestSystem::new().await;
            let _worker = worker(host, &system).await;
            system.send(&scenario.messages).await;
            let dead = scenario.left.dead.len();
            let left = left(&system, scenario.left.inbox, dead).await;
            assert_eq!(left, scenario.left, "{}, as a {host:?}", scenario.name);
        }
    }
}

/// Waits until the scenario is over, and looks.
async fn left(system: &TestSystem, inbox: i64, dead: usize) -> Left {
    system.processed(inbox).await;
    let mut letters = Vec::new();
    eventually("every dead letter is there", async || {
        for message in system.take_dead_letters().await {
            let attributes = message.message_attributes().expect("attributes");
            let text = |name: &str| attributes[name].string_value().expect("a text").to_owned();
            let report: Value = serde_json::from_str(&text("DeadLetter")).expect("JSON");
            assert_eq!(report["handler"], "command-worker");
            let group = MessageSystemAttributeName::MessageGroupId;
            assert!(message.attributes().is_some_and(|all| all.contains_key(&group)));
            let body = message.body().expect("a body").to_owned();
            let attempts = report["attempts"].as_i64().expect("a number");
            letters.push((body, text("DeadLetterReason"), attempts));
        }
        (letters.len() >= dead).then_some(())
    })
    .await;
    empty(system).await;
    letters.sort();
    let tasks = "SELECT title, status::text, version FROM tasks ORDER BY title";
    let tasks = sqlx::query_as(tasks).fetch_all(&system.owner).await.expect("tasks");
    let inbox = system.count("SELECT count(*) FROM inbox").await;
    Left { tasks, inbox, dead: letters }
}

/// Waits until the queue holds nothing, neither visible nor in flight.
async fn empty(system: &TestSystem) {
    use QueueAttributeName::{
        ApproximateNumberOfMessages as Visible, ApproximateNumberOfMessagesNotVisible as Hidden,
    };
    eventually("the queue is empty", async || {
        let request = system.sqs.get_queue_attributes().queue_url(&system.queue.url);
        let answer = request.attribute_names(Visible).attribute_names(Hidden).send().await;
        let attributes = answer.expect("an answer").attributes.expect("attributes");
        [Visible, Hidden].iter().all(|name| attributes[name] == "0").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_lambda_takes_a_load_with_repeats_as_a_pod_does() {
    let system = TestSystem::new().await;
    let load = Load::random(5, 300);
    let _worker = worker(Host::Lambda, &system).await;
    system.send(&load.messages).await;
    system.processed(load.distinct).await;
    load.assert_is_what_is_left(&system).await;
    empty(&system).await;
    assert!(system.take_dead_letters().await.is_empty());
    // Nobody can scrape a Lambda: its metrics are in its log.
    let sent = u32::try_from(load.messages.len()).expect("a count");
    eventually("every message is counted in the log", async || {
        let log = system.log("command-worker-lambda");
        let received = log.iter().filter_map(|line| line["messages_received_total"][0].as_f64());
        (received.sum::<f64>() >= f64::from(sent)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn without_postgresql_messages_wait_in_both_hosts_and_none_is_a_dead_letter() {
    for host in [Host::Pod, Host::Lambda] {
        let (_folder, mut postgres) = private_servers::postgres().await;
        let system = TestSystem::with_postgres(postgres.url()).await;
        let load = Load::random(6, 20);
        let _worker = worker(host, &system).await;
        postgres.stop().await.expect("stopped");
        system.send(&load.messages).await;
        sleep(Duration::from_secs(2)).await;
        postgres.restart().await.expect("started");
        system.processed(load.distinct).await;
        load.assert_is_what_is_left(&system).await;
        empty(&system).await;
        assert!(system.take_dead_letters().await.is_empty(), "{host:?}");
    }
}

#[tokio::test]
async fn migrate_runs_at_each_invocation() {
    let system = TestSystem::new().await;
    let api = LambdaApi::start().await;
    let environment = system.environment(&system.database.owner_url);
    let _migrate = system.start_lambda("migrate", &environment, &api);
    for run in ["first", "second"] {
        let outcome = api.invoke(run, Duration::from_mins(1), json!({})).await;
        assert_eq!(outcome, Ok(json!(null)), "{run}");
    }
}

#[tokio::test]
async fn a_lambda_whose_messages_would_come_again_while_they_are_handled_does_not_start() {
    let (system, api) = (TestSystem::new().await, LambdaApi::start().await);
    let set = system.sqs.set_queue_attributes().queue_url(&system.queue.url);
    let set = set.attributes(QueueAttributeName::VisibilityTimeout, "29");
    set.send().await.expect("set");
    let environment = system
        .environment(&system.database.writer_url)
        .with("QUEUE_URL", &system.queue.url)
        .with("HANDLER_TIMEOUT_SECONDS", "30");
    let _function = system.start_lambda("command-worker", &environment, &api);
    let error = api.failed_start().await.to_string();
    assert!(error.contains("VisibilityTimeout is 29 seconds"), "{error}");
}

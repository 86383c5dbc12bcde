//! Replays from the page: as on the command line, and only if they are allowed.

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::browser::{Browser, ENTER};
use super::server::Server;
use crate::dead_letters::fixture::Fixture;

async fn filled() -> Fixture {
    let fixture = Fixture::fifo().await;
    fixture.fill(&[("a", "1".to_owned()), ("a", "2".to_owned()), ("b", "3".to_owned())]).await;
    fixture
}

/// A server that may replay, and where its ledger is.
async fn allowed(fixture: &Fixture) -> (Server, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = folder.path().join("journal").display().to_string();
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--allow-replay", "--journal", &journal];
    (Server::start_with(fixture, &fixture.aws.endpoint, &arguments).await, folder)
}

async fn post(server: &Server, path: &str, body: &Value) -> (StatusCode, Value) {
    let request = Client::new().post(format!("{}{path}", server.url)).json(body);
    let response = request.bearer_auth(&server.token).send().await.expect("a response");
    let (status, text) = (response.status(), response.text().await.expect("text"));
    (status, serde_json::from_str(&text).unwrap_or_default())
}

#[tokio::test]
async fn nothing_is_replayed_unless_it_is_allowed() {
    let fixture = filled().await;
    let server = Server::start(&fixture).await;
    let path = format!("api/queues/{}", fixture.name());
    let (status, problem) = post(&server, &format!("{path}/replay"), &json!({"why": "x"})).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(problem["detail"].as_str().is_some_and(|text| text.contains("--allow-replay")));
    let stop = Client::new().delete(format!("{}api/replay", server.url));
    let stop = stop.bearer_auth(&server.token).send().await.expect("a response");
    assert_eq!(stop.status(), StatusCode::FORBIDDEN);
    let (status, plan) = post(&server, &format!("{path}/dry-run"), &json!({})).await;
    assert_eq!((status, &plan["targets"]), (StatusCode::OK, &json!({source(&fixture): 3})));
    assert_eq!(fixture.depth().await, (3, 0));
}

#[tokio::test]
async fn a_replay_is_that_of_the_command_line_and_is_watched() {
    let fixture = filled().await;
    let (server, folder) = allowed(&fixture).await;
    let path = format!("api/queues/{}/replay", fixture.name());
    let wrong = post(&server, &path, &json!({"why": "x", "filters": "--edit"})).await;
    assert_eq!(wrong.0, StatusCode::BAD_REQUEST, "{}", wrong.1);
    let asked = json!({"why": "INC-7", "filters": "--group a"});
    assert_eq!(post(&server, &path, &asked).await.0, StatusCode::ACCEPTED);
    assert_eq!(post(&server, &path, &asked).await.0, StatusCode::CONFLICT, "one at a time");

    let events = server.request("api/replay").send().await.expect("a response");
    assert_eq!(events.headers()["content-type"], "text/event-stream");
    let events = events.text().await.expect("its end");
    let events: Vec<Value> = events
        .split("\n\n")
        .filter_map(|event| event.strip_prefix("data: "))
        .map(|event| serde_json::from_str(event).expect("JSON"))
        .collect();
    let last = events.last().expect("an event");
    let run = &last["end"]["run"];
    assert_eq!((&run["state"], &run["counts"]["sent"]), (&json!("done"), &json!(2)), "{last}");
    assert_eq!((&run["why"], &last["position"]), (&json!("INC-7"), &json!(2)));
    assert_eq!(fixture.depth().await, (1, 0));
    let sent = fixture.receive(&fixture.queue.url, 0).await;
    let bodies: Vec<_> = sent.iter().filter_map(|message| message.body.as_deref()).collect();
    assert_eq!(bodies, ["1", "2"]);
    let journal = folder.path().join("journal").display().to_string();
    let runs = fixture.json(&["runs", "--journal", &journal]).await;
    assert!(runs.iter().any(|line| line.to_string().contains("INC-7")), "{runs:?}");
}

#[tokio::test]
async fn it_is_checked_begun_and_watched_by_the_keyboard_alone() {
    let fixture = filled().await;
    let (server, _folder) = allowed(&fixture).await;
    let browser = Browser::start().await;
    browser.open(&format!("{}&queue={}", server.address, fixture.name())).await;
    browser.until("document.querySelectorAll('#messages tbody tr').length === 3").await;
    browser.tab_to("#replay summary").await;
    browser.key(ENTER).await;
    browser.tab_to("#why").await;
    browser.write("INC-8").await;
    browser.tab_to("#check").await;
    browser.key(ENTER).await;
    browser.until("!document.querySelector('#begin').disabled").await;
    let plan = browser.text("#replay-plan").await;
    assert!(plan.contains(&format!("3 messages to {}", source(&fixture))), "{plan}");
    browser.tab_to("#begin").await;
    browser.key(ENTER).await;
    browser.until("document.querySelector('#outcome').textContent.includes('is done')").await;
    let outcome = browser.text("#outcome").await;
    assert!(outcome.contains("3 sent, 0 came back, 0 failed, 0 held back"), "{outcome}");
    assert_eq!(browser.value("document.querySelector('#progress').position").await, 1);
    assert_eq!(fixture.depth().await, (0, 0));
}

/// The name of the queue that the dead letters go back to.
fn source(fixture: &Fixture) -> &str {
    fixture.queue.url.rsplit('/').next().expect("a name")
}

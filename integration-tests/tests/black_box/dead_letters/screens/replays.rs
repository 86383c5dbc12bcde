//! What a replay prints, and what the ledger prints of it.

use super::Screen;
use super::reads::{filled, orders};
use crate::dead_letters::fixture::Fixture;

const WHY: [&str; 2] = ["--why", "INC-7: fixed in 1.4.2"];

async fn numbered(fixture: &Fixture, count: usize) {
    let details = r#"{"reason":"busy","queue":"arn:aws:sqs:eu-west-1:000000000000:orders.fifo"}"#;
    for number in 0..count {
        let attributes = [("DeadLetterReason", "busy"), ("DeadLetter", details)];
        let body = format!("{{\"n\": {number}, \"cost\": 1.50}}");
        fixture.put(&number.to_string(), &body, &attributes).await;
    }
}

async fn shows(fixture: &Fixture, screen: &Screen, snapshot: &str, words: &[&str]) {
    screen.shows(snapshot, &[(words, fixture.run(words).await)]);
}

#[tokio::test]
async fn what_replays_and_their_ledger_print() {
    let (fixture, screen) = orders().await;
    filled(&fixture).await;
    let name = fixture.name();
    let dry = ["replay", name, "--dry-run", "--not", "reason=schema_*"];
    shows(&fixture, &screen, "replay-dry-run", &dry).await;
    let some = ["replay", name, "--reason", "schema_*", WHY[0], WHY[1]];
    shows(&fixture, &screen, "replay-done", &some).await;
    let others = ["replay", name, "--to", "nowhere.fifo", WHY[0], WHY[1]];
    assert_eq!(fixture.run(&others).await.status.code(), Some(1));
    let all = ["replay", name, WHY[0], WHY[1]];
    shows(&fixture, &screen, "replay-not-all", &all).await;
    shows(&fixture, &screen, "runs", &["runs"]).await;
    let runs = fixture.json(&["runs"]).await;
    let run = runs[0]["run"].as_str().expect("an id");
    shows(&fixture, &screen, "runs-of-one", &["runs", run]).await;
}

#[tokio::test]
async fn what_an_edit_would_change_is_shown() {
    let (fixture, screen) = orders().await;
    numbered(&fixture, 2).await;
    let edit = ".n |= if . == 0 then . else 10 end";
    let words =
        ["replay", fixture.name(), "--dry-run", "--edit-jq", edit, "--no-schema", "--limit", "2"];
    shows(&fixture, &screen, "replay-dry-run-of-an-edit", &words).await;
}

#[tokio::test]
async fn what_a_canary_that_stops_prints() {
    let (fixture, screen) = orders().await;
    numbered(&fixture, 4).await;
    let name = fixture.name();
    let words = ["replay", name, "--canary", "2", "--wait", "1s", WHY[0], WHY[1]];
    shows(&fixture, &screen, "replay-canary-stops", &words).await;
    let runs = fixture.json(&["runs"]).await;
    let run = runs[0]["run"].as_str().expect("an id");
    let resume = ["replay", "--resume", run, "--wait", "1s", "--accept-silence"];
    shows(&fixture, &screen, "replay-resumed", &resume).await;
}

#[tokio::test]
async fn what_became_a_dead_letter_again_names_its_replays() {
    let (fixture, screen) = orders().await;
    let url = &fixture.queue.url;
    let send = fixture.sqs.send_message().queue_url(url).message_body("{\"n\": 1}");
    send.message_group_id("1").message_deduplication_id("1").send().await.expect("sent");
    let rejected = async || {
        // The second receive makes it a dead letter.
        while fixture.depth().await != (1, 0) {
            fixture.receive(url, 0).await;
        }
    };
    rejected().await;
    let name = fixture.name();
    fixture.printed(&["replay", name, WHY[0], WHY[1]]).await;
    rejected().await;
    let listed = fixture.json(&["ls", name]).await;
    let id = listed[0]["message_id"].as_str().expect("an id");
    shows(&fixture, &screen, "show-lineage", &["show", name, id]).await;
}

#[tokio::test]
async fn how_far_a_replay_is_is_a_line_now_and_then() {
    let (fixture, screen) = orders().await;
    numbered(&fixture, 13).await;
    let words = ["replay", fixture.name(), "--rate", "1", WHY[0], WHY[1]];
    shows(&fixture, &screen, "replay-progress", &words).await;
}

//! Standard queues, and how many messages are shown.

use std::collections::HashSet;

use super::fixture::{Fixture, stderr};

async fn filled(count: usize) -> Fixture {
    let fixture = Fixture::standard().await;
    let messages: Vec<_> = (0..count).map(|number| ("", number.to_string())).collect();
    fixture.fill(&messages).await;
    fixture
}

#[tokio::test]
async fn every_message_is_read_once_and_visible_at_once() {
    let fixture = filled(47).await;
    let run = fixture.run(&["ls", fixture.name(), "--json"]).await;
    assert_eq!(fixture.depth().await, (47, 0));
    assert_eq!(stderr(&run), "", "nothing was left out");
    let lines: HashSet<_> = std::str::from_utf8(&run.stdout).expect("text").lines().collect();
    assert_eq!(lines.len(), 47);
}

#[tokio::test]
async fn a_limit_ends_the_read_and_a_sample_is_of_all() {
    let fixture = filled(33).await;
    let name = fixture.name();
    assert_eq!(fixture.json(&["ls", name, "--limit", "12"]).await.len(), 12);
    let run = fixture.run(&["ls", name, "--sample", "5", "--json"]).await;
    assert_eq!(String::from_utf8_lossy(&run.stdout).lines().count(), 5);
    assert_eq!(stderr(&run), "note: 5 of 33 messages that fit, chosen at random\n");
    let groups = fixture.json(&["groups", name]).await;
    assert_eq!(groups[0]["groups"][0]["count"], 33);
    assert_eq!(groups[0]["complete"], true);
    assert_eq!(fixture.depth().await, (33, 0));
}

#[tokio::test]
async fn what_others_have_received_is_said_to_be_missing() {
    let fixture = filled(15).await;
    assert_eq!(fixture.receive(&fixture.queue.dead_letter_url, 30).await.len(), 10);
    let run = fixture.run(&["ls", fixture.name(), "--json"]).await;
    assert_eq!(String::from_utf8_lossy(&run.stdout).lines().count(), 5);
    assert!(stderr(&run).contains("5 of about 15"), "{run:?}");
    assert!(stderr(&run).contains("10 were in flight"), "{run:?}");
    assert_eq!(fixture.depth().await, (5, 10), "theirs stay theirs");
}

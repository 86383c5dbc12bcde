//! Filters select, and a mistake in one costs no request.

use serde_json::json;

use super::fixture::{Fixture, stderr};
use super::gateway::{Gateway, Later};

fn body(id: &str, tenant: &str, amount: u32) -> String {
    let kind = if amount > 50 { "order.large.v1" } else { "order.small.v1" };
    json!({
        "specversion": "1.0", "id": id, "source": "/shop", "type": kind, "subject": "task-1",
        "tenant": tenant, "data": {"amount": amount},
    })
    .to_string()
}

#[tokio::test]
async fn each_filter_selects_what_it_says() {
    let fixture = Fixture::fifo().await;
    fixture.put("g1", &body("1", "acme", 10), &[("DeadLetterReason", "busy")]).await;
    fixture.put("g1", &body("2", "acme", 99), &[("priority", "high")]).await;
    fixture.put("g2", &body("3", "other", 99), &[("DeadLetterReason", "bad_amount")]).await;
    fixture.put("g2", "no JSON at all", &[("priority", "low")]).await;
    let by_event = ["--type", "order.large.v1", "--source", "/shop", "--task", "task-1"];
    let by_message = ["--group", "g1", "--attribute", "priority=h*", "--newer-than", "1h"];
    for (filters, expected) in [
        (&[&by_event[..], &by_message].concat()[..], &["2"][..]),
        (&["--reason", "busy", "--reason", "bad_*", "--not", "tenant=acme"], &["3"]),
        (&["--body", "^no .* all$", "--reason", "-", "--not", "body-path=$.data"], &["-"]),
        (&["--body-path", "$.data[?@>50]", "--not", "older-than=1h"], &["2", "3"]),
    ] {
        let arguments = [&["ls", fixture.name()], filters].concat();
        let listed = fixture.json(&arguments).await;
        let ids: Vec<_> = listed
            .iter()
            .map(|dead_letter| dead_letter["event_id"].as_str().unwrap_or("-"))
            .collect();
        assert_eq!(ids, expected, "{filters:?}");
    }
}

#[tokio::test]
async fn a_mistake_is_pointed_at_before_the_first_request() {
    let fixture = Fixture::fifo().await;
    fixture.put("g", "{}", &[]).await;
    let gateway = Gateway::start(&fixture.aws.endpoint, Later::Answered).await;
    for (filter, pointed) in [
        (["--body", "create-(task"], "    create-(task\n           ^\nerror: unclosed group"),
        (["--body-path", "$.data["], "\n  $.data[\n"),
        (["--older-than", "3x"], "\n  3x\n   ^"),
        (["--attempts", "3..x"], "\n  3..x\n     ^"),
        (["--not", "older-than=3x"], "\n  older-than=3x\n              ^"),
        (["--not", "raeson=x"], "reason, type, source"),
        (["--limit", "0"], "0 is not in 1.."),
    ] {
        for command in ["ls", "groups"] {
            let arguments = [&[command, fixture.name()][..], &filter].concat();
            let run = fixture.command(&gateway.url, &arguments).output().await.expect("a run");
            assert_eq!(run.status.code(), Some(2), "{filter:?}");
            assert!(stderr(&run).contains(pointed), "{filter:?}: {}", stderr(&run));
        }
    }
    assert_eq!(gateway.exchanges().len(), 0);
    assert!(fixture.command(&gateway.url, &["ls", fixture.name()]).status().await.is_ok());
    assert!(!gateway.exchanges().is_empty(), "the gateway would have seen them");
}

//! A FIFO group is replayed in its order, and never in part from the middle.

use serde_json::json;

use super::fixture::Replay;
use crate::dead_letters::fixture::{Fixture, stderr};

fn messages(count: usize, group: impl Fn(usize) -> &'static str) -> Vec<(&'static str, String)> {
    (0..count).map(|number| (group(number), number.to_string())).collect()
}

#[tokio::test]
async fn long_groups_arrive_whole_and_in_their_order() {
    let replay = Replay::journal(Fixture::fifo().await);
    // More of each than SQS hands out at a time.
    let sent = messages(45, |number| ["a", "b", "c"][number % 3]);
    replay.rejected("r", &sent).await;
    let (code, report) = replay.replay(&[]).await;
    assert_eq!((code, &report["counts"]["sent"]), (Some(0), &json!(45)), "{report}");
    let bodies = replay.consumed_bodies().await;
    assert_eq!(bodies.len(), 45);
    for remainder in 0..3 {
        let numbers: Vec<usize> = bodies
            .iter()
            .map(|body| body.parse().expect("a number"))
            .filter(|n| n % 3 == remainder)
            .collect();
        assert_eq!(numbers, (0..45).filter(|n| n % 3 == remainder).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn nothing_overtakes_a_message_of_its_group_that_stays() {
    let replay = Replay::journal(Fixture::fifo().await);
    replay.rejected("fixed", &[("a", "1".to_owned()), ("b", "2".to_owned())]).await;
    replay.rejected("open", &[("a", "3".to_owned())]).await;
    replay.rejected("fixed", &[("a", "4".to_owned()), ("b", "5".to_owned())]).await;

    let queue = replay.queues.name();
    let why = ["replay", queue, "--why", "a test", "--reason", "fixed"];
    let output = replay.run(&why).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(stderr(&output).contains("1 are held back"), "{output:?}");
    let mut bodies = replay.consumed_bodies().await;
    bodies.sort();
    assert_eq!(bodies, ["1", "2", "5"]);
    assert_eq!(replay.dead_letters().await, ["3", "4"]);

    let (code, report) = replay.replay(&["--reason", "fixed", "--reorder"]).await;
    assert_eq!((code, &report["counts"]["sent"]), (Some(0), &json!(1)), "{report}");
    assert_eq!(replay.consumed_bodies().await, ["4"]);
    assert_eq!(replay.dead_letters().await, ["3"]);
}

#[tokio::test]
async fn nothing_overtakes_a_message_of_its_group_that_cannot_be_sent() {
    let replay = Replay::journal(Fixture::fifo().await);
    let elsewhere = json!({"queue": "arn:aws:sqs:x:1:elsewhere"}).to_string();
    let broken = json!({"attributes": {"a": {"type": "Binary", "value": "%"}}}).to_string();
    for (group, details) in [("a", elsewhere), ("b", broken)] {
        replay.queues.put(group, "stays", &[("DeadLetter", &details)]).await;
        replay.queues.put(group, "behind", &[]).await;
    }
    replay.queues.put("c", "goes", &[]).await;
    let (code, report) = replay.replay(&[]).await;
    let counts = &report["counts"];
    assert_eq!((code, &counts["failed"], &counts["held_back"]), (Some(1), &json!(2), &json!(2)));
    assert_eq!(replay.consumed_bodies().await, ["goes"]);
    assert_eq!(replay.queues.depth().await, (4, 0));
}

//! Whatever ends a read, what was received is visible again.

use std::process::Output;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use super::fixture::{Fixture, stderr};
use super::gateway::{Gateway, Later};

const COUNT: usize = 25;

async fn filled() -> Fixture {
    let fixture = Fixture::standard().await;
    let messages: Vec<_> = (0..COUNT).map(|number| ("", number.to_string())).collect();
    fixture.fill(&messages).await;
    fixture
}

/// Begins a read whose second receive takes long, and ends it by a signal.
async fn interrupted(fixture: &Fixture, signal: Signal) -> Output {
    let slow = Later::Delayed(Duration::from_millis(1_500));
    let gateway = Gateway::start(&fixture.aws.endpoint, slow).await;
    let mut tool = fixture
        .command(&gateway.url, &["ls", fixture.name(), "--json"])
        .spawn()
        .expect("a process");
    let stdout = tool.stdout.take().expect("its output");
    let mut lines = BufReader::new(stdout).lines();
    assert!(lines.next_line().await.expect("a line").is_some());
    let id = i32::try_from(tool.id().expect("it runs")).expect("an id");
    kill(Pid::from_raw(id), signal).expect("a signal");
    tool.wait_with_output().await.expect("an end")
}

#[tokio::test]
async fn ctrl_c_releases_also_what_a_receive_that_has_begun_brings() {
    let fixture = filled().await;
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let end = interrupted(&fixture, signal).await;
        assert_eq!(fixture.depth().await, (COUNT, 0), "{end:?}");
        assert_eq!(end.status.code(), Some(1), "{end:?}");
        assert!(stderr(&end).starts_with("error: interrupted: "), "{end:?}");
    }
}

#[tokio::test]
async fn an_error_releases_and_is_said() {
    let fixture = filled().await;
    let gateway = Gateway::start(&fixture.aws.endpoint, Later::Refused).await;
    for command in ["ls", "groups"] {
        let run = fixture.command(&gateway.url, &[command, fixture.name()]).output().await;
        let run = run.expect("a run");
        assert_eq!(fixture.depth().await, (COUNT, 0));
        assert_eq!(run.status.code(), Some(1));
    }
    let exchanges = gateway.exchanges();
    let received = exchanges.iter().find(|exchange| exchange.action == "ReceiveMessage");
    assert!(received.is_some_and(|exchange| exchange.answer["Messages"].is_array()));
}

#[tokio::test]
async fn a_reader_that_leaves_is_no_error() {
    let fixture = filled().await;
    let mut tool = fixture
        .command(&fixture.aws.endpoint, &["ls", fixture.name(), "--json"])
        .spawn()
        .expect("a process");
    drop(tool.stdout.take());
    let end = tool.wait_with_output().await.expect("an end");
    assert_eq!((end.status.code(), stderr(&end)), (Some(0), String::new()));
    assert_eq!(fixture.depth().await, (COUNT, 0));
}

#[tokio::test]
async fn a_queue_that_is_unknown_or_no_dead_letter_queue_is_refused() {
    let fixture = Fixture::fifo().await;
    let url = format!("{}/000000000000/no-such-queue", fixture.aws.endpoint);
    for unknown in ["no-such-queue", &url] {
        let run = fixture.run(&["ls", unknown]).await;
        assert_eq!(run.status.code(), Some(1));
        assert!(stderr(&run).contains(&format!("there is no queue {unknown}")), "{run:?}");
    }
    // Each look would count as a delivery there.
    let source = fixture.queue.url.clone();
    let send = fixture.sqs.send_message().queue_url(&source).message_body("{}");
    send.message_group_id("g").message_deduplication_id("1").send().await.expect("sent");
    for command in ["ls", "groups"] {
        let run = fixture.run(&[command, &source]).await;
        assert_eq!(run.status.code(), Some(1));
        assert!(stderr(&run).contains(fixture.name()), "{run:?}");
    }
    assert_eq!(fixture.receive(&source, 0).await.len(), 1, "it was not received before");
}

//! A jq program that takes too much ends alone: its message stays, and the others go on.

use futures::future::join_all;
use serde_json::json;

use super::fixture::Replay;
use crate::dead_letters::fixture::Fixture;

async fn edited(program: &str, messages: usize) -> (Replay, Vec<String>) {
    let replay = Replay::journal(Fixture::standard().await);
    replay.rejected_many("x", messages).await;
    let (code, report) = replay.replay(&["--edit-jq", program, "--no-schema"]).await;
    assert_eq!(code, Some(1), "{report}");
    let run = report["run"].as_str().expect("a run");
    let failures = replay.runs(&[run]).await;
    let failures = failures.iter().filter_map(|message| message["failure"].as_str());
    let failures = failures.map(str::to_owned).collect();
    (replay, failures)
}

#[tokio::test]
async fn only_the_message_on_which_a_program_takes_too_much_stays() {
    let programs = [
        ("def f: 1 + f; f", "the jq program calls itself too deeply, or needs more than 1024 MiB"),
        ("reduce range(40) as $n (\"x\"; . + .)", "or needs more than 1024 MiB"),
        ("last(range(1e12))", "the jq program takes longer than 2 s"),
        ("last(repeat(1))", "the jq program takes longer than 2 s"),
        ("[range(1e12)]", "the jq program "),
        ("reduce range(25) as $n (\"x\"; . + .)", "33554434 bytes; 16777216 at most"),
    ];
    let one = async |(program, cause): (&str, &str)| {
        let program = format!("if . == 2 then {program} else . + 10 end");
        let (replay, failures) = edited(&program, 5).await;
        assert!(failures.len() == 1 && failures[0].contains(cause), "{program}: {failures:?}");
        let mut bodies = replay.consumed_bodies().await;
        bodies.sort();
        assert_eq!(bodies, ["10", "11", "13", "14"], "{program}");
        assert_eq!(replay.dead_letters().await, ["2"], "{program}");
    };
    join_all(programs.map(one)).await;
}

#[tokio::test]
async fn a_program_that_takes_too_much_of_each_message_is_given_up() {
    let (replay, failures) = edited("last(range(1e12))", 10).await;
    let given_up = failures.iter().filter(|failure| failure.contains("it is not run again"));
    assert_eq!((failures.len(), given_up.count()), (10, 7), "{failures:?}");
    assert_eq!(replay.queues.depth().await, (10, 0));
}

#[tokio::test]
async fn one_output_is_the_body_and_what_is_untouched_keeps_its_digits() {
    let replay = Replay::journal(Fixture::standard().await);
    let body = r#"{"data": {"cost": 1.50, "n": 12345678901234567890.1}, "title": " a"}"#;
    replay.queues.put("g", body, &[]).await;
    replay.queues.put("g", "{\"cut", &[]).await;
    let program = ".title |= ltrimstr(\" \") | .data.tags = [\"x\"]";
    let (code, report) = replay.replay(&["--edit-jq", program, "--no-schema"]).await;
    let counts = &report["counts"];
    assert_eq!((code, &counts["edited"], &counts["failed"]), (Some(1), &json!(1), &json!(1)));
    let expected = r#"{"data":{"cost":1.50,"n":12345678901234567890.1,"tags":["x"]},"title":"a"}"#;
    assert_eq!(replay.consumed_bodies().await, [expected]);
    assert_eq!(replay.dead_letters().await, ["{\"cut"]);
}

//! The tool as a Lambda: an event asks for a replay, by the same ledger.

use std::time::Duration;

use fake_lambda::{LambdaApi, Outcome};
use serde_json::{Value, json};

use super::fixture::{Replay, bodies};
use crate::dead_letters::fixture::Fixture;
use crate::dead_letters::schemas::check;
use crate::dead_letters::tool::Running;

const LONG: Duration = Duration::from_mins(5);

struct Lambda {
    api: LambdaApi,
    _process: Running,
}

impl Lambda {
    async fn start(replay: &Replay) -> Self {
        let api = LambdaApi::start().await;
        let mut tool = replay.command(&replay.queues.aws.endpoint, &[]);
        let process = tool.envs(api.environment()).kill_on_drop().spawn().expect("a process");
        Self { api, _process: process }
    }

    async fn invoke(&self, id: &str, time: Duration, event: Value) -> Outcome {
        let is_dry_run = event["dry_run"] == true;
        let outcome = self.api.invoke(id, time, event).await;
        match &outcome {
            Ok(run) if !is_dry_run => check("replay", run),
            Ok(report) => {
                // As it is printed, and the notes, which a terminal shows apart.
                let mut printed = report.clone();
                let notes = printed.as_object_mut().and_then(|report| report.remove("notes"));
                assert!(notes.is_some_and(|notes| notes.is_array()), "{report}");
                check("replay-dry-run", &printed);
            }
            Err(_) => {}
        }
        outcome
    }
}

async fn filled(count: usize) -> Replay {
    let replay = Replay::table(Fixture::standard().await).await;
    let messages: Vec<_> = bodies(count).into_iter().map(|body| ("", body)).collect();
    replay.rejected("busy", &messages).await;
    replay
}

#[tokio::test]
async fn an_event_is_answered_with_its_run_which_is_in_the_ledger() {
    let replay = filled(5).await;
    replay.rejected("late", &[("", "other".to_owned())]).await;
    let lambda = Lambda::start(&replay).await;
    let event = json!({
        "command": "replay", "queue": replay.queues.name(), "why": "INC-7",
        "filters": {"reason": "busy"}, "rate": 100,
    });
    let run = lambda.invoke("1", LONG, event).await.expect("a run");
    assert_eq!((&run["state"], &run["counts"]["sent"]), (&json!("done"), &json!(5)), "{run}");
    assert_eq!((&run["why"], &run["newer"]), (&json!("INC-7"), &json!(0)));
    assert_eq!(replay.dead_letters().await, ["other"]);
    let id = run["run"].as_str().expect("an id");
    let recorded = replay.runs(&[id]).await;
    assert_eq!((recorded.len(), &recorded[0]["state"]), (6, &json!("done")));
}

#[tokio::test]
async fn a_run_stops_before_the_invocation_ends_and_another_one_resumes_it() {
    // More than leave in the time of the invocation, even on an idle machine.
    let replay = filled(60).await;
    let lambda = Lambda::start(&replay).await;
    let event = json!({
        "command": "replay", "queue": replay.queues.name(), "why": "slowly", "rate": 8,
    });
    let run = lambda.invoke("1", Duration::from_secs(8), event).await.expect("a run");
    assert_eq!(run["state"], "stopped", "{run}");
    let sent = run["counts"]["sent"].as_u64().expect("a number");
    assert!((1..60).contains(&sent), "{run}");
    assert_eq!(replay.queues.depth().await.1, 0, "what was held is visible");
    let resume = json!({"command": "replay", "resume": run["run"], "rate": 100});
    let run = lambda.invoke("2", LONG, resume).await.expect("a run");
    assert_eq!((&run["state"], &run["counts"]["sent"]), (&json!("done"), &json!(60)), "{run}");
    let mut arrived = replay.consumed_bodies().await;
    arrived.sort_by_key(|body| body.parse::<usize>().ok());
    assert_eq!(arrived, bodies(60));
}

#[tokio::test]
async fn a_run_edits_and_stops_after_its_canary_and_another_one_resumes_it() {
    let replay = filled(10).await;
    let lambda = Lambda::start(&replay).await;
    let mut event = json!({
        "command": "replay", "queue": replay.queues.name(), "dry_run": true,
        "edit_jq": ". + 100", "schema": {"type": "integer"}, "canary": 2, "wait": "1s",
    });
    let report = lambda.invoke("1", LONG, event.clone()).await.expect("a report");
    let source = replay.queues.queue.url.rsplit('/').next().expect("a name");
    assert_eq!(report["targets"], json!({source: 10}), "{report}");
    let diff = report["changes"][0]["diff"].as_str().expect("a diff");
    assert!(diff.contains("+10"), "{diff}");
    assert_eq!(replay.runs(&[]).await.len(), 0, "it is no run");

    event["dry_run"] = json!(false);
    event["why"] = json!("INC-8");
    let run = lambda.invoke("2", LONG, event).await.expect("a run");
    let counts = &run["counts"];
    assert_eq!((&counts["sent"], &counts["edited"]), (&json!(2), &json!(2)), "{run}");
    let why = run["stopped_because"].as_str().expect("a cause");
    assert!(why.starts_with("nobody knows yet"), "{why}");

    let resume = json!({"command": "replay", "resume": run["run"], "accept_silence": true});
    let run = lambda.invoke("3", LONG, resume).await.expect("a run");
    assert_eq!((&run["state"], &run["counts"]["edited"]), (&json!("done"), &json!(10)), "{run}");
    let mut arrived = replay.consumed_bodies().await;
    arrived.sort();
    let expected: Vec<_> = (100..110).map(|number| number.to_string()).collect();
    assert_eq!(arrived, expected);
    let recorded = replay.runs(&[run["run"].as_str().expect("an id")]).await;
    assert!(recorded[1..].iter().all(|message| message["edit"]["editor"] == "jq"), "{recorded:?}");
}

#[tokio::test]
async fn what_cannot_be_done_fails_the_invocation_and_says_why() {
    let replay = filled(1).await;
    let lambda = Lambda::start(&replay).await;
    let queue = replay.queues.name();
    for (event, expected) in [
        (json!({"command": "purge", "queue": queue}), "unknown variant `purge`"),
        (json!({"command": "replay", "queue": queue}), "--why"),
        (json!({"command": "replay", "queue": "missing", "why": "w"}), "there is no queue missing"),
    ] {
        let error = lambda.invoke("1", LONG, event).await.expect_err("a failure");
        assert!(error.to_string().contains(expected), "{error}");
    }
    // Its files would be lost.
    let files = Replay::journal(replay.queues.another().await);
    let lambda = Lambda::start(&files).await;
    let event = json!({"command": "replay", "queue": queue, "why": "w"});
    let error = lambda.invoke("1", LONG, event).await.expect_err("a failure");
    assert!(error.to_string().contains("REPLAYS_TABLE"), "{error}");
    assert_eq!(replay.queues.depth().await, (1, 0));
}

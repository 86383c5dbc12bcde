//! Whose trace a message belongs to.

use serde_json::json;

use super::Host;
use super::dead_letter::Dead;
use super::fixture::{Sent, message};
use super::scenario::{Scenario, groups};

const ATTRIBUTE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn named(sent: Sent) -> Sent {
    sent.with_text("traceparent", &format!("00-{ATTRIBUTE}-00f067aa0ba902b7-01"))
}

fn by_aws(sent: Sent) -> Sent {
    let header = "Root=1-67891233-abcdef012345678912345678;Parent=463ac35c9f6413ad;Sampled=1";
    Sent { trace_header: Some(header.to_owned()), ..sent }
}

pub(crate) async fn a_dead_letter_names_its_senders_trace(host: Host) {
    let bad = |id| message(id, id, &json!(["reject"]));
    let messages = [named(bad("a")), by_aws(bad("b")), named(by_aws(bad("c"))), bad("d")];
    let aws = "67891233abcdef012345678912345678";
    let traces = [Some(ATTRIBUTE), Some(aws), Some(ATTRIBUTE), None];
    let dead = messages.iter().zip(traces).map(|(sent, trace)| Dead {
        trace_id: trace.map(str::to_owned),
        ..Dead::of(sent, "scripted_reject", "as scripted", 1)
    });
    Scenario {
        dead: dead.collect(),
        messages: messages.into(),
        groups: groups(&[
            ("a", &["a: reject"]),
            ("b", &["b: reject"]),
            ("c", &["c: reject"]),
            ("d", &["d: reject"]),
        ]),
        ..Scenario::default()
    }
    .check(host)
    .await;
}

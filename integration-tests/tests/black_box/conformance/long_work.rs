//! Work that takes long, and work that never ends.

use std::time::Duration;

use serde_json::json;

use super::Host;
use super::fixture::message;
use super::scenario::{Scenario, groups};
use super::verdicts::dead_at_the_last_delivery;

/// In a Lambda, whose queue keeps messages invisible for longer than the function may run, this shows that
/// nothing but the invocation's deadline ends its work.
pub(crate) async fn work_longer_than_the_visibility_is_done_once(host: Host) {
    Scenario {
        messages: vec![
            message("g", "a", &json!([{"slow": 6}])),
            message("g", "b", &json!(["ack"])),
        ],
        settings: vec![("QUEUE_VISIBILITY_SECONDS", "2")],
        groups: groups(&[("g", &["a: ack", "b: ack"])]),
        ..Scenario::default()
    }
    .check(host)
    .await;
}

pub(crate) async fn work_that_hangs_is_cut_off_and_retried(host: Host) {
    Scenario {
        messages: vec![
            message("g", "a", &json!(["hang", "ack"])),
            message("h", "b", &json!(["ack"])),
        ],
        limit: Duration::from_secs(3),
        groups: groups(&[("g", &["a: no end", "a: ack"]), ("h", &["b: ack"])]),
        ..Scenario::default()
    }
    .check(host)
    .await;
}

pub(crate) async fn work_that_hangs_to_the_end_is_in_the_dead_letter(host: Host) {
    let detail = "the handler was cut off";
    let scenario = dead_at_the_last_delivery("hang", "a: no end", "handler_timed_out", detail);
    Scenario { limit: Duration::from_secs(3), ..scenario }.check(host).await;
}

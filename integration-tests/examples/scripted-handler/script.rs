//! The script of a message.

use std::{future::pending, path::PathBuf, time::Duration};

use runtime::sqs::{Delivery, Reject, Retry, Verdict};
use serde::Deserialize;
use tokio::time::sleep;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Script {
    id: String,
    /// By delivery; the last counts for all later ones, too.
    steps: Vec<Step>,
}

/// What to do with one delivery.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    Ack,
    /// After the usual backoff.
    Retry,
    /// After so many seconds.
    RetryAfter(u64),
    Reject,
    Panic,
    Hang,
    /// Acknowledge after so many seconds.
    Slow(u64),
    /// Acknowledge once the file exists.
    Await(PathBuf),
    /// Give no verdict at all, which only a batch handler can do.
    Omit,
    /// Acknowledge if the file exists; else a dependency is unavailable.
    Needs(PathBuf),
}

/// One delivery of a message.
#[derive(Debug)]
pub(crate) struct ScriptedMessage {
    pub(crate) id: String,
    pub(crate) group: String,
    /// How many there were, this one included.
    pub(crate) number: u32,
    pub(crate) step: Step,
}

impl ScriptedMessage {
    pub(crate) fn decode(delivery: &Delivery) -> Result<Self, Reject> {
        let unreadable = |detail: String| Reject::new("unreadable", detail);
        let body = delivery.redeemed().unwrap_or(delivery.body());
        let script: Script =
            serde_json::from_str(body).map_err(|error| unreadable(error.to_string()))?;
        let number = delivery.attempt();
        let place = usize::try_from(number).unwrap_or(usize::MAX).saturating_sub(1);
        let step = script.steps.get(place).or(script.steps.last());
        let step = step.cloned().ok_or_else(|| unreadable("it has no steps".to_owned()))?;
        let group = delivery.group_id().unwrap_or_default().to_owned();
        Ok(Self { id: script.id, group, number, step })
    }
}

impl Step {
    /// `None` is no verdict.
    #[expect(clippy::panic, reason = "a message scripts it")]
    pub(crate) async fn take(&self) -> Option<Verdict> {
        let retry = Retry::new("scripted_retry", "as scripted");
        Some(match self {
            Self::Ack => Verdict::Ack,
            Self::Retry => retry.into(),
            Self::RetryAfter(seconds) => retry.after(Duration::from_secs(*seconds)).into(),
            Self::Reject => Reject::new("scripted_reject", "as scripted").into(),
            Self::Panic => panic!("a panic, as scripted"),
            Self::Hang => pending().await,
            Self::Slow(seconds) => {
                sleep(Duration::from_secs(*seconds)).await;
                Verdict::Ack
            }
            Self::Await(file) => {
                while !file.exists() {
                    sleep(Duration::from_millis(20)).await;
                }
                Verdict::Ack
            }
            Self::Omit => return None,
            Self::Needs(file) if file.exists() => Verdict::Ack,
            Self::Needs(_) => {
                Retry::unavailable("dependency_unavailable", "the file is missing").into()
            }
        })
    }
}

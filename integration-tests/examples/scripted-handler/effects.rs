//! What was done, for the tests to read: one JSON object a line, appended at once.

use std::{
    fs::{File, OpenOptions},
    io::Write as _,
    path::Path,
    sync::{Mutex, PoisonError},
};

use anyhow::Context as _;
use runtime::{Clock as _, SystemClock, sqs::Verdict};
use serde_json::json;
use tracing::error;

use crate::script::ScriptedMessage;

pub(crate) struct Effects(Mutex<File>);

impl Effects {
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let file = OpenOptions::new().append(true).create(true).open(path);
        let file = file.with_context(|| format!("EFFECTS_FILE {}", path.display()))?;
        Ok(Self(Mutex::new(file)))
    }

    pub(crate) fn began(&self, delivery: &ScriptedMessage, batch: usize) {
        self.append(delivery, batch, "began");
    }

    pub(crate) fn ended(
        &self,
        delivery: &ScriptedMessage,
        batch: usize,
        verdict: Option<&Verdict>,
    ) {
        let end = match verdict {
            Some(Verdict::Ack) => "ack",
            Some(Verdict::Retry(_)) => "retry",
            Some(Verdict::Reject(_)) => "reject",
            None => "omitted",
        };
        self.append(delivery, batch, end);
    }

    fn append(&self, delivery: &ScriptedMessage, batch: usize, what: &str) {
        let ScriptedMessage { id, group, number, .. } = delivery;
        let line = json!({
            "id": id, "group": group, "delivery": number, "batch": batch, "what": what,
            "at_ms": SystemClock.now().timestamp_millis(),
        });
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = file.write_all(format!("{line}\n").as_bytes()) {
            error!(%error, "an effect was not written down: its test will miss it");
        }
    }
}

//! What an edit would change: shown before it is made.

use aws_sdk_s3::Client;
use schemars::JsonSchema;
use serde::Serialize;

use crate::dead_letter::DeadLetter;
use crate::edit::{EditFailure, Editor, diff};
use crate::replay::Targets;

/// Messages whose changes are shown.
pub(super) const MOST_CHANGES: usize = 3;

/// What `replay --dry-run` shows of an edit of one message.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Change {
    pub(crate) message_id: String,
    /// The lines that change; none if it fails, or changes nothing.
    pub(crate) diff: Option<String>,
    /// The id of the new event.
    event_id: Option<String>,
    /// Why it would not be sent.
    pub(crate) failure: Option<String>,
}

/// What the editor would do to each message that has a target.
pub(super) async fn changes(
    editor: &Editor,
    s3: &Client,
    targets: &Targets,
    dead_letters: &[DeadLetter],
) -> Vec<Change> {
    let mut changes = Vec::new();
    for dead_letter in dead_letters {
        let Ok(target) = targets.of(&dead_letter.summary) else { continue };
        let most = target.most_bytes.saturating_sub(dead_letter.attribute_bytes());
        let edited = editor.edit(dead_letter, most, s3).await;
        let message_id = dead_letter.summary.message_id.clone();
        let failure = edited.as_ref().err().map(EditFailure::to_string);
        let edited = edited.ok().flatten();
        let diff = edited.as_ref().map(|edited| diff(&edited.before, &edited.after));
        let event_id = edited.and_then(|edited| edited.event_id);
        changes.push(Change { message_id, diff, event_id, failure });
    }
    changes
}

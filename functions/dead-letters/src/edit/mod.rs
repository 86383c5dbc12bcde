//! Edits of dead letters, before they are replayed.
//!
//! An edit changes what it names and leaves every other byte as it was. Its result is checked before it is
//! sent, and an edited event has a new id: see [`identity`].

mod arguments;
mod check;
mod claimed;
mod diff;
mod identity;
mod interactive;
mod members;
mod merge;
mod patch;
mod program;

pub(crate) use arguments::EditArguments;
pub(crate) use claimed::Apart;
pub(crate) use diff::diff;
pub(crate) use program::{is_child, serve};

use std::borrow::Cow;

use aws_sdk_s3::Client;
use check::Check;
use claimed::{Sent, sent, whole};
use identity::{Identified, identified};
use interactive::Interactive;
use json_patch::Patch;
use messages::Attribute;
use objects::claim_check::{ATTRIBUTE, sha256};
use program::Program;

use crate::claimed_body::fetch;
use crate::dead_letter::DeadLetter;

/// Edits messages, and checks the results.
pub(crate) struct Editor {
    change: Change,
    check: Check,
}

enum Change {
    Patch(Patch),
    Program(Box<Program>),
    Interactive(Interactive),
}

/// An edited message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Edited {
    /// All of the body before and after, also what is in S3: for a [`diff`].
    pub(crate) before: String,
    pub(crate) after: String,
    /// The body to send.
    pub(crate) body: String,
    /// What must be [put](Apart::put) into S3 before that.
    pub(crate) apart: Option<Apart>,
    /// The id of the new event; `None` if it is no event.
    pub(crate) event_id: Option<String>,
    /// The id that the event had.
    pub(crate) old_event_id: Option<String>,
    /// Of the body that the message had in the queue.
    pub(crate) original_sha256: String,
}

/// Why a message is not edited: then it is not sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EditFailure {
    #[error("its body is no JSON: {0}")]
    NotJson(#[source] serde_json::Error),
    #[error("{0}")]
    Refused(String),
    #[error("the editor: {0}")]
    Editor(#[source] std::io::Error),
    #[error("the edited body is not valid: {0}")]
    Invalid(String),
    #[error(
        "its type has no schema here: name one by `--schema FILE`, or allow it by `--no-schema`"
    )]
    NoSchema,
    #[error("the edited body has {size} bytes, and its queue takes {most}")]
    TooLarge { size: usize, most: usize },
    #[error("its body is in S3: {0}")]
    Claimed(String),
}

impl Editor {
    /// `None` if nothing is to be edited.
    pub(crate) fn from_arguments(arguments: &EditArguments) -> anyhow::Result<Option<Self>> {
        let change = if let Some(patch) = &arguments.edit_patch {
            Change::Patch(patch.clone())
        } else if let Some(source) = &arguments.edit_jq {
            Change::Program(Box::new(source.program()))
        } else if arguments.edit {
            Change::Interactive(Interactive::from_environment()?)
        } else {
            return Ok(None);
        };
        Ok(Some(Self { change, check: Check::new(arguments) }))
    }

    /// Whether a person edits on the terminal, where nothing else should appear meanwhile.
    pub(crate) fn is_interactive(&self) -> bool {
        matches!(self.change, Change::Interactive(_))
    }

    /// How it edits, for the ledger.
    pub(crate) fn name(&self) -> &'static str {
        match self.change {
            Change::Patch(_) => "json-patch",
            Change::Program(_) => "jq",
            Change::Interactive(_) => "editor",
        }
    }

    /// Edits a message whose body may have `most` bytes; `None` if that changes nothing. It sends nothing,
    /// and puts nothing into S3.
    pub(crate) async fn edit(
        &self,
        dead_letter: &DeadLetter,
        most: usize,
        s3: &Client,
    ) -> Result<Option<Edited>, EditFailure> {
        let body = &dead_letter.body;
        let before = match &dead_letter.claim_check {
            Some(reference) => {
                let content = fetch(s3, reference).await.map_err(EditFailure::Claimed)?;
                Cow::Owned(whole(body, &content))
            }
            None => Cow::Borrowed(body.as_str()),
        };
        let after = match &self.change {
            Change::Patch(patch) => patch::apply(patch, &before)?,
            Change::Program(program) => program.apply(&before).await?,
            Change::Interactive(editor) => editor.apply(&before).await?,
        };
        if after == before {
            return Ok(None);
        }
        let Identified { body: after, old, new } = identified(&before, after);
        let sent = match &dead_letter.claim_check {
            Some(reference) => sent(after.clone(), body, reference, most.min(events::MAX_BYTES)),
            None => Sent::inline(after.clone()),
        };
        if sent.body.len() > most {
            return Err(EditFailure::TooLarge { size: sent.body.len(), most });
        }
        self.check.check(&after, &sent)?;
        Ok(Some(Edited {
            before: before.into_owned(),
            after,
            body: sent.body,
            apart: sent.apart,
            event_id: new,
            old_event_id: old,
            original_sha256: sha256(body.as_bytes()),
        }))
    }
}

impl Edited {
    /// Makes the change in the message that is sent.
    pub(crate) fn apply_to(&self, dead_letter: &mut DeadLetter) {
        dead_letter.body.clone_from(&self.body);
        dead_letter.summary.body_bytes = self.body.len();
        dead_letter.claim_check = self.apart.as_ref().map(|apart| apart.reference.clone());
        dead_letter.attributes.remove(ATTRIBUTE);
        if let Some(reference) = &dead_letter.claim_check {
            let value = reference.to_json();
            let attribute = Attribute { data_type: "String".to_owned(), value };
            dead_letter.attributes.insert(ATTRIBUTE.to_owned(), attribute);
        }
    }
}

#[cfg(test)]
mod tests;

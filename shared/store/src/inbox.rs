//! What goes in and what becomes of it: the vocabulary of the write path.

use domain::{Action, Command, Refusal, Version};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What identifies a command within its tenant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandKey {
    /// Who sent it, at most 200 characters: a producer's CloudEvents `source`, or the HTTP API.
    pub source: String,
    /// Its identifier there, at most 128 characters.
    pub id: String,
}

/// A command on its way in.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// What identifies it.
    pub key: CommandKey,
    /// What it asks.
    pub command: Command,
    /// The sender's W3C trace context, handed on to the facts that follow.
    pub traceparent: Option<String>,
    /// The fingerprint of the whole request that it is a part of, if there is more to it: then a
    /// repeat is only who repeats all of it.
    pub request: Option<Fingerprint>,
}

impl Incoming {
    /// What tells a repeat from another command under the same key.
    pub(crate) fn fingerprint(&self) -> Result<Fingerprint, serde_json::Error> {
        let command = fingerprint(&self.command)?;
        Ok(match self.request {
            None => command,
            Some(request) => {
                Sha256::new().chain_update(request).chain_update(command).finalize().into()
            }
        })
    }
}

/// What became of a command. A repeat of the command gets the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It took effect, or the task was as asked already: the task's version after it.
    Applied {
        /// The task's version after the command.
        version: Version,
    },
    /// It was refused and changed nothing.
    Refused(Refusal),
    /// Its key was used before, by a request that asks something else.
    KeyReused,
    /// Its task, or what was recorded of it before, cannot be read from the database. It changed
    /// nothing, and may be applied again once the row is repaired.
    Unreadable,
}

/// What the inbox records of a request: the one type that writes and reads its column `outcome`, so
/// that whoever looks a key up can read what any other request recorded under it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Recorded {
    /// The command took effect, or the task was as asked already.
    Applied {
        /// The task's version after the command.
        version: Version,
    },
    /// The command was refused.
    Refused(Refusal),
    /// The request deleted an attachment.
    Deleted,
}

impl From<Recorded> for Outcome {
    /// To a command, a key of a deletion is one that was used by another request.
    fn from(recorded: Recorded) -> Self {
        match recorded {
            Recorded::Applied { version } => Self::Applied { version },
            Recorded::Refused(refusal) => Self::Refused(refusal),
            Recorded::Deleted => Self::KeyReused,
        }
    }
}

/// A digest of what a command asks, to tell a repeat from another command under the same key.
pub type Fingerprint = [u8; 32];

/// The fingerprint of a command. A create does not count its task's identifier: over HTTP we choose
/// it, anew for each request, and a repeat must still find the task that the first request created.
///
/// # Errors
/// None in practice: a command is always JSON.
pub fn fingerprint(command: &Command) -> Result<Fingerprint, serde_json::Error> {
    let mut digest = Sha256::new();
    if !matches!(command.action, Action::Create(_)) {
        digest.update(command.task.as_uuid());
    }
    digest.update(serde_json::to_vec(&command.action)?);
    Ok(digest.finalize().into())
}

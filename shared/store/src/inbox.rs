//! What goes in and what becomes of it: the vocabulary of the write path.

use std::collections::BTreeSet;

use domain::{Action, Actor, Command, Refusal, Task, Version};
use events::{CommandEvent, Source};
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
    /// The command.
    pub command: Command,
    /// The caller whose request it is, and to whom its key belongs, if it comes from the HTTP API.
    pub caller: Option<Actor>,
    /// The sender's W3C trace context, handed on to the facts that follow.
    pub traceparent: Option<String>,
    /// The fingerprint of the whole request that it is a part of, if there is more to it: then a
    /// repeat is only who repeats all of it.
    pub request: Option<Fingerprint>,
}

impl From<CommandEvent> for Incoming {
    /// A command that is its whole request.
    fn from(event: CommandEvent) -> Self {
        Self {
            key: CommandKey {
                source: event.source.into(),
                id: event.idempotency_key.unwrap_or(event.id).into(),
            },
            command: event.command,
            caller: event.caller,
            traceparent: event.traceparent,
            request: None,
        }
    }
}

/// What identifies a request of a caller: its idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestKey {
    /// The key, as it is looked up and recorded first.
    pub key: CommandKey,
    /// To whom it belongs: another caller's key of the same name is another one.
    pub caller: Actor,
}

impl Incoming {
    /// Under what it is recorded if its key is another caller's.
    pub(crate) fn own_key(&self) -> Option<CommandKey> {
        let id = self.caller.as_ref()?.own_key(&self.key.id);
        Some(CommandKey { source: self.key.source.clone(), id })
    }

    /// Who did it: the caller, or the producer. Of a request from before callers were recorded, nobody.
    pub(crate) fn actor(&self) -> Option<&str> {
        let caller = self.caller.as_ref().map(Actor::as_str);
        caller.or_else(|| (self.key.source != Source::HTTP).then_some(self.key.source.as_str()))
    }

    /// What distinguishes a repeat from another command under the same key.
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

/// The tenants of `batch`, as row-level security wants them in `app.tenants`.
pub(crate) fn tenants(batch: &[Incoming]) -> String {
    let tenants: BTreeSet<_> = batch.iter().map(|one| one.command.tenant.as_str()).collect();
    tenants.into_iter().collect::<Vec<_>>().join(",")
}

/// What became of a command. A repeat of the command gets the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It took effect, or the task was so already: the task's version after it.
    Applied {
        /// The task's version after the command.
        version: Version,
    },
    /// It was refused and changed nothing.
    Refused(Refusal),
    /// Its key was used before, by another request.
    KeyReused,
    /// Its task, or what was recorded of it before, cannot be read from the database. It changed
    /// nothing, and may be applied again once the row is repaired.
    Unreadable,
}

/// What became of one command of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// What became of it, now or when it was first processed.
    pub outcome: Outcome,
    /// Whether it was processed before (or stood earlier in the batch).
    pub repeated: bool,
    /// The task after this command, if there is or was one. When repeated: the task that the first
    /// one was about, as it is now.
    pub task: Option<Task>,
}

/// What the inbox records of a request: the one type that writes and reads its column `outcome`, so
/// that whoever looks a key up can read what any other request recorded under it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Recorded {
    /// The command took effect, or the task was so already.
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

/// A digest of a command, to distinguish a repeat from another command under the same key.
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

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    use super::*;

    /// Of a command, given by its data in JSON, in hexadecimal digits.
    fn of<T: DeserializeOwned>(action: fn(T) -> Action, data: Value) -> String {
        let command = Command {
            tenant: "acme".parse().unwrap(),
            task: "0192f1a0-7c3e-7b44-9a53-3a1d0d4f5e10".parse().unwrap(),
            action: action(serde_json::from_value(data).unwrap()),
        };
        fingerprint(&command).unwrap().iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }

    /// A new optional member must not count where it is absent: a repeat of a command that was
    /// processed before it existed would be taken for another command. So these never change.
    #[test]
    fn the_fingerprint_of_each_kind_of_command_never_changes() {
        let full = json!({
            "title": "Buy milk", "description": "Two litres", "priority": "high",
            "assignee": "ann@example.org", "due_date": "2026-02-01", "tags": ["home", "shop"],
        });
        let cleared = json!({"patch": {"description": null, "assignee": null, "due_date": null}});
        let (tags, expected) = (json!({"tags": ["home"]}), json!({"expected_version": 3}));
        let found = [
            of(Action::Create, json!({"title": "Buy milk"})),
            of(Action::Create, full.clone()),
            of(Action::Update, json!({"patch": {}})),
            of(Action::Update, json!({"expected_version": 3, "patch": full})),
            of(Action::Update, cleared),
            of(Action::Assign, json!({"assignee": "ann@example.org"})),
            of(Action::Complete, json!({})),
            of(Action::Complete, expected),
            of(Action::Reopen, json!({})),
            of(Action::Cancel, json!({})),
            of(Action::Delete, json!({})),
            of(Action::Tag, tags.clone()),
            of(Action::Untag, tags),
        ];
        assert_eq!(found, GOLDEN, "{found:#?}");
    }

    const GOLDEN: [&str; 13] = [
        "95451e9284c4f72067e384333e900e17a2657fd7b1fe3f8f6faa1172f66e4f77",
        "a710537b0662c2f2810d7cd3910ba94b713f89798077b20259c6258a166c4bdf",
        "b39317b0c20fbd18d67a0007aa049ae455978250ded0a2618ba8bf5807dadbfe",
        "8893a70f049f4015f678e351b22aa73de5bba5720183d8807d9a2ffa601fe525",
        "f322ff11042a7dd093e5602919b0819f7c33ea05d1bdce679d214e7b962a525b",
        "8c32a7fc3a18cf8e5a810cf8ecdb8e458c439440daf07772b005cd59e1dcdf18",
        "024d9b7916557262333636d63eae746de7a0d8ad91645df2c1e36ffa08e2daef",
        "d863264c703869dd8cebb3a7b17ba98294aa347a90fef751e9680b84383166d8",
        "e7419f720c755f62986c8f06599045e18a8a5f78f71092b72a56dfef161b97a2",
        "cbc2e7491bbaa7c8809baadb6b1610dbf0b673b8137837fef8cb153ee12a699e",
        "3124c2cbfa02b863349c0cfd3c3d3827f882616c96ffb36442325b61f2cb3b86",
        "0d45df8210e52cdf72a4d9a952c4863d7c66a256609fe55c3e70c12483a9bccf",
        "64742cfd1af20a6d38b5d4b748b8d8c215b15cf4eab23bd07e9f69c3f0694c32",
    ];

    #[test]
    fn what_is_spelt_in_another_way_is_the_same() {
        let plain = of(Action::Create, json!({"title": "Buy milk"}));
        let spelt = json!({
            "tags": [], "assignee": null, "description": null, "due_date": null,
            "priority": "normal", "title": "Buy milk",
        });
        assert_eq!(plain, of(Action::Create, spelt));
        let with = |version: Value| of(Action::Complete, json!({ "expected_version": version }));
        assert_eq!(with(json!(3)), with(json!(3.0)));
        assert_ne!(with(json!(3)), with(Value::Null));
    }
}

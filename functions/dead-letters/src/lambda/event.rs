//! What an event asks for: the same as a command line, and read by the same parser.

use std::collections::BTreeMap;

use anyhow::Result;
use clap::ValueEnum as _;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::arguments::{ReplayArguments, parse_replay};
use crate::filter::Kind;

/// An event for the Lambda `dead-letters`.
///
/// Each member means what the option of its name means on the command line.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
#[schemars(title = "Event of dead-letters")]
pub(crate) struct Event {
    command: Command,
    /// The dead-letter queue's name or URL; all but `resume` needs it
    queue: Option<String>,
    /// Why, for the ledger; all but `resume` needs it
    why: Option<String>,
    /// The queue to send to, if not the one that each message was in
    to: Option<String>,
    /// Which messages: the options of the command line, each with a value or several
    #[serde(default)]
    filters: BTreeMap<Kind, Values>,
    /// Not those that a filter fits, as in `reason=malformed_json`
    #[serde(default)]
    not: Vec<String>,
    /// So many messages at most
    limit: Option<u64>,
    /// So many, chosen at random
    sample: Option<u32>,
    /// So many first, and the others only if none of them comes back
    canary: Option<u64>,
    /// So many in each stage, which are canaries all
    #[serde(default)]
    ramp: Vec<u64>,
    /// How long to wait for what becomes of a canary, such as `90s`
    wait: Option<String>,
    /// Go on after that time if none came back
    #[serde(default)]
    accept_silence: bool,
    /// So many messages a second at most
    rate: Option<u32>,
    /// Replay a message of a FIFO group even if an earlier one is not replayed
    #[serde(default)]
    reorder: bool,
    /// Edit each body by a jq program, which has one output
    edit_jq: Option<String>,
    /// Edit each body by a JSON Patch (RFC 6902)
    edit_patch: Option<Vec<Value>>,
    /// The JSON Schema of edited bodies. Events of task-app are checked without one
    schema: Option<Map<String, Value>>,
    /// Do not check edited bodies that are no events of task-app
    #[serde(default)]
    no_schema: bool,
    /// Say what would be replayed, and change nothing
    #[serde(default)]
    dry_run: bool,
    /// The run to go on with
    resume: Option<String>,
    /// The process of the run that is resumed has certainly ended
    #[serde(default)]
    take_over: bool,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Command {
    Replay,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Values {
    One(String),
    Several(Vec<String>),
}

impl Event {
    /// As a command line, and its words.
    ///
    /// # Errors
    /// When the command line would be wrong. The error says where.
    pub(super) fn command_line(&self) -> Result<(ReplayArguments, Vec<String>)> {
        let Command::Replay = self.command;
        let mut words = vec!["replay".to_owned()];
        words.extend(self.options().map(|(name, value)| format!("--{name}={value}")));
        let flags = [
            ("accept-silence", self.accept_silence),
            ("reorder", self.reorder),
            ("no-schema", self.no_schema),
            ("dry-run", self.dry_run),
            ("take-over", self.take_over),
        ];
        words.extend(
            flags.iter().filter(|(_, is_set)| *is_set).map(|(name, _)| format!("--{name}")),
        );
        // A name may begin like an option.
        words.extend(self.queue.iter().flat_map(|queue| ["--".to_owned(), queue.clone()]));
        Ok((parse_replay(&words)?, words))
    }

    fn options(&self) -> impl Iterator<Item = (String, String)> {
        let ramp: Vec<_> = self.ramp.iter().map(ToString::to_string).collect();
        let texts = [
            ("why", self.why.clone()),
            ("to", self.to.clone()),
            ("limit", self.limit.map(|limit| limit.to_string())),
            ("sample", self.sample.map(|sample| sample.to_string())),
            ("canary", self.canary.map(|canary| canary.to_string())),
            ("ramp", (!ramp.is_empty()).then(|| ramp.join(","))),
            ("wait", self.wait.clone()),
            ("rate", self.rate.map(|rate| rate.to_string())),
            ("edit-jq", self.edit_jq.clone()),
            ("edit-patch", self.edit_patch.as_ref().map(|patch| json!(patch).to_string())),
            ("schema", self.schema.as_ref().map(|schema| json!(schema).to_string())),
            ("resume", self.resume.clone()),
        ];
        let texts = texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?)));
        let not = self.not.iter().map(|text| ("not".to_owned(), text.clone()));
        texts.chain(self.filters.iter().flat_map(named)).chain(not)
    }
}

/// Each value with the name of its option.
fn named((kind, values): (&Kind, &Values)) -> Vec<(String, String)> {
    let name = kind.to_possible_value().map(|name| name.get_name().to_owned());
    let values = match values {
        Values::One(value) => std::slice::from_ref(value),
        Values::Several(values) => values,
    };
    values.iter().map(|value| (name.clone().unwrap_or_default(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(event: Value) -> Result<Vec<String>> {
        Ok(serde_json::from_value::<Event>(event)?.command_line()?.1)
    }

    #[test]
    fn an_event_is_a_command_line() {
        let event = json!({
            "command": "replay", "queue": "-orders-dlq", "why": "INC-7: back", "limit": 100,
            "filters": {"reason": ["busy", "-"], "older-than": "1h"}, "not": ["tenant=acme"],
            "ramp": [1, 5], "wait": "90s", "rate": 20, "accept_silence": true,
        });
        let expected = [
            "replay",
            "--why=INC-7: back",
            "--limit=100",
            "--ramp=1,5",
            "--wait=90s",
            "--rate=20",
            "--reason=busy",
            "--reason=-",
            "--older-than=1h",
            "--not=tenant=acme",
            "--accept-silence",
            "--",
            "-orders-dlq",
        ];
        assert_eq!(read(event).unwrap(), expected);
        let edit = json!({
            "command": "replay", "queue": "q", "sample": 5, "dry_run": true, "no_schema": true,
            "edit_patch": [{"op": "remove", "path": "/a"}],
        });
        let patch = r#"--edit-patch=[{"op":"remove","path":"/a"}]"#;
        let expected = ["replay", "--sample=5", patch, "--no-schema", "--dry-run", "--", "q"];
        assert_eq!(read(edit).unwrap(), expected);
        let edit = json!({
            "command": "replay", "queue": "q", "why": "w", "edit_jq": ".a = \"b\"", "schema": {"type": "object"},
        });
        let expected = [
            "replay",
            "--why=w",
            "--edit-jq=.a = \"b\"",
            r#"--schema={"type":"object"}"#,
            "--",
            "q",
        ];
        assert_eq!(read(edit).unwrap(), expected);
        let resume = json!({"command": "replay", "resume": "01932e7c", "take_over": true});
        assert_eq!(read(resume).unwrap(), ["replay", "--resume=01932e7c", "--take-over"]);
    }

    #[test]
    fn a_mistake_is_an_error_that_names_it() {
        for (event, expected) in [
            (json!({"command": "purge", "queue": "q"}), "unknown variant `purge`"),
            (json!({"command": "replay", "queue": "q"}), "--why"),
            (json!({"command": "replay", "queue": "q", "why": "w", "speed": 1}), "unknown field"),
            (json!({"command": "replay", "queue": "a b", "why": "w"}), "  a b\n"),
            (
                json!({"command": "replay", "queue": "q", "why": "w", "filters": {"body": "("}}),
                "unclosed group",
            ),
            (
                json!({"command": "replay", "queue": "q", "why": "w", "edit_jq": ".a |"}),
                "no jq program",
            ),
            (json!({"command": "replay", "resume": "r", "canary": 1}), "cannot be used with"),
            (json!({"command": "replay", "resume": "r", "edit_jq": "."}), "cannot be used with"),
            (
                json!({"command": "replay", "queue": "q", "why": "w", "filters": {"x": "y"}}),
                "unknown variant `x`",
            ),
            (
                json!({"command": "replay", "queue": "q", "why": "w", "resume": "r"}),
                "cannot be used with",
            ),
        ] {
            let error = format!("{:#}", read(event).unwrap_err());
            assert!(error.contains(expected), "{expected}: {error}");
        }
    }
}

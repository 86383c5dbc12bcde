//! What the page asks for, as the command line that the ledger keeps.

use axum::Json;
use axum::extract::FromRequest;
use serde::Deserialize;

use crate::arguments::{ReplayArguments, parse_replay};
use crate::serve::problem::Problem;
use crate::serve::selection::{queue as name_only, selection, words};

/// No option that names a file of this machine is among these.
#[derive(Debug, Default, Deserialize, FromRequest)]
#[serde(default, deny_unknown_fields)]
#[from_request(via(Json), rejection(Problem))]
pub(super) struct Asked {
    filters: String,
    why: Option<String>,
    to: Option<String>,
    canary: Option<u64>,
    ramp: bool,
    wait: Option<String>,
    rate: Option<u32>,
}

impl Asked {
    /// As a command line, and its words.
    pub(super) fn command_line(
        &self,
        queue: &str,
        dry_run: bool,
    ) -> Result<(ReplayArguments, Vec<String>), Problem> {
        // Only filters, and only names of queues.
        selection(queue, &self.filters)?;
        self.to.as_deref().map(name_only).transpose()?;
        let options = [
            ("why", self.why.clone()),
            ("to", self.to.clone()),
            ("canary", self.canary.map(|number| number.to_string())),
            ("wait", self.wait.clone()),
            ("rate", self.rate.map(|number| number.to_string())),
        ];
        let options = options
            .iter()
            .filter_map(|(name, value)| Some(format!("--{name}={}", value.as_ref()?)));
        let flags = [("--ramp", self.ramp), ("--dry-run", dry_run)];
        let flags = flags.iter().filter(|(_, is_set)| *is_set).map(|(name, _)| (*name).to_owned());
        let mut line = vec!["replay".to_owned()];
        line.extend(options.chain(flags));
        line.extend(words(&self.filters)?);
        // A name may begin like an option.
        line.extend(["--".to_owned(), queue.to_owned()]);
        let arguments = parse_replay(&line);
        let arguments = arguments.map_err(|error| Problem::command_line(&error.to_string()))?;
        Ok((arguments, line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words_of(asked: &str, dry_run: bool) -> Result<String, String> {
        let asked: Asked = serde_json::from_str(asked).map_err(|error| error.to_string())?;
        let line = asked.command_line("orders-dlq", dry_run);
        line.map(|(_, words)| words.join(" ")).map_err(|problem| problem.detail().to_owned())
    }

    #[test]
    fn it_is_a_command_line() {
        let asked = r#"{"filters": "--reason 'a b'", "why": "INC-7", "canary": 5, "rate": 9}"#;
        let line = "replay --why=INC-7 --canary=5 --rate=9 --reason a b -- orders-dlq";
        assert_eq!(words_of(asked, false).as_deref(), Ok(line));
        let line = "replay --ramp --dry-run -- orders-dlq";
        assert_eq!(words_of(r#"{"ramp": true}"#, true).as_deref(), Ok(line));
    }

    #[test]
    fn what_is_no_filter_and_what_is_wrong_is_refused() {
        for (asked, says) in [
            (r#"{"filters": "--edit"}"#, "--edit"),
            (r#"{"filters": "--journal /etc", "why": "x"}"#, "--journal"),
            (r#"{"filters": "other", "why": "x"}"#, "other"),
            (r#"{"why": ""}"#, "--why"),
            ("{}", "--why"),
            (r#"{"why": "x", "canary": 0}"#, "canary"),
            (r#"{"why": "x", "to": "a b"}"#, "  a b\n"),
            (r#"{"why": "x", "to": "https://evil.example/1/q"}"#, "no URL"),
            (r#"{"why": "x", "resume": "y"}"#, "unknown field"),
        ] {
            let error = words_of(asked, false).unwrap_err();
            assert!(error.contains(says), "{asked}: {error}");
        }
    }
}

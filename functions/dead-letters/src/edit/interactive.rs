//! An edit by a person, in the editor of their choice.

use std::env::var_os;
use std::ffi::OsString;
use std::fs;

use anyhow::Result;
use tempfile::Builder;
use tokio::process::Command;
use tokio::sync::Mutex;

use super::{EditFailure, merge};
use crate::mistake::Mistake;
use crate::output::indented;

/// The command that opens a file, as `git` and others run it.
pub(super) struct Interactive {
    command: OsString,
    /// One body at a time is on the screen: whoever holds it. None is any more once an editor has failed.
    turn: Mutex<Turn>,
}

#[derive(Default)]
enum Turn {
    #[default]
    Next,
    GivenUp,
}

impl Interactive {
    pub(super) fn from_environment() -> Result<Self, Mistake> {
        let names = ["VISUAL", "EDITOR"];
        let command = names.into_iter().filter_map(var_os).find(|command| !command.is_empty());
        let missing = || Mistake::new("`--edit` needs an editor: set VISUAL or EDITOR");
        Ok(Self::with(command.ok_or_else(missing)?))
    }

    fn with(command: OsString) -> Self {
        Self { command, turn: Mutex::default() }
    }

    pub(super) async fn apply(&self, body: &str) -> Result<String, EditFailure> {
        let mut turn = self.turn.lock().await;
        if matches!(*turn, Turn::GivenUp) {
            return Err(EditFailure::Refused("the editor was ended by an error before".to_owned()));
        }
        let json = indented(body);
        let shown = json.as_deref().unwrap_or(body).to_owned() + "\n";
        let suffix = if json.is_some() { ".json" } else { ".txt" };
        let written = self.edited(&shown, suffix).await.map_err(|error| {
            *turn = Turn::GivenUp;
            EditFailure::Editor(error)
        })?;
        if written == shown {
            return Ok(body.to_owned());
        }
        let written = written.strip_suffix('\n').unwrap_or(&written);
        let are_json = json.is_some() && indented(written).is_some();
        Ok(if are_json { merge::by_text(body, written) } else { written.to_owned() })
    }

    /// What the editor leaves. The file is for nobody else, and is removed in any case.
    async fn edited(&self, shown: &str, suffix: &str) -> Result<String, std::io::Error> {
        let file = Builder::new().prefix("dead-letter-").suffix(suffix).tempfile()?;
        fs::write(file.path(), shown)?;
        let mut command = self.command.clone();
        command.push(" \"$@\"");
        let mut editor = Command::new("sh");
        editor.arg("-c").arg(command);
        let status = editor.arg("editor").arg(file.path()).kill_on_drop(true).status().await?;
        if !status.success() {
            return Err(std::io::Error::other(format!("it ended with {status}")));
        }
        // By its name: many editors write a new file in its place.
        fs::read_to_string(file.path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn edited(command: &str, body: &str) -> Result<String, EditFailure> {
        Interactive::with(command.into()).apply(body).await
    }

    #[tokio::test]
    async fn what_the_editor_leaves_is_the_body() {
        let body = r#"{"a": 1.50,  "b": [2]}"#;
        assert_eq!(edited("sed -i s/2/3/", body).await.unwrap(), r#"{"a":1.50,"b":[3]}"#);
        assert_eq!(edited("sed -i s/1.50/1.5/", body).await.unwrap(), r#"{"a":1.5,"b":[2]}"#);
        assert_eq!(edited("true", body).await.unwrap(), body, "not touched, and not written anew");
        assert_eq!(
            edited("sed -i 's/cut/cut\"}/'", "{\"a\":\"cut").await.unwrap(),
            "{\"a\":\"cut\"}"
        );
        assert_eq!(edited("true", "text").await.unwrap(), "text");
    }

    #[tokio::test]
    async fn the_file_is_private_and_gone_afterwards() {
        let noted = tempfile::NamedTempFile::new().unwrap();
        let note = noted.path().display();
        let command = format!("note() {{ stat -c '%a %n' \"$1\" > {note}; }}; note");
        edited(&command, "{}").await.unwrap();
        let noted = fs::read_to_string(noted.path()).unwrap();
        let (mode, file) = noted.trim().split_once(' ').unwrap();
        assert_eq!(mode, "600");
        assert!(file.contains(".json") && !fs::exists(file).unwrap(), "{file}");
    }

    #[tokio::test]
    async fn an_editor_that_fails_ends_the_edits() {
        for command in ["false", "/no/such/editor"] {
            assert!(
                matches!(edited(command, "{}").await, Err(EditFailure::Editor(_))),
                "{command}"
            );
        }
        let opened = tempfile::NamedTempFile::new().unwrap();
        let path = opened.path().display();
        let fail = format!("fail() {{ echo x >> {path}; false; }}; fail");
        let editor = Interactive::with(fail.into());
        for _ in 0..3 {
            assert!(editor.apply("{}").await.is_err());
        }
        assert_eq!(fs::read_to_string(opened.path()).unwrap(), "x\n", "it was opened once");
    }
}

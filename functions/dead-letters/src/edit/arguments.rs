//! The options of a command that may edit messages.

use clap::{ArgGroup, Args};
use json_patch::Patch;

use super::check::Schema;
use super::patch;
use super::program::Source;

/// How messages are edited, and how the result is checked.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Edit", group = ArgGroup::new("edits").args(["edit", "edit_patch", "edit_jq"]))]
pub(crate) struct EditArguments {
    /// Edit each body in the editor that VISUAL or EDITOR names
    #[arg(long)]
    pub(super) edit: bool,
    /// Edit each body by the JSON Patch (RFC 6902) in a file, or by this one: `[...]`
    #[arg(long, value_name = "FILE", value_parser = patch::read)]
    pub(super) edit_patch: Option<Patch>,
    /// Edit each body by a jq program, which has one output
    #[arg(long, value_name = "PROGRAM", value_parser = Source::parse)]
    pub(super) edit_jq: Option<Source>,
    /// The JSON Schema of edited bodies in a file, or this one: `{...}`. Events of task-app are checked
    /// without one
    #[arg(long, value_name = "FILE", value_parser = Schema::read, requires = "edits")]
    pub(super) schema: Option<Schema>,
    /// Do not check edited bodies that are no events of task-app
    #[arg(long, requires = "edits", conflicts_with = "schema")]
    pub(super) no_schema: bool,
}

impl EditArguments {
    /// A command line with the contents of its files in place of their names: a run that is resumed,
    /// perhaps on another machine, edits in the same way.
    pub(crate) fn without_files(&self, words: &[String]) -> serde_json::Result<Vec<String>> {
        let patch = self.edit_patch.as_ref().map(serde_json::to_string).transpose()?;
        let schema = self.schema.as_ref().map(Schema::text);
        let contents = [("--edit-patch", patch), ("--schema", schema)];
        let mut words = words.iter();
        let mut whole = Vec::new();
        while let Some(word) = words.next() {
            let (name, is_apart) =
                word.split_once('=').map_or((&**word, true), |(name, _)| (name, false));
            match contents.iter().find(|(option, _)| *option == name) {
                Some((_, Some(content))) => {
                    whole.push(format!("{name}={content}"));
                    if is_apart {
                        words.next();
                    }
                }
                _ => whole.push(word.clone()),
            }
        }
        Ok(whole)
    }
}

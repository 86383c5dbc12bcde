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
    /// Edit each body by the JSON Patch (RFC 6902) in a file
    #[arg(long, value_name = "FILE", value_parser = patch::read)]
    pub(super) edit_patch: Option<Patch>,
    /// Edit each body by a jq program, which has one output
    #[arg(long, value_name = "PROGRAM", value_parser = Source::parse)]
    pub(super) edit_jq: Option<Source>,
    /// The JSON Schema of edited bodies. Events of task-app are checked without one
    #[arg(long, value_name = "FILE", value_parser = Schema::read, requires = "edits")]
    pub(super) schema: Option<Schema>,
    /// Do not check edited bodies that are no events of task-app
    #[arg(long, requires = "edits", conflicts_with = "schema")]
    pub(super) no_schema: bool,
}

//! The JSON Schemas of what `--json` prints, for programs that read it. They are made of the types that
//! are printed, so that they say what is.

use records::replays::{Message, Run};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};
use store::ParkedFact;

use super::{cost, export, import, purge};
use crate::dead_letter::Summary;
use crate::facts::{Retried, ShownFact, Skipped};
use crate::file::Line;
use crate::replay::Replayed;
use crate::report::{DryRun, Grouped, Listing, Shown};

/// A schema for each kind of line, with the name of its file.
pub(crate) fn schemas() -> Vec<(&'static str, Value)> {
    vec![
        schema::<Listing>("queues", "A line of `dead-letters queues --json`"),
        schema::<Summary>("ls", "A line of `dead-letters ls --json`"),
        schema::<Grouped>("groups", "A line of `dead-letters groups --json`"),
        schema::<Shown>("show", "A line of `dead-letters show --json`"),
        schema::<Replayed>("replay", "A line of `dead-letters replay --json`"),
        schema::<DryRun>("replay-dry-run", "A line of `dead-letters replay --dry-run --json`"),
        schema::<Run>("runs", "A line of `dead-letters runs --json`"),
        schema::<Message>("runs-message", "A line but the first of `dead-letters runs RUN --json`"),
        schema::<cost::Cost>("cost", "A line of `dead-letters cost --json`"),
        schema::<export::Report<'_>>("export", "A line of `dead-letters export --json`"),
        schema::<Line>("export-line", "A line of an exported file"),
        schema::<import::Report<'_>>("import", "A line of `dead-letters import --json`"),
        schema::<purge::Report<'_>>("purge", "A line of `dead-letters purge --json`"),
        schema::<ParkedFact>("facts-ls", "A line of `dead-letters facts ls --json`"),
        schema::<ShownFact<'_>>("facts-show", "A line of `dead-letters facts show --json`"),
        schema::<Retried>("facts-retry", "A line of `dead-letters facts retry --json`"),
        schema::<Skipped>("facts-skip", "A line of `dead-letters facts skip --json`"),
    ]
}

fn schema<T: JsonSchema>(name: &'static str, title: &str) -> (&'static str, Value) {
    // Of what is written: a member that is always written is required, though a reader may do without.
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut schema = generator.into_root_schema_for::<T>();
    schema.insert("title".to_owned(), json!(title));
    (name, schema.to_value())
}

//! The JSON Schemas (2020-12) of the events, made from the types that decode them.

use domain::{AssignTask, ChangeTags, CreateTask, Expected, Task, UpdateTask};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

use crate::attributes::Source;
use crate::command::CommandType;
use crate::event::Event;
use crate::fact::{CommandRejected, FactType};
use crate::older::ChangeTagV1;

/// The self-contained schema of the whole envelope of a command.
#[must_use]
pub fn of_command(kind: CommandType) -> Schema {
    without_reserved_sources(command(kind))
}

fn command(kind: CommandType) -> Schema {
    let (name, title) = (kind.as_str(), kind.title());
    match kind {
        CommandType::CreateTask => envelope::<CreateTask>(name, title),
        CommandType::UpdateTask => envelope::<UpdateTask>(name, title),
        CommandType::AssignTask => envelope::<AssignTask>(name, title),
        CommandType::CompleteTask
        | CommandType::ReopenTask
        | CommandType::CancelTask
        | CommandType::DeleteTask => envelope::<Expected>(name, title),
        CommandType::AddTagV1 | CommandType::RemoveTagV1 => envelope::<ChangeTagV1>(name, title),
        CommandType::AddTag | CommandType::RemoveTag => envelope::<ChangeTags>(name, title),
    }
}

/// The self-contained schema of the whole envelope of a fact. It is open: facts may gain members
/// without a new version.
#[must_use]
pub fn of_fact(kind: FactType) -> Schema {
    let (name, title) = (kind.as_str(), kind.title());
    match kind {
        FactType::Task(_) => envelope::<Task>(name, title),
        FactType::CommandRejected => envelope::<CommandRejected>(name, title),
    }
}

/// Every schema, with the `type` that it is for; commands first.
pub fn all() -> impl Iterator<Item = (&'static str, Schema)> {
    let commands = CommandType::ALL.into_iter().map(|kind| (kind.as_str(), of_command(kind)));
    let facts = FactType::ALL.into_iter().map(|kind| (kind.as_str(), of_fact(kind)));
    commands.chain(facts)
}

/// The name of the file that holds the schema of the type `kind`.
#[must_use]
pub fn file_name(kind: &str) -> String {
    format!("{kind}.schema.json")
}

/// What `decode` takes from this service itself and no producer may send.
fn without_reserved_sources(mut schema: Schema) -> Schema {
    if let Some(source) = schema.pointer_mut("/properties/source").and_then(Value::as_object_mut) {
        let description = format!(
            "The producer. Sources that begin with `{}` are the service's own and are refused.",
            Source::RESERVED
        );
        source.insert("description".to_owned(), description.into());
        let pattern = "^[uU][rR][nN]:[tT][aA][sS][kK]-[aA][pP][pP]:";
        source.insert("not".to_owned(), json!({ "pattern": pattern }));
    }
    schema
}

fn envelope<D: JsonSchema>(kind: &str, title: &str) -> Schema {
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<Event<D>>();
    schema.insert("title".to_owned(), title.into());
    if let Some(Value::Object(properties)) = schema.get_mut("properties")
        && let Some(attribute) = properties.get_mut("type")
    {
        *attribute = json!({ "const": kind });
    }
    schema
}

//! The JSON Schemas (2020-12) of the events, made from the types that decode them.

use domain::portable::absent;
use domain::{AssignTask, ChangeTags, CreateTask, Expected, Task, UpdateTask};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

use crate::attributes::Source;
use crate::command::CommandType;
use crate::event::{CommandEnvelope, Event};
use crate::fact::{CommandRejected, FactType};
use crate::older::ChangeTagV1;

/// The self-contained schema of the whole envelope of a command.
#[must_use]
pub fn of_command(kind: CommandType) -> Schema {
    without(without_reserved_sources(command(kind)), &["actor", "idempotencykey"])
}

fn command(kind: CommandType) -> Schema {
    let schema = match kind {
        CommandType::CreateTask => envelope::<CommandEnvelope<CreateTask>>(kind.as_str()),
        CommandType::UpdateTask => envelope::<CommandEnvelope<UpdateTask>>(kind.as_str()),
        CommandType::AssignTask => envelope::<CommandEnvelope<AssignTask>>(kind.as_str()),
        CommandType::CompleteTask
        | CommandType::ReopenTask
        | CommandType::CancelTask
        | CommandType::DeleteTask => envelope::<CommandEnvelope<Expected>>(kind.as_str()),
        CommandType::AddTagV1 | CommandType::RemoveTagV1 => {
            envelope::<CommandEnvelope<ChangeTagV1>>(kind.as_str())
        }
        CommandType::AddTag | CommandType::RemoveTag => {
            envelope::<CommandEnvelope<ChangeTags>>(kind.as_str())
        }
    };
    let schema = named(with_meanings(schema), kind.title(), kind.summary());
    data_named(data_here_or_apart(schema), &format!("{}Data", kind.title()))
}

/// The self-contained schema of the whole envelope of a fact. It is open: facts may gain members
/// without a new version.
#[must_use]
pub fn of_fact(kind: FactType) -> Schema {
    let schema = match kind {
        FactType::Task(_) => envelope::<Event<Task>>(kind.as_str()),
        FactType::CommandRejected => envelope::<Event<CommandRejected>>(kind.as_str()),
    };
    let mut schema =
        named(without(schema, &["data_base64", "idempotencykey"]), kind.title(), kind.summary());
    absent(&mut schema);
    schema
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

/// What it means to leave out what a command may leave out.
fn with_meanings(mut schema: Schema) -> Schema {
    for (member, meaning) in [
        (
            "time",
            "When the event was made, for information: a change has the time at which it was applied.",
        ),
        ("datacontenttype", "The format of `data`. JSON, also if it is absent."),
    ] {
        let pointer = format!("/properties/{member}/description");
        if let Some(description) = schema.pointer_mut(&pointer) {
            *description = meaning.into();
        }
    }
    schema
}

/// Of a command: who sends it is its source, and only this service says more, of its callers. Of a
/// fact: what is never there.
fn without(mut schema: Schema, members: &[&str]) -> Schema {
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.retain(|name, _| !members.contains(&name.as_str()));
    }
    schema
}

/// A claim check has `dataref` and no `data`.
fn data_here_or_apart(mut schema: Schema) -> Schema {
    if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|member| member != "data");
    }
    // Not as two alternatives: generators would make a type of each, without the other members.
    let absent = json!({ "not": { "required": ["data"], "properties": { "data": {} } } });
    let apart =
        json!({ "required": ["dataref"], "properties": { "dataref": { "type": "string" } } });
    schema.insert("if".to_owned(), absent);
    schema.insert("then".to_owned(), apart);
    schema
}

/// With a name for programs, by which generators call what they make of it.
fn named(mut schema: Schema, title: &str, summary: &str) -> Schema {
    let envelope = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    let description = format!("{summary}. {envelope}");
    schema.insert("title".to_owned(), title.into());
    schema.insert("description".to_owned(), description.into());
    schema
}

fn data_named(mut schema: Schema, title: &str) -> Schema {
    if let Some(data) = schema.pointer_mut("/properties/data").and_then(Value::as_object_mut) {
        data.insert("title".to_owned(), title.into());
    }
    schema
}

fn envelope<E: JsonSchema>(kind: &str) -> Schema {
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<E>();
    if let Some(Value::Object(properties)) = schema.get_mut("properties")
        && let Some(attribute) = properties.get_mut("type")
    {
        *attribute = json!({ "type": "string", "const": kind });
    }
    schema
}

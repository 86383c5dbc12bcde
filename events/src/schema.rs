//! The JSON Schemas (2020-12) of the command events, made from the types that decode them.

use domain::{CreateTask, Expected, UpdateTask};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

use crate::command::CommandType;
use crate::event::Event;

/// The self-contained schema of the whole envelope of `kind`.
#[must_use]
pub fn of(kind: CommandType) -> Schema {
    match kind {
        CommandType::CreateTask => envelope::<CreateTask>(kind, "Create a task"),
        CommandType::UpdateTask => envelope::<UpdateTask>(kind, "Change some members of a task"),
        CommandType::CompleteTask => envelope::<Expected>(kind, "Mark a task done"),
        CommandType::DeleteTask => envelope::<Expected>(kind, "Take a task away"),
    }
}

/// The name of the file that holds the schema of `kind`.
#[must_use]
pub fn file_name(kind: CommandType) -> String {
    format!("{kind}.schema.json")
}

/// The schema of `kind` as the file holds it.
///
/// # Errors
/// None in practice: a schema is always JSON.
pub fn file(kind: CommandType) -> serde_json::Result<String> {
    Ok(serde_json::to_string_pretty(&of(kind))? + "\n")
}

fn envelope<D: JsonSchema>(kind: CommandType, title: &str) -> Schema {
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<Event<D>>();
    schema.insert("title".to_owned(), title.into());
    if let Some(Value::Object(properties)) = schema.get_mut("properties")
        && let Some(attribute) = properties.get_mut("type")
    {
        *attribute = json!({ "const": kind.as_str() });
    }
    schema
}

//! Whether an edited body is what its readers expect.
//!
//! For events of ours the decoders decide: they accept what the schemas in `events/schemas` accept, and what
//! this service sends itself, too. For others it is a JSON Schema that the operator names.

use std::sync::Arc;

use events::{CommandType, FactType};
use jsonschema::Validator;
use serde_json::Value;

use super::claimed::Sent;
use super::members::Members;
use super::patch::{in_text, text};
use super::{EditArguments, EditFailure};
use crate::mistake::Mistake;

/// A schema that compiles.
#[derive(Clone, Debug)]
pub(super) struct Schema {
    validator: Arc<Validator>,
    text: String,
}

pub(super) struct Check {
    schema: Option<Schema>,
    is_needed: bool,
}

impl Schema {
    pub(super) fn read(file: &str) -> Result<Self, Mistake> {
        let text = text(file, '{')?;
        let schema: Value = serde_json::from_str(&text)
            .map_err(|error| in_text(file, &text, &error, "no JSON Schema"))?;
        // It follows no reference to another document.
        let validator = jsonschema::validator_for(&schema).map_err(|error| {
            let at = error.instance_path();
            Mistake::new(format!("no JSON Schema: {error}, at `{at}`"))
        })?;
        Ok(Self { validator: Arc::new(validator), text: schema.to_string() })
    }

    pub(super) fn text(&self) -> String {
        self.text.clone()
    }

    fn check(&self, body: &str) -> Result<(), EditFailure> {
        let value: Value = serde_json::from_str(body).map_err(EditFailure::NotJson)?;
        self.validator.validate(&value).map_err(|error| {
            let at = error.instance_path().to_string();
            EditFailure::Invalid(format!("{}, at `{at}`", error.masked()))
        })
    }
}

impl Check {
    pub(super) fn new(arguments: &EditArguments) -> Self {
        Self { schema: arguments.schema.clone(), is_needed: !arguments.no_schema }
    }

    /// Checks what is sent for `whole`, the edited body.
    pub(super) fn check(&self, whole: &str, sent: &Sent) -> Result<(), EditFailure> {
        let kind = Members::read(whole).and_then(|event| event.text("type")).unwrap_or_default();
        if let Some(schema) = &self.schema {
            schema.check(whole)?;
        }
        let decoded = if FactType::parse(&kind).is_some() {
            events::decode_fact(&sent.body).map(drop)
        } else if CommandType::parse(&kind).is_some() {
            match sent.data() {
                Some(data) => events::decode_claimed(&sent.body, data).map(drop),
                None => events::decode(&sent.body).map(drop),
            }
        } else if self.schema.is_none() && self.is_needed {
            return Err(EditFailure::NoSchema);
        } else {
            Ok(())
        };
        decoded.map_err(|error| EditFailure::Invalid(error.to_string()))
    }
}

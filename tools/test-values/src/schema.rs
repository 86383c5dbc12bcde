//! Whether what the schema of a type says that a value may be, and what is taken, are one.

use jsonschema::Validator;
use proptest::prelude::*;
use proptest::sample::select;
use schemars::{JsonSchema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde_json::json;

/// What slips into texts.
const ODD: &[&str] = &[
    "", "\"", "\\", "\\\"", "/", " ", "\t", "\0", "\u{7f}", "\u{85}", "\u{a0}", "\u{200b}",
    "\u{2028}", "\u{202e}", "\u{301}", "-", "+", "_", "=", ".", "0", "7", "a", "g", "Z", "ß", "三",
    "٣", "💧",
];

/// The schema that the type has of itself, formats included.
#[must_use]
pub fn schema_of<T: JsonSchema>() -> Validator {
    let schema = T::json_schema(&mut SchemaGenerator::default());
    jsonschema::options().should_validate_formats(true).build(schema.as_value()).expect("a schema")
}

/// A text that is fine, or was until something was put in the place of something.
fn nearly(fine: &'static [&'static str]) -> impl Strategy<Value = String> {
    let change = (select(fine), any::<prop::sample::Index>(), 0..3_usize, select(ODD), 0..3_usize);
    change.prop_map(|(fine, at, gone, odd, repeated)| {
        let mut text: Vec<_> = fine.chars().collect();
        let at = at.index(text.len() + 1);
        let end = (at + gone).min(text.len());
        text.splice(at..end, odd.repeat(repeated).chars());
        text.into_iter().collect()
    })
}

/// Asserts that they are for texts that are `fine`, and for those that nearly are.
pub fn agree<T: JsonSchema>(fine: &'static [&'static str], is_taken: impl Fn(&str) -> bool) {
    let schema = schema_of::<T>();
    for fine in fine {
        assert!(schema.is_valid(&json!(fine)) && is_taken(fine), "{fine:?}");
    }
    proptest!(|(text in nearly(fine))| {
        prop_assert_eq!(schema.is_valid(&json!(text)), is_taken(&text), "{:?}", text);
    });
}

/// Whether the text is taken as a JSON string.
#[must_use]
pub fn in_json<T: DeserializeOwned>(text: &str) -> bool {
    serde_json::from_value::<T>(json!(text)).is_ok()
}

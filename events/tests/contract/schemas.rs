//! The schemas are JSON Schema. (That their files are up to date, `generate` tests.)

use events::schema;
use serde_json::Value;

#[test]
fn every_schema_is_json_schema_2020_12() {
    for (_, schema) in schema::all() {
        let draft = schema.get("$schema").and_then(Value::as_str);
        assert_eq!(draft, Some("https://json-schema.org/draft/2020-12/schema"));
        jsonschema::meta::validate(schema.as_value())
            .expect("a schema that its meta-schema allows");
    }
}

//! An object of JSON with its members in order, each value as it was written.

use std::borrow::Cow;
use std::fmt;

use indexmap::IndexMap;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::json;
use serde_json::value::RawValue;

/// Of members with the same name the last one counts, as for every reader here.
#[derive(Debug, Default)]
pub(super) struct Members<'a>(IndexMap<String, Cow<'a, str>>);

impl<'a> Members<'a> {
    /// `None` if it is no object.
    pub(super) fn read(json: &'a str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(Cow::as_ref)
    }

    /// The value of a member that is a text.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.get(name)?).ok()
    }

    pub(super) fn set(&mut self, name: &str, value: impl Into<Cow<'a, str>>) {
        self.0.insert(name.to_owned(), value.into());
    }

    pub(super) fn remove(&mut self, name: &str) -> Option<Cow<'a, str>> {
        self.0.shift_remove(name)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_ref()))
    }

    pub(super) fn to_json(&self) -> String {
        let members = self.iter().map(|(name, value)| format!("{}:{value}", json!(name)));
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Members::default();
                while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
                    members.set(&name, value.get());
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_their_order_stay_and_the_last_of_a_name_counts() {
        let mut members = Members::read(r#"{"b": 1.50, "a":[ 1 ], "b":2e1}"#).unwrap();
        members.set("a\"", "null");
        assert_eq!(members.to_json(), r#"{"b":2e1,"a":[ 1 ],"a\"":null}"#);
        assert_eq!(members.remove("b").as_deref(), Some("2e1"));
        assert_eq!(members.text("b"), None);
        for other in ["[1]", "1", "{\"a\":", ""] {
            assert!(Members::read(other).is_none(), "{other}");
        }
    }
}

//! JSON from outside: read as an object, with a fault that its sender can find.
//!
//! Message bodies and HTTP bodies are read alike, so that the same mistake gets the same answer.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error as _, IntoDeserializer as _, MapAccess, Visitor};
use serde_json::Number;
use serde_json::error::Category;
use serde_path_to_error::{Path, Segment};

use crate::limits::VERSION_MAX;
use crate::values::Version;

/// What is wrong with a JSON text, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is not JSON.
    Syntax {
        /// What the parser found.
        detail: String,
        /// Line of the fault, from 1.
        line: usize,
        /// Column of the fault, from 1; 0 is the end of the line before.
        column: usize,
    },
    /// It is JSON, but not what was expected. May quote the value.
    Data {
        /// Where: a JSON Pointer (RFC 6901), empty for the whole text. A missing member is a fault of
        /// the object that lacks it.
        pointer: String,
        /// What was expected there.
        detail: String,
    },
}

/// Reads a `T` from a JSON object. An array is refused, which serde would otherwise read as a
/// struct, member by member, and which no schema of ours allows.
///
/// # Errors
/// The first [`Fault`]; members that come after it were not looked at.
pub fn parse_object<'de, T: Deserialize<'de>>(json: &'de [u8]) -> Result<T, Fault> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let Object(value) = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| fault(error.inner(), error.path()))?;
    deserializer.end().map_err(|error| syntax(&error))?;
    Ok(value)
}

/// For serde's `deserialize_with`: a member that must be an object.
pub(crate) fn object<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Object::deserialize(deserializer).map(|Object(value)| value)
}

/// For serde's `deserialize_with`: an enum of names, from a string only. serde itself also takes
/// `{"low": null}` for `"low"`, which no schema of ours allows, and calls any other value a fault of
/// syntax.
///
/// # Errors
/// When it is no string, or not one of the names.
pub fn name<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    T::deserialize(String::deserialize(deserializer)?.into_deserializer())
}

/// For serde's `deserialize_with`: an expected version, as JSON Schema takes an integer from 1 to
/// [`VERSION_MAX`]: to JSON, `7.0` is the integer 7.
///
/// # Errors
/// When it is another number, or none.
pub fn from_one<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Version>, D::Error> {
    let Some(number) = Option::<Number>::deserialize(deserializer)? else { return Ok(None) };
    let version = number.as_i64().or_else(|| whole(number.as_f64()?));
    let version = version.filter(|version| (1..=VERSION_MAX).contains(version));
    version.map(Some).ok_or_else(|| {
        D::Error::custom(format_args!("a version is a whole number from 1 to {VERSION_MAX}"))
    })
}

#[expect(clippy::cast_possible_truncation, reason = "it is whole, and out of range otherwise")]
fn whole(number: f64) -> Option<Version> {
    (number.fract() == 0.0).then_some(number as Version)
}

struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData)).map(Self)
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

fn fault(error: &serde_json::Error, path: &Path) -> Fault {
    match error.classify() {
        Category::Data => Fault::Data { pointer: pointer(path), detail: detail(error) },
        Category::Syntax if UNREADABLE.contains(&detail(error).as_str()) => {
            Fault::Data { pointer: pointer(path), detail: detail(error) }
        }
        Category::Syntax | Category::Eof | Category::Io => syntax(error),
    }
}

/// What the parser calls a fault of syntax, and JSON's grammar allows: values that nothing of ours can
/// hold.
const UNREADABLE: [&str; 4] = [
    "number out of range",
    "recursion limit exceeded",
    "lone leading surrogate in hex escape",
    "unexpected end of hex escape",
];

fn syntax(error: &serde_json::Error) -> Fault {
    Fault::Syntax { detail: detail(error), line: error.line(), column: error.column() }
}

/// What the parser found, without the place, which is separate.
fn detail(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&place).map(str::to_owned).unwrap_or(text)
}

/// Ends where the parser lost its way, for instance inside an untagged enum.
fn pointer(path: &Path) -> String {
    let segments = path.iter().map_while(|segment| match segment {
        Segment::Seq { index } => Some(format!("/{index}")),
        Segment::Map { key } | Segment::Enum { variant: key } => {
            Some(format!("/{}", key.replace('~', "~0").replace('/', "~1")))
        }
        Segment::Unknown => None,
    });
    segments.collect()
}

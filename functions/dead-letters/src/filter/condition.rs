//! One condition that a dead letter meets or does not.

use std::cell::OnceCell;
use std::fmt::{self, Display, Formatter};
use std::ops::RangeInclusive;

use chrono::{DateTime, Utc};
use clap::ValueEnum;
use regex::{Regex, RegexBuilder};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use serde_json_path::JsonPath;

use super::attribute::AttributeCondition;
use super::pattern::Pattern;
use super::{age, attempts};
use crate::dead_letter::DeadLetter;
use crate::mistake::Mistake;

/// The memory of a compiled regular expression, in bytes.
const MOST_OF_A_REGEX: usize = 1 << 20;

/// What a condition is about. The last ones take longest.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    Reason,
    Type,
    Source,
    Tenant,
    Task,
    Group,
    OlderThan,
    NewerThan,
    Attempts,
    Attribute,
    Body,
    BodyPath,
}

/// A condition, with the text that it was read from.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    pub(super) kind: Kind,
    text: String,
    test: Test,
}

#[derive(Clone, Debug)]
enum Test {
    Text(Pattern),
    OlderThan(u64),
    NewerThan(u64),
    Attempts(RangeInclusive<u32>),
    Attribute(AttributeCondition),
    Body(Regex),
    BodyPath(JsonPath),
}

/// A dead letter with what is found out about it once.
pub(super) struct Candidate<'a> {
    dead_letter: &'a DeadLetter,
    age: Option<u64>,
    json: OnceCell<Option<Value>>,
}

impl<'a> Candidate<'a> {
    pub(super) fn new(dead_letter: &'a DeadLetter, now: DateTime<Utc>) -> Self {
        Self { dead_letter, age: dead_letter.summary.age(now), json: OnceCell::new() }
    }

    fn json(&self) -> Option<&Value> {
        self.json.get_or_init(|| serde_json::from_str(&self.dead_letter.body).ok()).as_ref()
    }
}

impl Condition {
    pub(crate) fn parse(kind: Kind, text: &str) -> Result<Self, Mistake> {
        let parsed = match kind {
            Kind::OlderThan => Test::OlderThan(age::seconds(text)?),
            Kind::NewerThan => Test::NewerThan(age::seconds(text)?),
            Kind::Attempts => Test::Attempts(attempts::attempts(text)?),
            Kind::Attribute => Test::Attribute(AttributeCondition::parse(text)?),
            Kind::Body => Test::Body(regex(text)?),
            Kind::BodyPath => Test::BodyPath(path(text)?),
            Kind::Reason | Kind::Type | Kind::Source | Kind::Tenant | Kind::Task | Kind::Group => {
                Test::Text(Pattern::parse(text)?)
            }
        };
        Ok(Self { kind, text: text.to_owned(), test: parsed })
    }

    pub(super) fn holds(&self, candidate: &Candidate<'_>) -> bool {
        let dead_letter = candidate.dead_letter;
        match &self.test {
            Test::Text(pattern) => pattern.fits(value(dead_letter, self.kind)),
            Test::OlderThan(seconds) => candidate.age.is_some_and(|age| age > *seconds),
            Test::NewerThan(seconds) => candidate.age.is_some_and(|age| age < *seconds),
            Test::Attempts(range) => {
                dead_letter.summary.attempts.is_some_and(|n| range.contains(&n))
            }
            Test::Attribute(attribute) => attribute.holds(dead_letter),
            Test::Body(regex) => regex.is_match(&dead_letter.body),
            Test::BodyPath(path) => {
                candidate.json().is_some_and(|json| !path.query(json).is_empty())
            }
        }
    }
}

/// As `--not` takes it: `NAME=VALUE`.
impl Display for Condition {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let name = self.kind.to_possible_value();
        let name = name.as_ref().map_or("", |name| name.get_name());
        write!(formatter, "{name}={}", self.text)
    }
}

/// Reads `NAME=VALUE`, where the name is that of an option.
pub(crate) fn negated(text: &str) -> Result<Condition, Mistake> {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    let kind = Kind::from_str(name, false).map_err(|_| {
        let known = Kind::value_variants().iter().filter_map(ValueEnum::to_possible_value);
        let known: Vec<_> = known.map(|value| value.get_name().to_owned()).collect();
        let message = format!("a filter's name is expected, and then `=`: {}", known.join(", "));
        Mistake::at(text, 0, message)
    })?;
    if !text.contains('=') {
        return Err(Mistake::at(text, text.len(), "`=` and a value are expected"));
    }
    Condition::parse(kind, value).map_err(|mistake| mistake.behind(&format!("{name}=")))
}

fn value(dead_letter: &DeadLetter, kind: Kind) -> Option<&str> {
    let summary = &dead_letter.summary;
    let value = match kind {
        Kind::Reason => &summary.reason,
        Kind::Type => &summary.r#type,
        Kind::Source => &summary.source,
        Kind::Tenant => &summary.tenant,
        Kind::Task => &summary.task,
        Kind::Group => &summary.group,
        _ => &None,
    };
    value.as_deref()
}

fn regex(text: &str) -> Result<Regex, Mistake> {
    let regex = RegexBuilder::new(text).size_limit(MOST_OF_A_REGEX).build();
    // A syntax error has the place already.
    regex.map_err(|error| Mistake::new(error.to_string()))
}

fn path(text: &str) -> Result<JsonPath, Mistake> {
    JsonPath::parse(text).map_err(|error| {
        Mistake::at(text, error.position(), format!("no JSONPath: {}", error.message()))
    })
}

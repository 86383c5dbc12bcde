//! The envelope's attributes as types that cannot hold what the specification forbids.

use domain::portable::names;
use domain::time::rfc3339;
use domain::{Timestamp, timestamp};
use schemars::JsonSchema;
use serde::de::{Error as _, IgnoredAny};
use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

/// The CloudEvents version: `1.0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "SpecVersion", transform = names)]
pub enum SpecVersion {
    /// CloudEvents 1.0.
    #[serde(rename = "1.0")]
    V1,
}

/// No value: absent, or `null`, which is how CloudEvents writes an attribute that is not set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unset;

impl<'de> Deserialize<'de> for Unset {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Option::<IgnoredAny>::deserialize(deserializer)? {
            None => Ok(Self),
            Some(_) => Err(D::Error::custom("must be absent: the data is JSON, in `data`")),
        }
    }
}

domain::schema!(inline Unset, { "type": "null" });

macro_rules! token {
    ($(#[$doc:meta])* $name:ident, $max:literal, $pattern:literal) => {
        domain::text!(
            $(#[$doc])*
            $name,
            String,
            |text| {
                let fits = (1..=$max).contains(&text.len());
                (fits && text.bytes().all(|byte| byte.is_ascii_graphic()))
                    .then_some(())
                    .ok_or_else(|| {
                        concat!("must be 1 to ", $max, " visible ASCII characters").to_owned()
                    })
            },
            { "type": "string", "pattern": $pattern }
        );

        impl $name {
            /// The longest value, in characters.
            pub const MAX: usize = $max;
        }
    };
}

token!(
    /// An event's identifier, unique within its tenant and source.
    EventId,
    128,
    "^[!-~]{1,128}$"
);

token!(
    /// The producer of an event: a URI reference such as `/billing/invoices`.
    Source,
    200,
    "^[!-~]{1,200}$"
);

impl EventId {
    /// The identifier of a fact.
    #[must_use]
    pub fn of_fact(id: Uuid) -> Self {
        Self(id.to_string())
    }
}

impl Source {
    /// This service, as the source of its facts.
    #[must_use]
    pub fn service() -> Self {
        Self("/task-app".to_owned())
    }

    /// The HTTP API, as the source of the commands that it receives.
    pub const HTTP: &str = "urn:task-app:http";

    /// How the sources begin that only this service may use: idempotency keys of HTTP requests and
    /// operations are kept under them.
    pub const RESERVED: &str = "urn:task-app:";

    /// Whether only this service may use it. The beginning of a URN is the same in upper and lower
    /// case (RFC 8141).
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        let beginning = self.0.get(..Self::RESERVED.len());
        beginning.is_some_and(|text| text.eq_ignore_ascii_case(Self::RESERVED))
    }

    /// Whether it is the HTTP API.
    #[must_use]
    pub fn is_http(&self) -> bool {
        self.0 == Self::HTTP
    }

    /// The HTTP API.
    #[must_use]
    pub fn http() -> Self {
        Self(Self::HTTP.to_owned())
    }
}

/// A point in time with an offset, as RFC 3339 has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EventTime(Timestamp);

impl From<EventTime> for Timestamp {
    fn from(time: EventTime) -> Self {
        time.0
    }
}

impl From<Timestamp> for EventTime {
    fn from(time: Timestamp) -> Self {
        Self(time)
    }
}

impl TryFrom<String> for EventTime {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        timestamp(&text)
            .map(Self)
            .ok_or_else(|| "must be a time as RFC 3339 has it: 2026-01-31T12:00:00Z".to_owned())
    }
}

impl From<EventTime> for String {
    fn from(time: EventTime) -> String {
        rfc3339(time.0)
    }
}

domain::schema!(EventTime, { "type": "string", "format": "date-time" });

//! Headers of answers, each described once.

use aide::openapi::{self, HeaderStyle, ParameterSchemaOrContent, ReferenceOr, SchemaObject};
use schemars::{Schema, json_schema};

/// A header of answers.
#[derive(Clone, Copy, Debug)]
pub struct Header {
    name: &'static str,
    description: &'static str,
    /// What its value looks like, as a pattern of JSON Schema.
    pattern: &'static str,
    always: bool,
}

impl Header {
    const fn new(name: &'static str, pattern: &'static str, description: &'static str) -> Self {
        Self { name, description, pattern, always: true }
    }

    /// The same header where not every answer has it.
    #[must_use]
    pub const fn if_any(self) -> Self {
        Self { always: false, ..self }
    }

    /// Its name among the components of the document.
    fn key(&self) -> String {
        if self.always { self.name.to_owned() } else { format!("{}.if-any", self.name) }
    }

    /// The entry in the answer's headers.
    pub(super) fn reference(&self) -> (String, ReferenceOr<openapi::Header>) {
        let reference = format!("#/components/headers/{}", self.key());
        (
            self.name.to_owned(),
            ReferenceOr::Reference { reference, summary: None, description: None },
        )
    }

    fn component(self) -> (String, ReferenceOr<openapi::Header>) {
        let json_schema: Schema = json_schema!({ "type": "string", "pattern": self.pattern });
        let schema = SchemaObject { json_schema, external_docs: None, example: None };
        let header = openapi::Header {
            description: Some(self.description.to_owned()),
            style: HeaderStyle::Simple,
            required: self.always,
            deprecated: None,
            format: ParameterSchemaOrContent::Schema(schema),
            example: None,
            examples: [].into(),
            extensions: [].into(),
        };
        (self.key(), ReferenceOr::Item(header))
    }
}

/// The name by which the service's log knows the request.
pub const REQUEST_ID: Header = Header::new(
    "X-Request-Id",
    "^[0-9A-Za-z._=-]{1,64}$",
    "The request's name in the service's log: the one that the request bore, if it is a token of 1 \
     to 64 letters, digits, `-`, `_`, `.` and `=`.",
);
/// Why a token was not enough.
pub const CHALLENGE: Header = Header::new(
    "WWW-Authenticate",
    "^Bearer ",
    "What is wrong with the token, as RFC 6750 has it.",
);
/// When to come back.
pub const RETRY_AFTER: Header =
    Header::new("Retry-After", "^[0-9]+$", "After how many seconds to try again.");
/// Who may keep the answer.
pub const CACHE_CONTROL: Header = Header::new(
    "Cache-Control",
    "^(private, no-cache|no-store)$",
    "`private, no-cache`: the caller may cache it, and revalidates it each time; \
     `no-store`: nobody may cache it.",
);
/// The version of what was answered.
pub const ETAG: Header = Header::new(
    "ETag",
    "^(W/)?\"[!#-~]*\"$",
    "The entity tag of what was answered, for `If-None-Match` and, of a task, `If-Match`.",
);
/// Where the new resource is.
pub const LOCATION: Header = Header::new("Location", "^/v1/", "The address of what was created.");
/// Where the next page is.
pub const LINK: Header =
    Header::new("Link", "^<.+>; rel=\"next\"$", "The address of the next page (RFC 8288).");
/// Whether it was done before.
pub const REPLAYED: Header = Header::new(
    "Idempotency-Replayed",
    "^true$",
    "The `Idempotency-Key` came with this very request before: nothing was changed again.",
);
/// That the caller's preference was followed.
pub const PREFERENCE_APPLIED: Header =
    Header::new("Preference-Applied", "^respond-async$", "The preference that was followed.");
/// Where the outcome of a write is.
pub const OPERATION_LOCATION: Header =
    Header::new("Operation-Location", "^/v1/operations/", "The address of the operation.");

/// How a body may be encoded.
pub const ENCODINGS: Header = Header::new(
    "Accept-Encoding",
    "^identity$",
    "That bodies are taken as they are only, where this one was encoded.",
)
.if_any();
/// How much is left to the tenant, and to the caller.
pub const RATE_LIMIT: Header = Header::new(
    "RateLimit",
    "^\"[a-z]+\";r=[0-9]+;t=[0-9]+(, \"[a-z]+-caller\";r=[0-9]+;t=[0-9]+)?$",
    "How many requests of this class the tenant may send now (`r`), and after how many seconds it \
     may send more (`t`); after them the same for the caller (`write-caller`), where callers have \
     limits of their own. Left out while the limits cannot be checked.",
)
.if_any();
/// How much there is altogether.
pub const RATE_LIMIT_POLICY: Header = Header::new(
    "RateLimit-Policy",
    "^\"[a-z]+\";q=[0-9]+;w=[0-9]+(, \"[a-z]+-caller\";q=[0-9]+;w=[0-9]+)?$",
    "How many requests of this class the tenant may send (`q`) within how many seconds (`w`); after \
     them the same for the caller, where callers have limits of their own.",
)
.if_any();

/// All, each as often as it is used.
const ALL: [Header; 15] = [
    REQUEST_ID,
    CHALLENGE,
    RETRY_AFTER,
    RETRY_AFTER.if_any(),
    CACHE_CONTROL,
    ETAG,
    ETAG.if_any(),
    LOCATION,
    LINK.if_any(),
    REPLAYED.if_any(),
    PREFERENCE_APPLIED,
    OPERATION_LOCATION,
    ENCODINGS,
    RATE_LIMIT,
    RATE_LIMIT_POLICY,
];

/// The components of the document that [`Header::reference`] leads to.
pub(super) fn components() -> impl Iterator<Item = (String, ReferenceOr<openapi::Header>)> {
    ALL.into_iter().map(Header::component)
}

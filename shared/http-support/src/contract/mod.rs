//! The contract of the HTTP API: an OpenAPI document.
//!
//! It is made from the code, so that it is true: a function lists its [`Routes`]; the extractors in
//! its handlers' arguments say what they take and what problems they answer; what else an operation
//! does is said beside its route, in scope of [`Answer`]s. `tools/generate` puts the
//! functions' parts together and writes `shared/http-support/openapi.json`, which is committed, compared
//! with the last release and served as it is.

mod answer;
mod document;
pub mod examples;
mod headers;
mod inputs;
mod methods;
mod packed;
mod problems;
mod routes;
mod serve;
#[cfg(test)]
mod tests;

pub use self::answer::{Answer, accepts, answers, fails, sent};
pub use self::document::Document;
pub use self::headers::*;
pub use self::inputs::{cache_control, if_match, if_none_match, traceparent};
pub use self::methods::{ATTACHMENTS, Methods, TASKS, refuse_other_methods};
pub use self::problems::{ProblemDocument, can_fail};
pub use self::routes::{Describe, Operation, Routes, Verb};
pub use self::serve::router;

/// The name of the one way to authenticate, among the components of the document.
const SECURITY_SCHEME: &str = "bearer";

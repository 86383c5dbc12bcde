//! Every way in which a request can fail, and the problem details that the caller gets (RFC 9457).
//!
//! One exhaustive `match` gives each problem its type, so a new one cannot be added without it; a
//! type cannot be declared without saying when it occurs and what to do about it. A problem's
//! `Display` is its `detail`: written for the caller, in words that show nothing of our insides.

mod response;
pub mod types;

use domain::{Refusal, Version, limits};
use runtime::http::ProblemType;
use serde::Serialize;

/// Why a request was not served. Answers as `application/problem+json`.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The request has no token.
    #[error("Send a bearer token in the header `Authorization`.")]
    Unauthenticated,
    /// The token is not accepted; the reason also stands in `WWW-Authenticate`. It is a constant,
    /// so that nothing of the token is repeated, and holds neither `"` nor `\`.
    #[error("The token is not accepted: {0}.")]
    InvalidToken(&'static str),
    /// The token is good, and does not allow this.
    #[error("The token lacks the scope `{0}`.")]
    InsufficientScope(String),
    /// There is nothing here for this caller.
    #[error("There is nothing here, or not for this caller.")]
    NotFound,
    /// A query or path parameter is unknown, missing or out of range.
    #[error("Parameter `{name}`: {detail}.")]
    InvalidParameter {
        /// The parameter's name as the caller wrote it.
        name: String,
        /// What was expected.
        detail: String,
    },
    /// A header is malformed.
    #[error("Header `{name}`: {detail}.")]
    InvalidHeader {
        /// The header's name.
        name: &'static str,
        /// What was expected.
        detail: &'static str,
    },
    /// The body could not be read to its end.
    #[error("The body could not be read to its end.")]
    UnreadableBody,
    /// The body is not JSON.
    #[error("Line {line}, column {column}: {detail}.")]
    MalformedBody {
        /// What the parser found.
        detail: String,
        /// Line of the fault, from 1.
        line: usize,
        /// Column of the fault, from 1; 0 is the end of the line before.
        column: usize,
    },
    /// The body is larger than this address takes.
    #[error("The body is larger than this address takes.")]
    BodyTooLarge,
    /// The body is of another media type.
    #[error("Send the body as `{0}`.")]
    UnsupportedMediaType(&'static str),
    /// The body is compressed. Nothing is unpacked here: a small body could hold a large one.
    #[error("Send the body as it is, without `Content-Encoding`.")]
    EncodedBody,
    /// The body is JSON and breaks the contract.
    #[error("The body does not fit the contract; `errors` says where.")]
    Invalid(Vec<FieldError>),
    /// `If-Match` has a tag that was one of ours.
    #[error(
        "`If-Match` names no version: something on the way, such as a proxy that compresses, has made the \
         entity tag weak or added to it. Send it as the service gave it, such as `\"3\"`."
    )]
    ChangedTag,
    /// The task is not at the version that the request expects.
    #[error("The task is not at the version that the request expects.")]
    PreconditionFailed {
        /// The version that the task has, if it was looked up.
        actual: Option<Version>,
    },
    /// The request must name a version by `If-Match`, and does not.
    #[error("Send `If-Match` with the entity tag that you have seen.")]
    PreconditionRequired,
    /// The task is not in a state that allows this.
    #[error("Not possible: {0}.")]
    Conflict(Refusal),
    /// The task has as many attachments as it may have.
    #[error("A task has at most {} attachments: delete one first.", limits::ATTACHMENTS_MAX)]
    TooManyAttachments,
    /// The same idempotency key came with another request before.
    #[error("This idempotency key was used before, with another request.")]
    IdempotencyKeyReused,
    /// A request under the same idempotency key is being processed.
    #[error("Another request with this idempotency key is being processed.")]
    IdempotencyKeyInFlight,
    /// The requests of this class, of the tenant or of the caller, come too fast.
    #[error("Too many requests of the class `{class}` for now.")]
    RateLimited {
        /// The class.
        class: &'static str,
        /// The limits that do not allow it, by the names that they have in the header `RateLimit-Policy`.
        policies: Vec<&'static str>,
        /// After how many seconds to try again.
        retry_after: u64,
    },
    /// Something that this service needs is not available; the caller may try again. The log gets the
    /// cause under the request's id.
    #[error("For the moment, {what} cannot be reached.")]
    Unavailable {
        /// What is not available, in words for the caller such as `the database`.
        what: &'static str,
        /// After how many seconds to try again.
        retry_after: u32,
        /// What failed, for operators: without secrets and personal data.
        cause: anyhow::Error,
    },
    /// A fault of ours. The caller gets the request's id, the log gets the error under it.
    #[error("The request failed for a reason of ours; its id will find it in our logs.")]
    Internal(#[from] anyhow::Error),
}

/// One fault in a body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// Where: a JSON Pointer (RFC 6901), empty for the whole body.
    pub pointer: String,
    /// What is wrong there.
    pub detail: String,
}

impl Problem {
    /// A 503 that says to try again in two seconds, since `what` is not available.
    pub fn unavailable(what: &'static str, cause: impl Into<anyhow::Error>) -> Self {
        Self::Unavailable { what, retry_after: 2, cause: cause.into() }
    }

    /// What stays the same each time that it occurs.
    fn kind(&self) -> &'static ProblemType {
        match self {
            Self::Unauthenticated => &types::UNAUTHORIZED,
            Self::InvalidToken(_) => &types::INVALID_TOKEN,
            Self::InsufficientScope(_) => &types::INSUFFICIENT_SCOPE,
            Self::NotFound => &types::NOT_FOUND,
            Self::InvalidParameter { .. } => &types::INVALID_PARAMETER,
            Self::InvalidHeader { .. } => &types::INVALID_HEADER,
            Self::UnreadableBody => &types::UNREADABLE_BODY,
            Self::MalformedBody { .. } => &types::MALFORMED_BODY,
            Self::BodyTooLarge => &types::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType(_) => &types::UNSUPPORTED_MEDIA_TYPE,
            Self::EncodedBody => &types::ENCODED_BODY,
            Self::Invalid(_) => &types::INVALID_BODY,
            Self::ChangedTag | Self::PreconditionFailed { .. } => &types::VERSION_CONFLICT,
            Self::PreconditionRequired => &types::PRECONDITION_REQUIRED,
            Self::Conflict(refusal) => conflict(refusal),
            Self::TooManyAttachments => &types::TOO_MANY_ATTACHMENTS,
            Self::IdempotencyKeyReused => &types::IDEMPOTENCY_KEY_REUSED,
            Self::IdempotencyKeyInFlight => &types::IDEMPOTENCY_KEY_IN_FLIGHT,
            Self::RateLimited { .. } => &types::RATE_LIMITED,
            Self::Unavailable { .. } => &types::UNAVAILABLE,
            Self::Internal(_) => &types::INTERNAL,
        }
    }
}

impl From<Refusal> for Problem {
    /// A version conflict is a failed precondition, also where the body names the version.
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::TaskNotFound => Self::NotFound,
            Refusal::VersionConflict { expected: _, actual } => {
                Self::PreconditionFailed { actual: Some(actual) }
            }
            refusal => Self::Conflict(refusal),
        }
    }
}

/// A refusal's type: its code in the spelling of `type`.
fn conflict(refusal: &Refusal) -> &'static ProblemType {
    match refusal {
        Refusal::TaskNotFound => &types::NOT_FOUND,
        Refusal::TaskAlreadyExists => &types::TASK_ALREADY_EXISTS,
        Refusal::TaskAlreadyOpen => &types::TASK_ALREADY_OPEN,
        Refusal::TaskAlreadyCompleted => &types::TASK_ALREADY_COMPLETED,
        Refusal::TaskAlreadyCancelled => &types::TASK_ALREADY_CANCELLED,
        Refusal::TooManyTags => &types::TOO_MANY_TAGS,
        Refusal::VersionConflict { .. } => &types::VERSION_CONFLICT,
    }
}

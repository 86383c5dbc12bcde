//! The types of problems that the API answers, beyond those of every HTTP function. Clients rely on
//! them: a type that was released stays.

pub use runtime::http::problems::{
    BAD_REQUEST, HEAD_TOO_LARGE, INTERNAL, METHOD_NOT_ALLOWED, NOT_FOUND, PAYLOAD_TOO_LARGE,
    TIMED_OUT,
};

mod own {
    runtime::problem_types! {
        /// No token.
        UNAUTHORIZED: UNAUTHORIZED "unauthorized" "Not authenticated",
            "The request has no token.",
            "Send `Authorization: Bearer` with a token of the issuer that the service trusts.";
        /// A token that is not accepted.
        INVALID_TOKEN: UNAUTHORIZED "invalid-token" "Token not accepted",
            "The token is malformed, expired, or not meant for this service; `detail` says which.",
            "Get a new token.";
        /// A token that does not allow this.
        INSUFFICIENT_SCOPE: FORBIDDEN "insufficient-scope" "Not allowed",
            "The token is good, and lacks the scope that the operation needs.",
            "Get a token with the scope that `WWW-Authenticate` names.";
        /// A parameter that is not taken.
        INVALID_PARAMETER: BAD_REQUEST "invalid-parameter" "Invalid parameter",
            "A parameter in the path or the query is unknown, given twice, malformed or out of range.",
            "Correct the one that `parameter` names, as `detail` says.";
        /// A header that is not taken.
        INVALID_HEADER: BAD_REQUEST "invalid-header" "Invalid header",
            "A header is malformed.",
            "Correct the one that `header` names, as `detail` says.";
        /// A body that ended early.
        UNREADABLE_BODY: BAD_REQUEST "unreadable-body" "Unreadable body",
            "The body could not be read to its end.",
            "Send it again, whole.";
        /// A body that is no JSON.
        MALFORMED_BODY: BAD_REQUEST "malformed-body" "Malformed JSON",
            "The body is not JSON.",
            "Correct it at the place that `line` and `column` name.";
        /// A body of another media type.
        UNSUPPORTED_MEDIA_TYPE: UNSUPPORTED_MEDIA_TYPE "unsupported-media-type" "Unsupported media type",
            "The body is not of a media type that the operation takes.",
            "Send the `Content-Type` that `detail` names.";
        /// A body that is encoded.
        ENCODED_BODY: UNSUPPORTED_MEDIA_TYPE "encoded-body" "Encoded body",
            "The body has a `Content-Encoding`, such as `gzip`.",
            "Send the body as it is.";
        /// A body that breaks the contract.
        INVALID_BODY: UNPROCESSABLE_ENTITY "invalid-body" "Invalid body",
            "The body is JSON, and does not fit the operation's schema.",
            "Correct each of `errors`, whose `pointer` is a JSON Pointer into the body.";
        /// Not the version that was expected.
        VERSION_CONFLICT: PRECONDITION_FAILED "version-conflict" "Version conflict",
            "The task is not at the version that `If-Match`, or `expected_version` in the body, names: somebody else changed it.",
            "Read the task, decide again, and send its new entity tag.";
        /// No version was named.
        PRECONDITION_REQUIRED: PRECONDITION_REQUIRED "precondition-required" "Precondition required",
            "The service wants changes and deletions to name a version, and the request names none.",
            "Send `If-Match` with the entity tag that you have seen.";
        /// The identifier is taken.
        TASK_ALREADY_EXISTS: CONFLICT "task-already-exists" "Task exists already",
            "The identifier is taken, perhaps by a task that was deleted.",
            "Create it again; each attempt gets an identifier of its own.";
        /// Nothing to reopen.
        TASK_ALREADY_OPEN: CONFLICT "task-already-open" "Task open already",
            "The task is open, and cannot be reopened.",
            "Take it as done: the task is as it was meant to be.";
        /// Completed, and so neither to complete nor to cancel.
        TASK_ALREADY_COMPLETED: CONFLICT "task-already-completed" "Task completed already",
            "The task is completed, and can be neither completed nor cancelled.",
            "Reopen it first, if it is to change.";
        /// Cancelled, and so neither to complete nor to cancel.
        TASK_ALREADY_CANCELLED: CONFLICT "task-already-cancelled" "Task cancelled already",
            "The task is cancelled, and can be neither completed nor cancelled.",
            "Reopen it first, if it is to change.";
        /// More tags than a task may have.
        TOO_MANY_TAGS: CONFLICT "too-many-tags" "Too many tags",
            "The task would have more tags than a task may have.",
            "Remove some first.";
        /// More attachments than a task may have.
        TOO_MANY_ATTACHMENTS: CONFLICT "too-many-attachments" "Too many attachments",
            "The task has as many attachments as a task may have.",
            "Delete one first.";
        /// A key that came with another request.
        IDEMPOTENCY_KEY_REUSED: UNPROCESSABLE_ENTITY "idempotency-key-reused" "Idempotency key reused",
            "The caller sent the same `Idempotency-Key` with another request before.",
            "Send a new key with each new request, and the same key only with the very same request.";
        /// A key whose first request is not answered yet.
        IDEMPOTENCY_KEY_IN_FLIGHT: CONFLICT "idempotency-key-in-flight" "Idempotency key in flight",
            "Another request of the caller with the same `Idempotency-Key` is being processed.",
            "Repeat the request after `Retry-After` seconds, to get the result of the first.";
        /// More requests than the tenant, or the caller, may send.
        RATE_LIMITED: TOO_MANY_REQUESTS "rate-limited" "Too many requests",
            "The tenant, or the caller, has sent more requests of this class than it may; `violated-policies` names the limit, \
             and `RateLimit-Policy` says how many it allows.",
            "Try again after `Retry-After` seconds, and send fewer.";
        /// A dependency is unavailable.
        UNAVAILABLE: SERVICE_UNAVAILABLE "unavailable" "Not available for the moment",
            "Something that the service needs is unavailable; `detail` says what.",
            "Try again after `Retry-After` seconds, a write with its `Idempotency-Key`.";
    }
}

pub use own::*;
use runtime::http::{ProblemType, problems};

/// Every type that a caller can meet.
pub fn every() -> impl Iterator<Item = &'static ProblemType> {
    problems::ALL.iter().chain(ALL).copied()
}

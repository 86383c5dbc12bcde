//! The types of problems that every HTTP function can answer, whatever its routes.

crate::problem_types! {
    /// The request is no HTTP that can be understood.
    BAD_REQUEST: BAD_REQUEST "bad-request" "Bad request",
        "The request's target is not a URI, or its body is not encoded as it says.",
        "Correct the request; sent again as it is, it fails again.";
    /// Nothing at this address.
    NOT_FOUND: NOT_FOUND "not-found" "Not found",
        "There is nothing at this address, or nothing that this caller may know of.",
        "Check the path and the identifiers in it. What was deleted does not come back.";
    /// The address does not know the method.
    METHOD_NOT_ALLOWED: METHOD_NOT_ALLOWED "method-not-allowed" "Method not allowed",
        "The address exists, and does not support the request's method.",
        "Use a method that the header `Allow` names.";
    /// The body is too large.
    PAYLOAD_TOO_LARGE: PAYLOAD_TOO_LARGE "payload-too-large" "Payload too large",
        "The body has more bytes than are taken.",
        "Send less, in several requests if need be.";
    /// The head is too large.
    HEAD_TOO_LARGE: REQUEST_HEADER_FIELDS_TOO_LARGE "head-too-large" "Head too large",
        "The request has too many headers, or too many bytes in them and its target.",
        "Send fewer or shorter ones; `detail` says how many are taken.";
    /// A fault of ours.
    INTERNAL: INTERNAL_SERVER_ERROR "internal" "Internal error",
        "The request failed through a fault of the service.",
        "Report `request_id`, under which the service's log says more. A write may be repeated with its `Idempotency-Key`.";
    /// It took too long.
    TIMED_OUT: SERVICE_UNAVAILABLE "timed-out" "Timed out",
        "The request took longer than the service allows.",
        "Try again after `Retry-After` seconds. A write may have been applied: repeat it with its `Idempotency-Key`.";
}

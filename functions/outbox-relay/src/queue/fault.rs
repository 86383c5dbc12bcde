//! Whose fault it is when a queue does not take a fact: the fact's, or nobody's who could be parked.
//!
//! What concerns everybody who sends (no access, no queue, no key, too many requests) is never a
//! fact's fault, whatever the queue says about the sender: an outage must park nothing.

use aws_sdk_sqs::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_sqs::operation::send_message_batch::SendMessageBatchError;
use aws_sdk_sqs::types::BatchResultErrorEntry;
use store::Fault;

/// Codes of whole requests that only an entry can be the cause of.
const OF_CONTENTS: [&str; 3] = ["BatchRequestTooLong", "InvalidMessageContents", "MessageTooLong"];
/// Parts of codes, in lower case, that concern everybody.
const OF_EVERYBODY: [&str; 20] = [
    "access",
    "address",
    "auth",
    "credential",
    "expired",
    "internal",
    "kms",
    "nonexistent",
    "notexist",
    "optin",
    "overlimit",
    "queuedeleted",
    "security",
    "signature",
    "throttl",
    "token",
    "toomanyrequests",
    "unavailable",
    "unrecognized",
    "unsupported",
];

/// Of an entry that was not taken while its request was.
pub(super) fn of_entry(error: &BatchResultErrorEntry) -> (Fault, String) {
    let code = code(error.code());
    let is_its_own = error.sender_fault() && !concerns_everybody(&code);
    (if is_its_own { Fault::Refused } else { Fault::NotTaken }, code)
}

/// Of an entry of which the answer says nothing.
pub(super) fn unanswered() -> (Fault, String) {
    (Fault::NotTaken, "NoAnswer".to_owned())
}

/// Of a whole request; `None` if the queue is unavailable. A code that is not known may be about an
/// entry, but parks none.
pub(super) fn of_request(error: &SdkError<SendMessageBatchError>) -> Option<(Fault, String)> {
    let status = error.raw_response().map(|response| response.status().as_u16());
    let code = code(error.as_service_error().and_then(|error| error.code()).unwrap_or_default());
    if OF_CONTENTS.iter().any(|one| code.contains(one)) {
        return Some((Fault::Refused, code));
    }
    let is_about_the_request = matches!(status, Some(400 | 413 | 422));
    (is_about_the_request && !concerns_everybody(&code)).then_some((Fault::NotTaken, code))
}

fn concerns_everybody(code: &str) -> bool {
    let code = code.to_ascii_lowercase();
    OF_EVERYBODY.iter().any(|part| code.contains(part))
}

/// The code as a label: it comes from outside.
fn code(code: &str) -> String {
    let code: String = code.chars().filter(char::is_ascii_graphic).take(64).collect();
    if code.is_empty() { "Unknown".to_owned() } else { code }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(code: &str, sender_fault: bool) -> Fault {
        let entry = BatchResultErrorEntry::builder().id("1").code(code).sender_fault(sender_fault);
        of_entry(&entry.build().unwrap()).0
    }

    #[test]
    fn what_the_sender_is_blamed_for_is_the_facts_fault() {
        for code in ["InvalidMessageContents", "InvalidParameterValue", "MessageTooLong", "New"] {
            assert_eq!(fault(code, true), Fault::Refused, "{code}");
            assert_eq!(fault(code, false), Fault::NotTaken, "{code}");
        }
    }

    #[test]
    fn what_concerns_everybody_is_no_facts_fault_whoever_is_blamed() {
        for code in [
            "AccessDenied",
            "AccessDeniedException",
            "AWS.SimpleQueueService.NonExistentQueue",
            "AWS.SimpleQueueService.QueueDeletedRecently",
            "ExpiredToken",
            "InternalError",
            "InvalidAddress",
            "InvalidClientTokenId",
            "InvalidSecurity",
            "KMS.DisabledException",
            "KmsThrottled",
            "OverLimit",
            "QueueDoesNotExist",
            "RequestThrottled",
            "ServiceUnavailable",
            "SignatureDoesNotMatch",
            "ThrottlingException",
            "UnrecognizedClientException",
            "UnsupportedOperation",
        ] {
            assert_eq!(fault(code, true), Fault::NotTaken, "{code}");
        }
    }
}

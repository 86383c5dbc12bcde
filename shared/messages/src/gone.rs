//! How SQS says that a receipt handle is of no use any more.

use aws_sdk_sqs::types::BatchResultErrorEntry;

/// Of a receipt handle that expired, or whose message was deleted.
pub const INVALID_HANDLE: &str = "ReceiptHandleIsInvalid";
/// Of a message that is visible.
const NOT_IN_FLIGHT: &str = "MessageNotInflight";
/// A FIFO queue says this, too, of a receipt handle that expired: the message names the cause.
const INVALID_PARAMETER: &str = "InvalidParameterValue";

/// Whether the message was deleted, or others may have been handed it.
#[must_use]
pub fn is_gone(entry: &BatchResultErrorEntry) -> bool {
    let expired = || entry.message().is_some_and(|message| message.contains("expired"));
    // The older protocol has a prefix before each code.
    let code = entry.code();
    code.ends_with(INVALID_HANDLE)
        || code.ends_with(NOT_IN_FLIGHT)
        || code.ends_with(INVALID_PARAMETER) && expired()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(code: &str, message: &str) -> BatchResultErrorEntry {
        let entry = BatchResultErrorEntry::builder().id("0").code(code).message(message);
        entry.sender_fault(true).build().unwrap()
    }

    #[test]
    fn a_message_is_gone_for_three_causes_and_no_other() {
        let gone = ["ReceiptHandleIsInvalid", "AWS.SimpleQueueService.MessageNotInflight"];
        assert!(gone.iter().all(|code| is_gone(&entry(code, ""))));
        let expired = "Value is invalid. Reason: The receipt handle has expired.";
        assert!(is_gone(&entry("InvalidParameterValue", expired)));
        let beyond = "Total VisibilityTimeout is beyond the limit [43200 seconds]";
        assert!(!is_gone(&entry("InvalidParameterValue", beyond)));
        assert!(!is_gone(&entry("InternalError", "")));
    }
}

//! Why messages are not handled, or not to the end, for a cause that is not theirs.

use crate::sqs::Retry;

/// For messages that were not begun.
pub(super) fn shut_down() -> Retry {
    Retry::interrupted("shut_down", "the consumer shut down before it handled the message")
}

/// For messages that others may receive.
pub(super) fn visibility_lost() -> Retry {
    let detail = "the heartbeat failed for too long, or the message is gone: others may have it";
    Retry::interrupted("visibility_lost", detail)
}

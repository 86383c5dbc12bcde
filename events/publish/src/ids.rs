//! The identifiers that producers in any language compute alike.

use std::fmt::Write as _;

use aws_lc_rs::digest::{SHA256, digest};
use events::CommandEvent;

/// What makes two messages one to the queue: the SHA-256 of tenant, source and id, each of which is
/// unique only within the one before, in 64 lower-case hexadecimal digits. None of them can hold the
/// line feed between them.
pub(crate) fn deduplication(event: &CommandEvent) -> String {
    sha256(format!("{}\n{}\n{}", event.command.tenant, event.source, event.id).as_bytes())
}

/// In 64 lower-case hexadecimal digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref().iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string does not fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

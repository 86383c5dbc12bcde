//! The identifiers that producers in any language compute alike.

use events::CommandEvent;
use objects::claim_check::sha256;

/// What makes two messages one to the queue: the SHA-256 of tenant, source and id, each of which is
/// unique only within the one before, in 64 lower-case hexadecimal digits. None of them can hold the
/// line feed between them.
pub(crate) fn deduplication(event: &CommandEvent) -> String {
    sha256(format!("{}\n{}\n{}", event.command.tenant, event.source, event.id).as_bytes())
}

//! A message as the handler sees it.

use store::Incoming;

/// A command and what its delivery says.
pub(crate) struct Message {
    pub(crate) incoming: Incoming,
    pub(crate) is_last_delivery: bool,
}

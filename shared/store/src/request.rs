//! The commands of one HTTP request, which are applied together.
//!
//! What a request adds to a batch from the queue: while it is processed, another one under the same
//! idempotency key gets an error instead of waiting for it; and a key that was used before by another
//! request spoils all of this one.

use std::sync::Arc;

use domain::{TenantId, Timestamp};
use sha2::{Digest as _, Sha256};

use crate::apply::BatchScope;
use crate::error::ApplyError;
use crate::inbox::{CommandKey, Incoming, Receipt, RequestKey};
use crate::store::Store;

impl Store {
    /// Applies the commands of one request of `tenant`, as [`apply`](Self::apply) does. `key` is the
    /// request's idempotency key, if it has one.
    ///
    /// If any command's key was used before by another command, nothing is written, and every
    /// receipt says [`Outcome::KeyReused`](crate::Outcome::KeyReused).
    ///
    /// # Errors
    /// As [`apply`](Self::apply), and [`ApplyError::InFlight`] while another request under the key is
    /// being processed.
    pub async fn apply_request(
        &self,
        tenant: &TenantId,
        key: Option<&RequestKey>,
        commands: impl Into<Arc<[Incoming]>>,
        now: Timestamp,
    ) -> Result<Vec<Receipt>, ApplyError> {
        let idempotency_lock = key.map(|key| idempotency_lock(tenant, key));
        self.run(commands.into(), BatchScope::Request { idempotency_lock }, now).await
    }
}

/// The advisory lock of a key. Two keys with one digest could not be processed at the
/// same time, which would be one needless answer to try again; so 64 bits are plenty.
pub(crate) fn idempotency_lock(tenant: &TenantId, request: &RequestKey) -> i64 {
    let RequestKey { key: CommandKey { source, id }, caller } = request;
    // No part has a line break.
    let digest = Sha256::digest(format!("{tenant}\n{source}\n{id}\n{}", caller.as_str()));
    digest.first_chunk().copied().map_or(0, i64::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_of_each_tenant_source_and_caller_has_a_lock_of_its_own() {
        let of = |tenant: &str, source: &str, id: &str, caller: &str| {
            let key = CommandKey { source: source.to_owned(), id: id.to_owned() };
            let key = RequestKey { key, caller: caller.parse().unwrap() };
            idempotency_lock(&tenant.parse().unwrap(), &key)
        };
        let one = of("acme", "/a", "1", "ann");
        assert_eq!(one, of("acme", "/a", "1", "ann"));
        for other in [
            of("other", "/a", "1", "ann"),
            of("acme", "/b", "1", "ann"),
            of("acme", "/a", "2", "ann"),
            of("acme", "/a", "1", "bob"),
        ] {
            assert_ne!(one, other);
        }
    }
}

//! Tokens that were verified with the present keys, and what they say: a caller shows the same one with
//! each request, and a signature takes longer to check than everything else of a read.
//!
//! They are known by their digest, for whoever reads our memory must not find tokens. They go with
//! the keys, so that a key that the issuer withdrew is not believed for longer than without them.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use quick_cache::sync::Cache;
use serde_json::Value;

use super::caller::{Caller, Scope};
use super::token::Claims;

/// Who a token is of, and what it allows.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    pub(super) caller: Arc<Caller>,
    pub(super) reads: bool,
    pub(super) writes: bool,
}

/// What a token says whose signature, issuer and times are right, or why it is refused all the same.
pub(super) type Reading = Result<Grant, &'static str>;

impl Grant {
    pub(super) fn allows(&self, scope: Scope) -> bool {
        match scope {
            Scope::TasksRead => self.reads,
            Scope::TasksWrite => self.writes,
        }
    }
}

/// How many are kept, at most.
const MOST: usize = 1_000;

/// By their SHA-256 digests.
pub(super) struct Verified(Cache<[u8; 32], Entry>);

#[derive(Clone)]
struct Entry {
    reading: Reading,
    /// The last second at which the token holds, since 1970.
    until: u64,
}

impl Verified {
    pub(super) fn new() -> Self {
        Self(Cache::new(MOST))
    }

    /// What a token says that was verified and holds at `now`, in seconds since 1970.
    pub(super) fn get(&self, token: &str, now: u64) -> Option<Reading> {
        let entry = self.0.get(&name(token)?)?;
        (now <= entry.until).then_some(entry.reading)
    }

    /// Keeps what a token with these claims says, until `leeway` seconds after its `exp`.
    pub(super) fn put(&self, token: &str, claims: &Claims, leeway: u64, reading: Reading) {
        let expires = claims.get("exp").and_then(Value::as_u64);
        // A token without a plain `exp` is verified each time.
        if let (Some(name), Some(expires)) = (name(token), expires) {
            let until = expires.saturating_add(leeway);
            self.0.insert(name, Entry { reading, until });
        }
    }
}

fn name(token: &str) -> Option<[u8; 32]> {
    digest(&SHA256, token.as_bytes()).as_ref().try_into().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Keeps a token with this `exp`, which is refused with a reason.
    fn put(verified: &Verified, token: &str, expires: &Value) {
        let claims = json!({ "exp": expires });
        verified.put(token, claims.as_object().unwrap(), 10, Err("it is malformed"));
    }

    #[test]
    fn a_token_is_known_until_it_expires() {
        let verified = Verified::new();
        put(&verified, "a", &json!(100));
        assert_eq!(verified.get("a", 110).unwrap().unwrap_err(), "it is malformed");
        assert!(verified.get("a", 111).is_none());
        assert!(verified.get("b", 100).is_none());
    }

    #[test]
    fn what_has_no_plain_end_is_not_kept_and_neither_is_more_than_there_is_room_for() {
        let verified = Verified::new();
        for odd in [json!(null), json!("100"), json!(100.5), json!(-1)] {
            put(&verified, "a", &odd);
            assert!(verified.get("a", 0).is_none(), "{odd}");
        }
        for number in 0..2 * MOST {
            put(&verified, &number.to_string(), &json!(100));
        }
        assert!(verified.0.len() <= MOST);
    }
}

//! Idempotency keys belong to the caller that chose them.

use sha2::{Digest as _, Sha256};

use crate::text::Actor;

impl Actor {
    /// Under what a request of this caller is recorded if another caller of its tenant took the key `key`
    /// before: 71 visible ASCII characters, the same each time.
    ///
    /// The first one's request is recorded under the key itself, as all were before keys belonged to
    /// callers: so processes of that time and of today recognise each other's requests.
    #[must_use]
    pub fn own_key(&self, key: &str) -> String {
        // No part has a line break.
        let digest = Sha256::digest(format!("{}\n{key}", self.as_str()));
        let digits = digest.iter().map(|byte| format!("{byte:02x}"));
        digits.fold("caller-".to_owned(), |key, digits| key + &digits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_caller_has_a_key_of_its_own_that_never_changes() {
        let of = |caller: &str, key| caller.parse::<Actor>().unwrap().own_key(key);
        let ann = "caller-970147e8e42b8a37519c2a95bed2bc950855342a8a61edd4bb06df860b287c48";
        assert_eq!(of("ann", "order-17"), ann);
        assert_ne!(of("bob", "order-17"), ann);
        assert_ne!(of("ann", "order-18"), ann);
    }
}

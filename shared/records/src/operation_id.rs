//! The identifier of an operation.

use std::fmt;
use std::str::FromStr;

use domain::TenantId;
use sha2::{Digest as _, Sha256};

/// The identifier of an operation, unique within its tenant: 32 lower-case hexadecimal digits. The
/// same request, recognised by its idempotency key, has the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OperationId(u128);

/// A text that is no operation's identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected 32 hexadecimal digits in lower case")]
pub struct NoOperationId;

impl OperationId {
    const LENGTH: usize = 32;

    /// The identifier of the tenant's operation with this idempotency key.
    #[must_use]
    pub fn of(tenant: &TenantId, key: &str) -> Self {
        let digest = Sha256::digest(format!("{tenant}\n{key}"));
        Self(digest.iter().take(16).fold(0, |id, byte| id << 8 | u128::from(*byte)))
    }

    /// The key of its item. A tenant has no slash.
    pub(crate) fn key(self, tenant: &TenantId) -> String {
        format!("{tenant}/{self}")
    }
}

domain::schema!(OperationId, {
    "type": "string",
    "description": "An operation's identifier: 32 hexadecimal digits in lower case.",
    "examples": ["7d5e9c1f0a3b4c6d8e2f1a0b9c8d7e6f"],
    "pattern": "^[0-9a-f]{32}$",
});

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl FromStr for OperationId {
    type Err = NoOperationId;

    fn from_str(text: &str) -> Result<Self, NoOperationId> {
        let digits = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let valid = digits && text.len() == Self::LENGTH;
        let id = valid.then(|| u128::from_str_radix(text, 16).ok()).flatten();
        id.map(Self).ok_or(NoOperationId)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_read_as_it_is_written() {
        let tenant: TenantId = "acme".parse().unwrap();
        let id = OperationId::of(&tenant, "order-17");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_ne!(id, OperationId::of(&tenant, "order-18"));
        assert_ne!(id, OperationId::of(&"other".parse().unwrap(), "order-17"));
        for bad in
            ["", "0", &id.to_string().to_uppercase(), &format!("{id}0"), "+".repeat(32).as_str()]
        {
            assert_eq!(bad.parse::<OperationId>(), Err(NoOperationId), "{bad}");
        }
    }
}

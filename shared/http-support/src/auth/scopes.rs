//! What a token allows, as its issuer writes it: issuers differ in the claim, in its shape, and in the
//! names that they can give to a permission.

use serde_json::Value;

use super::caller::Scope;
use super::config::Config;
use super::token::Claims;

/// Where a token says what it allows, and by which names.
pub(super) struct Scopes {
    claim: String,
    read: String,
    write: String,
}

impl Scopes {
    pub(super) fn of(config: &Config) -> Self {
        Self {
            claim: config.auth_scope_claim.clone(),
            read: config.auth_read_scope.clone(),
            write: config.auth_write_scope.clone(),
        }
    }

    /// The issuer's name of a scope.
    pub(super) fn name(&self, scope: Scope) -> &str {
        match scope {
            Scope::TasksRead => &self.read,
            Scope::TasksWrite => &self.write,
        }
    }

    /// Whether the claim has the name: a text of several with spaces between (RFC 8693, section 4.2), or
    /// a list of texts, as Okta and Auth0 write it.
    pub(super) fn grant(&self, scope: Scope, claims: &Claims) -> bool {
        let name = self.name(scope);
        match claims.get(&self.claim) {
            Some(Value::String(names)) => names.split(' ').any(|it| it == name),
            Some(Value::Array(names)) => names.iter().any(|it| it.as_str() == Some(name)),
            _ => false,
        }
    }
}

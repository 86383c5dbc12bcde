//! Whose tasks a token opens, as its issuer writes it: an issuer may have names for tenants that are
//! none here.

use std::collections::HashMap;

use domain::TenantId;
use serde_json::Value;

use super::token::Claims;

/// Where a token names the tenant, and by which names.
pub(super) struct Tenants {
    claim: String,
    /// By the issuer's name; empty if its names are ours.
    by_name: HashMap<String, TenantId>,
}

impl Tenants {
    pub(super) fn new(claim: String, names: Vec<(String, TenantId)>) -> Self {
        Self { claim, by_name: names.into_iter().collect() }
    }

    /// The tenant that a token names, or why it names none.
    pub(super) fn named_by(&self, claims: &Claims) -> Result<TenantId, &'static str> {
        let name = claims
            .get(&self.claim)
            .and_then(Value::as_str)
            .ok_or("the claim that names the tenant is missing")?;
        if self.by_name.is_empty() {
            return name.parse().map_err(|_| "the claim that names the tenant is malformed");
        }
        let tenant = self.by_name.get(name).cloned();
        tenant.ok_or("the tenant is not one of AUTH_TENANTS")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_listed_tenants_are_let_in_and_each_by_its_exact_name() {
        let acme: TenantId = "acme".parse().unwrap();
        let names = vec![("org_9ybsU1dN".to_owned(), acme.clone())];
        let tenants = Tenants::new("org_id".to_owned(), names);
        let find = |name: &str| {
            let claims = json!({ "org_id": name, "tenant": "acme" });
            tenants.named_by(claims.as_object().unwrap()).ok()
        };
        assert_eq!(find("org_9ybsU1dN"), Some(acme));
        for other in ["org_9ybsu1dn", "acme", "", "org_9ybsU1dN "] {
            assert_eq!(find(other), None, "{other}");
        }
    }
}

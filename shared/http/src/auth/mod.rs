//! Who is calling: OAuth 2.0 bearer tokens that are JWTs (RFC 6750, RFC 9068).
//!
//! A [`Guard`] stands before every route: it knows the caller, checks its scopes and counts
//! its requests. A handler takes [`Reader`] or [`Writer`] as its first argument; the tenant that it
//! gets there is the only one that it can act for.

mod caller;
mod config;
mod fetch;
mod guard;
mod jwks;
mod keys;
#[cfg(test)]
mod tests;
mod token;
mod verified;

use std::sync::Arc;

use anyhow::anyhow;
use axum::http::HeaderMap;
use jsonwebtoken::{Algorithm, Validation, get_current_timestamp};
use runtime::http::LogField;

pub use caller::{Caller, Reader, Scope, Subject, Writer};
pub use config::Config;
pub use guard::Guard;

use crate::Problem;
use jwks::{Cached, Jwks, Pace};
use keys::{Key, NoKey};
use token::Claims;

/// Seconds after which a caller may try again when the issuer's keys cannot be had.
const RETRY_AFTER: u32 = 5;

/// Verifies tokens. Cheap to clone; part of a router's state.
#[derive(Clone)]
pub struct Authenticator(Arc<Inner>);

struct Inner {
    jwks: Arc<Jwks>,
    tenant_claim: String,
}

impl Authenticator {
    /// Fetches nothing yet: the issuer's keys are asked for by the first request.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self::with_pace(config, Pace::default())
    }

    fn with_pace(config: Config, pace: Pace) -> Self {
        let rules = rules(&config);
        let jwks = Arc::new(Jwks::new(config.auth_jwks_url, rules, pace));
        Self(Arc::new(Inner { jwks, tenant_claim: config.auth_tenant_claim }))
    }

    /// The caller whose token the headers bear, if it has the scope. A [`Guard`] calls
    /// it.
    ///
    /// Refused with a 401 that says why, a 403 for a missing scope, and a 503 while the issuer
    /// was never reached.
    pub async fn authenticate(&self, headers: &HeaderMap, scope: Scope) -> Result<Caller, Problem> {
        let claims = self.claims(token::bearer(headers)?).await?;
        let caller = Caller::from_claims(&claims, &self.0.tenant_claim)?;
        LogField::Tenant.log(caller.tenant.as_str());
        if scope.is_granted_by(&claims) {
            Ok(caller)
        } else {
            Err(Problem::InsufficientScope(scope.as_str()))
        }
    }

    async fn claims(&self, token: &str) -> Result<Arc<Claims>, Problem> {
        let id = token::key_id(token)?;
        let cached = self.0.jwks.current().await.ok_or_else(unreachable)?;
        if let Some(claims) = cached.verified.get(token, get_current_timestamp()) {
            return Ok(claims);
        }
        match cached.keys.find(id.as_deref()) {
            Ok(key) => verify(token, key, &cached),
            Err(NoKey::Ambiguous) => Err(Problem::InvalidToken("the header kid is missing")),
            // The issuer may have begun to use a new key since.
            Err(NoKey::Unknown) => {
                let newer = self.0.jwks.newer_than(Some(&cached)).await.ok_or_else(unreachable)?;
                match newer.keys.find(id.as_deref()) {
                    Ok(key) => verify(token, key, &newer),
                    Err(_) => Err(Problem::InvalidToken("the issuer has no such key")),
                }
            }
        }
    }
}

fn verify(token: &str, key: &Key, cached: &Cached) -> Result<Arc<Claims>, Problem> {
    let claims = Arc::new(token::verify(token, key)?);
    cached.verified.put(token, &claims, key.validation.leeway);
    Ok(claims)
}

fn unreachable() -> Problem {
    let cause = anyhow!("there are no keys of the issuer yet: the last fetch failed");
    Problem::Unavailable { what: "the issuer of tokens", retry_after: RETRY_AFTER, cause }
}

/// What every token must fulfil. Each key adds its algorithm.
fn rules(config: &Config) -> Validation {
    let mut rules = Validation::new(Algorithm::EdDSA);
    rules.algorithms.clear();
    rules.leeway = config.auth_clock_skew_seconds.into();
    rules.validate_nbf = true;
    rules.set_issuer(&[&config.auth_issuer]);
    rules.set_audience(&[&config.auth_audience]);
    rules.set_required_spec_claims(&["iss", "aud", "exp", "sub"]);
    rules
}

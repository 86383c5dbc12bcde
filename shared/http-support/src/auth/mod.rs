//! Who is calling: OAuth 2.0 bearer tokens that are JWTs (RFC 6750, RFC 9068).
//!
//! A [`Guard`] stands before every route: it knows the caller, checks its scopes and counts
//! its requests. A handler takes [`Reader`] or [`Writer`] as its first argument; the tenant that it
//! gets there is the only one that it can act for.

mod caller;
mod config;
mod ed25519;
mod fetch;
mod guard;
mod instruments;
mod jwks;
mod key_state;
mod keys;
mod refresh;
mod scopes;
mod tenants;
#[cfg(test)]
mod tests;
mod token;
mod verified;

use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use jsonwebtoken::{Algorithm, Validation, get_current_timestamp};
use runtime::http::LogField;

pub use caller::{Caller, Reader, Scope, Writer};
use config::AUD;
pub use config::Config;
pub use guard::Guard;
pub use instruments::INSTRUMENTS;

use crate::Problem;
use jwks::Jwks;
use key_state::{Cached, Schedule};
use keys::{Key, NoKey};
use scopes::Scopes;
use tenants::Tenants;
use token::Claims;
use verified::{Grant, Reading};

/// Seconds after which a caller may try again when the issuer's keys cannot be had.
const RETRY_AFTER: u32 = 5;

/// Verifies tokens. Cheap to clone; part of a router's state.
#[derive(Clone)]
pub struct Authenticator(Arc<Inner>);

struct Inner {
    jwks: Jwks,
    tenants: Tenants,
    scopes: Scopes,
    /// If it is not in `aud`: the claim, and what it must be.
    audience: Option<(String, String)>,
}

impl Authenticator {
    /// Begins to fetch the issuer's keys. To be called within tokio.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let max_age = Duration::from_hours(config.auth_jwks_max_age_hours.into());
        Self::with_schedule(config, Schedule::new(max_age))
    }

    fn with_schedule(config: Config, schedule: Schedule) -> Self {
        let (rules, scopes) = (rules(&config), Scopes::of(&config));
        let audience = (config.auth_audience_claim != AUD)
            .then_some((config.auth_audience_claim, config.auth_audience));
        let tenants = Tenants::new(config.auth_tenant_claim, config.auth_tenants);
        let jwks = Jwks::start(config.auth_jwks_url, rules, schedule);
        Self(Arc::new(Inner { jwks, tenants, scopes, audience }))
    }

    /// The caller whose token is in the headers, if it has the scope. A [`Guard`] calls
    /// it.
    ///
    /// Refused with a 401 that says why, a 403 for a missing scope, and a 503 while there are no keys
    /// of the issuer, or while one that is not known cannot be fetched.
    pub async fn authenticate(
        &self,
        headers: &HeaderMap,
        scope: Scope,
    ) -> Result<Arc<Caller>, Problem> {
        let token = token::bearer(headers)?;
        let reading = match self.0.jwks.verified(token, get_current_timestamp()) {
            Some(reading) => reading,
            // Boxed, so that requests with a known token do not carry what verifies others.
            None => Box::pin(self.verify_unknown(token)).await?,
        };
        let grant = reading.map_err(Problem::InvalidToken)?;
        LogField::Tenant.log(grant.caller.tenant.as_str().to_owned());
        LogField::Actor.log(grant.caller.actor.as_str().to_owned());
        if grant.allows(scope) {
            Ok(grant.caller)
        } else {
            Err(Problem::InsufficientScope(self.0.scopes.name(scope).to_owned()))
        }
    }

    async fn verify_unknown(&self, token: &str) -> Result<Reading, Problem> {
        let header = token::header(token)?;
        let cached = self.0.jwks.current().await.map_err(unavailable)?;
        match cached.keys.find(&header.header) {
            Ok(keys) => self.0.verify(token, &header, &keys, &cached),
            Err(NoKey::Ambiguous) => Err(Problem::InvalidToken("the header kid is missing")),
            // The issuer may have begun to use a new key since.
            Err(NoKey::Unknown) => {
                let newest = self.0.jwks.newest().await.map_err(unavailable)?;
                match newest.keys.find(&header.header) {
                    Ok(keys) => self.0.verify(token, &header, &keys, &newest),
                    Err(_) => Err(Problem::InvalidToken("the issuer has no such key")),
                }
            }
        }
    }
}

impl Inner {
    /// With the first key that fits; the last one's reason, if none does.
    fn verify(
        &self,
        token: &str,
        header: &token::Header,
        keys: &[&Key],
        cached: &Cached,
    ) -> Result<Reading, Problem> {
        let mut refused = Problem::InvalidToken("the issuer has no such key");
        for key in keys {
            match token::verify(token, header, key) {
                Ok(claims) => {
                    let reading = self.read(&claims);
                    cached.verified.put(token, &claims, key.validation.leeway, reading.clone());
                    return Ok(reading);
                }
                Err(problem) => refused = problem,
            }
        }
        Err(refused)
    }

    fn read(&self, claims: &Claims) -> Reading {
        if let Some((claim, audience)) = &self.audience {
            token::check_audience(claims, claim, audience)?;
        }
        Ok(Grant {
            caller: Arc::new(Caller::from_claims(claims, &self.tenants)?),
            reads: self.scopes.grant(Scope::TasksRead, claims),
            writes: self.scopes.grant(Scope::TasksWrite, claims),
        })
    }
}

fn unavailable(cause: anyhow::Error) -> Problem {
    Problem::Unavailable { what: "the issuer of tokens", retry_after: RETRY_AFTER, cause }
}

/// What every token must fulfil. Each key adds its algorithm.
fn rules(config: &Config) -> Validation {
    let mut rules = Validation::new(Algorithm::EdDSA);
    rules.algorithms.clear();
    rules.leeway = config.auth_clock_skew_seconds.into();
    rules.validate_nbf = true;
    rules.set_issuer(&[&config.auth_issuer]);
    if config.auth_audience_claim == AUD {
        rules.set_audience(&[&config.auth_audience]);
        rules.set_required_spec_claims(&["iss", "aud", "exp"]);
    } else {
        rules.validate_aud = false;
        rules.set_required_spec_claims(&["iss", "exp"]);
    }
    rules
}

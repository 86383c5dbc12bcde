//! The caller as handlers see it.

use std::fmt;

use anyhow::anyhow;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use domain::TenantId;
use serde_json::Value;

use super::tenants::Tenants;
use super::token::Claims;
use crate::Problem;

/// What a token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// See the tenant's tasks.
    TasksRead,
    /// Change the tenant's tasks.
    TasksWrite,
}

impl Scope {
    /// Its name by default: an issuer may have another one.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TasksRead => "tasks:read",
            Self::TasksWrite => "tasks:write",
        }
    }
}

/// Who the issuer says is calling. Personal data: compared and stored, never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Subject(String);

impl Subject {
    /// The claim `sub`, not empty.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subject(***)")
    }
}

/// An authenticated caller.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The only tenant that the caller may act for.
    pub tenant: TenantId,
    /// Who it is within the tenant's own directory.
    pub subject: Subject,
}

impl Caller {
    pub(super) fn from_claims(claims: &Claims, tenants: &Tenants) -> Result<Self, Problem> {
        let tenant = tenants.named_by(claims)?;
        let subject = claims
            .get("sub")
            .and_then(Value::as_str)
            .filter(|subject| !subject.is_empty())
            .ok_or(Problem::InvalidToken("the claim sub is missing or malformed"))?;
        Ok(Self { tenant, subject: Subject(subject.to_owned()) })
    }
}

/// What a guard leaves in a request that it lets through. Nobody else can make one.
#[derive(Clone)]
pub(super) struct Authenticated {
    pub(super) caller: Caller,
    pub(super) scope: Scope,
}

impl Authenticated {
    /// The caller, if a guard let it in with this scope. On a route without one nobody gets in: the
    /// caller gets a 500, and the log has the reason.
    fn caller(parts: &Parts, scope: Scope) -> Result<Caller, Problem> {
        let authenticated = parts.extensions.get::<Self>().filter(|found| found.scope == scope);
        let caller = authenticated.map(|found| found.caller.clone());
        caller.ok_or_else(|| anyhow!("this route has no guard for {scope:?}").into())
    }
}

/// Extracts a caller that may read, from behind a [`Guard`](super::Guard).
#[derive(Clone, Debug)]
pub struct Reader(pub Caller);

/// Extracts a caller that may write, from behind a [`Guard`](super::Guard).
#[derive(Clone, Debug)]
pub struct Writer(pub Caller);

impl<S: Send + Sync> FromRequestParts<S> for Reader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Authenticated::caller(parts, Scope::TasksRead).map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Writer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Authenticated::caller(parts, Scope::TasksWrite).map(Self)
    }
}

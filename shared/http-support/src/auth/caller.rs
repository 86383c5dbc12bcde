//! The caller as handlers see it.

use std::sync::Arc;

use anyhow::anyhow;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use domain::{Actor, TenantId};

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

/// An authenticated caller.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The only tenant that the caller may act for.
    pub tenant: TenantId,
    /// Who it is, as the issuer has it.
    pub actor: Actor,
}

impl Caller {
    /// Whom the claims name, or why it is nobody.
    pub(super) fn from_claims(claims: &Claims, tenants: &Tenants) -> Result<Self, &'static str> {
        let tenant = tenants.named_by(claims)?;
        Ok(Self { tenant, actor: actor(claims)? })
    }
}

/// The claims that may say who calls, the first one that there is. A program that acts for itself has a
/// `sub` by RFC 9068, the identifier of the client; issuers that leave it out have that in another claim.
const ACTOR_CLAIMS: [&str; 3] = ["sub", "client_id", "azp"];

fn actor(claims: &Claims) -> Result<Actor, &'static str> {
    let found = ACTOR_CLAIMS.iter().find_map(|name| claims.get(*name));
    let found = found.ok_or("the claim sub is missing")?;
    let actor = found.as_str().and_then(|text| text.parse().ok());
    actor.ok_or("the claim that names the caller is malformed")
}

/// What a guard leaves in a request that it lets through. Nobody else can make one.
#[derive(Clone)]
pub(super) struct Authenticated {
    pub(super) caller: Arc<Caller>,
    pub(super) scope: Scope,
}

impl Authenticated {
    /// The caller, if a guard let it in with this scope. On a route without one nobody gets in: the
    /// caller gets a 500, and the log has the reason.
    fn caller(parts: &Parts, scope: Scope) -> Result<Arc<Caller>, Problem> {
        let authenticated = parts.extensions.get::<Self>().filter(|found| found.scope == scope);
        let caller = authenticated.map(|found| Arc::clone(&found.caller));
        caller.ok_or_else(|| anyhow!("this route has no guard for {scope:?}").into())
    }
}

/// Extracts a caller that may read, from behind a [`Guard`](super::Guard).
#[derive(Clone, Debug)]
pub struct Reader(pub Arc<Caller>);

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
        Authenticated::caller(parts, Scope::TasksWrite).map(Arc::unwrap_or_clone).map(Self)
    }
}

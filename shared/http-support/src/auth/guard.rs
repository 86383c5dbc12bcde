//! What stands before every route: who is calling, are they allowed to, and not too often?
//!
//! It is middleware, so that all of this is settled before a body is read, and so that every answer
//! has the limit. [`Reader`](super::Reader) and [`Writer`](super::Writer) only find what it left; on
//! a route without a guard they find nothing, and nobody gets in.

use std::convert::Infallible;
use std::fmt::Write as _;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use axum::routing::Route;
use rate_limits::{Class, RateLimitStatus, RateLimits};
use tower::layer::layer_fn;
use tower::{ServiceExt as _, service_fn};

use super::Authenticator;
use super::caller::{Authenticated, Scope};
use crate::Problem;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// Room for a header of two limits.
const LIMITS_BYTES: usize = 64;

/// Makes the guards of a function's routes. Cheap to clone.
#[derive(Clone)]
pub struct Guard {
    authenticator: Authenticator,
    limits: RateLimits,
}

impl Guard {
    /// Callers that `authenticator` knows, as often as `limits` allows.
    #[must_use]
    pub fn new(authenticator: Authenticator, limits: RateLimits) -> Self {
        Self { authenticator, limits }
    }

    /// Stands before `routes`, which are of `class`; the class decides the scope, too. What is added
    /// to them later is not guarded, and a 405 is for everybody.
    ///
    /// Refuses with 401, 403, 429, and 503 while the issuer's keys cannot be had. A request is counted
    /// once its caller is known and has the scope, whatever becomes of it then.
    pub fn before<S: Clone + Send + Sync + 'static>(
        &self,
        class: Class,
        routes: Router<S>,
    ) -> Router<S> {
        let guard = self.clone();
        // Not axum's middleware of functions, which boxes its route anew for each request.
        routes.route_layer(layer_fn(move |route: Route| {
            let guard = guard.clone();
            service_fn(move |request| check(guard.clone(), class, request, route.clone()))
        }))
    }
}

async fn check(
    guard: Guard,
    class: Class,
    mut request: Request,
    route: Route,
) -> Result<Response, Infallible> {
    let scope = scope(class);
    let caller = match guard.authenticator.authenticate(request.headers(), scope).await {
        Ok(caller) => caller,
        Err(problem) => return Ok(problem.into_response()),
    };
    let statuses = guard.limits.count(&caller.tenant, &caller.actor, class).await;
    let mut response = if let Some(problem) = refusal(class, &statuses) {
        problem.into_response()
    } else {
        request.extensions_mut().insert(Authenticated { caller, scope });
        route.oneshot(request).await?
    };
    set_limits(response.headers_mut(), class, &statuses);
    Ok(response)
}

/// With every limit that does not allow the request, and the time until all do.
fn refusal(class: Class, statuses: &[RateLimitStatus]) -> Option<Problem> {
    let over = || statuses.iter().filter(|status| !status.allowed);
    let retry_after = over().map(|status| status.wait_seconds).max()?;
    let policies = over().map(|status| status.whose.policy(class)).collect();
    Some(Problem::RateLimited { class: class.as_str(), policies, retry_after })
}

fn scope(class: Class) -> Scope {
    match class {
        Class::Read | Class::List => Scope::TasksRead,
        Class::Write | Class::Bulk => Scope::TasksWrite,
    }
}

/// As in draft-ietf-httpapi-ratelimit-headers-11.
fn set_limits(headers: &mut HeaderMap, class: Class, statuses: &[RateLimitStatus]) {
    let new = || String::with_capacity(LIMITS_BYTES);
    let (mut policies, mut limits) = (new(), new());
    for RateLimitStatus { limit, whose, remaining, wait_seconds, .. } in statuses {
        let name = whose.policy(class);
        let separator = if policies.is_empty() { "" } else { ", " };
        let (burst, window) = (limit.burst, limit.window_seconds());
        // To write into a string does not fail.
        let _ = write!(policies, "{separator}\"{name}\";q={burst};w={window}");
        let _ = write!(limits, "{separator}\"{name}\";r={remaining};t={wait_seconds}");
    }
    for (name, value) in [(POLICY, policies), (LIMIT, limits)] {
        if let (false, Ok(value)) = (statuses.is_empty(), HeaderValue::try_from(value)) {
            headers.insert(name, value);
        }
    }
}

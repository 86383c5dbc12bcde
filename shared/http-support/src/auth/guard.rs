//! What stands before every route: who is calling, are they allowed to, and not too often?
//!
//! It is middleware, so that all of this is settled before a body is read, and so that every answer
//! has the limit. [`Reader`](super::Reader) and [`Writer`](super::Writer) only find what it left; on
//! a route without a guard they find nothing, and nobody gets in.

use std::fmt::Write as _;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use rate_limits::{Class, RateLimitStatus, RateLimits};

use super::Authenticator;
use super::caller::{Authenticated, Scope};
use crate::Problem;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// Makes the guards of a function's routes. Cheap to clone.
#[derive(Clone)]
pub struct Guard {
    authenticator: Authenticator,
    limits: RateLimits,
}

/// The guard of the routes of one class.
#[derive(Clone)]
struct ClassGuard {
    guard: Guard,
    class: Class,
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
        let guard = ClassGuard { guard: self.clone(), class };
        routes.route_layer(from_fn_with_state(guard, check))
    }
}

async fn check(
    State(ClassGuard { guard, class }): State<ClassGuard>,
    mut request: Request,
    next: Next,
) -> Response {
    let scope = scope(class);
    let caller = match guard.authenticator.authenticate(request.headers(), scope).await {
        Ok(caller) => caller,
        Err(problem) => return problem.into_response(),
    };
    let statuses = guard.limits.count(&caller.tenant, &caller.actor, class).await;
    let mut response = if let Some(problem) = refusal(class, &statuses) {
        problem.into_response()
    } else {
        request.extensions_mut().insert(Authenticated { caller, scope });
        next.run(request).await
    };
    set_limits(response.headers_mut(), class, &statuses);
    response
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
    let (mut policies, mut limits) = (String::new(), String::new());
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

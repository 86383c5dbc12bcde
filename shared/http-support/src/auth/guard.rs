//! What stands before every route: who is calling, are they allowed to, and not too often?
//!
//! It is middleware, so that all of this is settled before a body is read, and so that every answer
//! has the limit. [`Reader`](super::Reader) and [`Writer`](super::Writer) only find what it left; on
//! a route without a guard they find nothing, and nobody gets in.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use axum::routing::Route;
use rate_limits::{Class, ClassLimits, RateLimitStatus, RateLimits};
use tower::layer::layer_fn;
use tower::{ServiceExt as _, service_fn};

use super::Authenticator;
use super::caller::{Authenticated, Scope};
use crate::Problem;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// Room for a header of two limits.
const ITEMS_BYTES: usize = 64;

/// Makes the guards of a function's routes. Cheap to clone.
#[derive(Clone)]
pub struct Guard {
    authenticator: Authenticator,
    limits: RateLimits,
}

/// What is before the routes of one class.
struct ClassGuard {
    authenticator: Authenticator,
    limits: ClassLimits,
    /// The header that has the limits; none without them.
    policy: Option<HeaderValue>,
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
        let (authenticator, limits) = (self.authenticator.clone(), self.limits.of(class).clone());
        let policy = policy(&limits);
        let guard = Arc::new(ClassGuard { authenticator, limits, policy });
        // Not axum's middleware of functions, which boxes its route anew for each request.
        routes.route_layer(layer_fn(move |route: Route| {
            let guard = Arc::clone(&guard);
            service_fn(move |request| check(Arc::clone(&guard), request, route.clone()))
        }))
    }
}

async fn check(
    guard: Arc<ClassGuard>,
    mut request: Request,
    route: Route,
) -> Result<Response, Infallible> {
    let class = guard.limits.class();
    let scope = scope(class);
    let caller = match guard.authenticator.authenticate(request.headers(), scope).await {
        Ok(caller) => caller,
        Err(problem) => return Ok(problem.into_response()),
    };
    let statuses = guard.limits.count(&caller.tenant, &caller.actor).await;
    let mut response = if let Some(problem) = refusal(class, &statuses) {
        problem.into_response()
    } else {
        request.extensions_mut().insert(Authenticated { caller, scope });
        route.oneshot(request).await?
    };
    guard.set_limits(response.headers_mut(), &statuses);
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

impl ClassGuard {
    fn set_limits(&self, headers: &mut HeaderMap, statuses: &[RateLimitStatus]) {
        let limits = items(statuses, |limits, status| {
            let name = status.whose.policy(self.limits.class());
            write!(limits, "\"{name}\";r={};t={}", status.remaining, status.wait_seconds)
        });
        if let (Some(policy), Some(limits)) = (&self.policy, limits) {
            headers.insert(POLICY, policy.clone());
            headers.insert(LIMIT, limits);
        }
    }
}

fn policy(limits: &ClassLimits) -> Option<HeaderValue> {
    items(limits.limits(), |policies, (whose, limit)| {
        let (burst, window) = (limit.burst, limit.window_seconds());
        write!(policies, "\"{}\";q={burst};w={window}", whose.policy(limits.class()))
    })
}

/// A header with an item for each of `all`, as in draft-ietf-httpapi-ratelimit-headers-11; none without any.
fn items<T>(all: &[T], write: impl Fn(&mut String, &T) -> std::fmt::Result) -> Option<HeaderValue> {
    let mut items = String::with_capacity(ITEMS_BYTES);
    for one in all {
        if !items.is_empty() {
            items.push_str(", ");
        }
        // To write into a string does not fail.
        let _ = write(&mut items, one);
    }
    HeaderValue::try_from(items).ok().filter(|items| !items.is_empty())
}

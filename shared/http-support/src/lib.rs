//! What both HTTP functions share, so that `task-reader` and `task-writer` speak one HTTP.
//!
//! A [`Guard`] stands before every route. A handler names what it needs as arguments, and
//! each extractor answers for itself, as a [`Problem`], when the request does not have it:
//!
//! ```
//! use axum::{Router, routing::post};
//! use http_support::{Guard, IdempotencyKey, Json, Problem, Writer};
//! use rate_limits::Class;
//!
//! async fn create(
//!     Writer(caller): Writer,
//!     key: Option<IdempotencyKey>,
//!     Json(title): Json<domain::Title>,
//! ) -> Result<String, Problem> {
//!     Ok(format!("{title} of {}", caller.tenant))
//! }
//!
//! fn router(guard: &Guard) -> Router {
//!     guard.before(Class::Write, Router::new().route("/v1/tasks", post(create)))
//! }
//! ```
//!
//! The tenant of a request comes from its [`Caller`] and from nowhere else, and a [`Caller`] from the
//! guard, so a route that lacks one has no tenant for the store, and lets nobody in.

pub mod auth;
mod body;
pub mod conditional;
pub mod contract;
mod idempotency;
pub mod operation;
pub mod page;
mod parameters;
mod prefer;
mod problem;

use axum::http::{HeaderName, HeaderValue, header};

pub use auth::{Authenticator, Caller, Guard, Reader, Writer};
pub use body::{Json, MergePatch, OptionalJson};
pub use idempotency::IdempotencyKey;
pub use parameters::{Headers, Path, PathPair, Query};
pub use prefer::RespondAsync;
pub use problem::{FieldError, Problem, types as problems};

/// The header of an answer that nobody between may keep, such as a problem, or a signed URL, which is
/// as good as a password.
pub const NO_STORE: (HeaderName, HeaderValue) =
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));

/// The header of an answer that may go out compressed: a cache between must keep both.
pub const VARY: (HeaderName, HeaderValue) =
    (header::VARY, HeaderValue::from_static("accept-encoding"));

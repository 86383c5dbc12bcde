//! What both HTTP functions share, so that `task-reader` and `task-writer` speak one HTTP.
//!
//! A handler names what it needs as arguments, and each extractor answers for itself, as a
//! [`Problem`], when the request does not have it:
//!
//! ```
//! use axum::{Router, routing::post};
//! use http_support::{Authenticator, IdempotencyKey, Json, Problem, Writer};
//!
//! async fn create(
//!     Writer(caller): Writer,
//!     key: Option<IdempotencyKey>,
//!     Json(title): Json<domain::Title>,
//! ) -> Result<String, Problem> {
//!     Ok(format!("{title} of {}", caller.tenant))
//! }
//!
//! let router: Router<Authenticator> = Router::new().route("/v1/tasks", post(create));
//! ```
//!
//! The tenant of a request comes from its [`Caller`] and from nowhere else, so a handler that
//! forgets to authenticate has no tenant to ask the store for.

pub mod auth;
mod body;
pub mod conditional;
mod idempotency;
pub mod operation;
pub mod page;
mod parameters;
mod prefer;
mod problem;

use axum::http::{HeaderName, HeaderValue, header};

pub use auth::{Authenticator, Caller, Reader, Writer};
pub use body::{Json, MergePatch};
pub use idempotency::IdempotencyKey;
pub use parameters::{Path, PathPair, Query};
pub use prefer::RespondAsync;
pub use problem::{FieldError, Problem};

/// The header of an answer that nobody between may keep, such as a problem, or a signed URL, which is
/// as good as a password.
pub const NO_STORE: (HeaderName, HeaderValue) =
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));

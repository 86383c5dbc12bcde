//! Which methods the addresses of the API have, in whichever function: callers know one API, and a
//! 405 names all methods of an address. (A test holds these lists against the document.)

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::routing::MethodRouter;
use runtime::http::{ProblemDetails, method_not_allowed};

/// Paths, and the methods of each as `Allow` names them.
pub type Methods = [(&'static str, &'static str)];

/// The paths of tasks and operations.
pub const TASKS: &Methods = &[
    ("/v1/tasks", "GET,HEAD,POST"),
    ("/v1/tasks/batch", "POST"),
    ("/v1/tasks/{id}", "GET,HEAD,PATCH,DELETE"),
    ("/v1/tasks/{id}/assign", "POST"),
    ("/v1/tasks/{id}/complete", "POST"),
    ("/v1/tasks/{id}/reopen", "POST"),
    ("/v1/tasks/{id}/cancel", "POST"),
    ("/v1/tasks/{id}/history", "GET,HEAD"),
    ("/v1/operations/{id}", "GET,HEAD"),
];

/// The paths of attachments, where there are any.
pub const ATTACHMENTS: &Methods = &[
    ("/v1/tasks/{id}/attachments", "GET,HEAD,POST"),
    ("/v1/tasks/{id}/attachments/{attachment}", "GET,HEAD,DELETE"),
];

/// Answers 405 to every method that `router` does not serve at these paths.
pub fn refuse_other_methods(router: Router, methods: &'static Methods) -> Router {
    methods.iter().fold(router, |router, (path, allow)| {
        router.route(path, MethodRouter::new().fallback(async || not_allowed(allow)))
    })
}

fn not_allowed(allow: &'static str) -> ProblemDetails {
    method_not_allowed().header(header::ALLOW, HeaderValue::from_static(allow))
}

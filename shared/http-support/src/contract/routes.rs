//! One list of a function's routes, from which both come: the router that serves them, and their
//! description.
//!
//! Describing takes longer than everything else of a start, so a function that serves does not do it.

use aide::axum::ApiRouter;
use aide::axum::routing as described;
use aide::operation::OperationHandler;
use aide::transform::TransformOperation;
use aide::{OperationInput, OperationOutput};
use axum::Router;
use axum::handler::Handler;
use axum::routing as served;

/// What is known of an operation: at first what its handler's arguments say, then what
/// [`Describe`] adds.
pub type Operation<'t> = TransformOperation<'t>;

/// Adds to an operation what its handler's arguments do not say.
pub type Describe = fn(Operation<'_>) -> Operation<'_>;

/// A method of HTTP that has operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// `GET`, and `HEAD` with it.
    Get,
    /// `POST`.
    Post,
    /// `PATCH`.
    Patch,
    /// `DELETE`.
    Delete,
}

/// Where routes are listed: a [`Router`], which drops their descriptions, or an [`ApiRouter`],
/// which keeps them.
pub trait Routes<S>: Sized {
    /// Adds an operation; `path` is a template such as `/v1/tasks/{id}`.
    #[must_use]
    fn operation<H, I, O, T>(self, verb: Verb, path: &str, handler: H, describe: Describe) -> Self
    where
        H: Handler<T, S> + OperationHandler<I, O>,
        I: OperationInput,
        O: OperationOutput,
        T: 'static;
}

impl<S: Clone + Send + Sync + 'static> Routes<S> for Router<S> {
    fn operation<H, I, O, T>(self, verb: Verb, path: &str, handler: H, _: Describe) -> Self
    where
        H: Handler<T, S> + OperationHandler<I, O>,
        I: OperationInput,
        O: OperationOutput,
        T: 'static,
    {
        let method = match verb {
            Verb::Get => served::get(handler),
            Verb::Post => served::post(handler),
            Verb::Patch => served::patch(handler),
            Verb::Delete => served::delete(handler),
        };
        self.route(path, method)
    }
}

impl<S: Clone + Send + Sync + 'static> Routes<S> for ApiRouter<S> {
    fn operation<H, I, O, T>(self, verb: Verb, path: &str, handler: H, describe: Describe) -> Self
    where
        H: Handler<T, S> + OperationHandler<I, O>,
        I: OperationInput,
        O: OperationOutput,
        T: 'static,
    {
        let method = match verb {
            Verb::Get => described::get_with(handler, describe),
            Verb::Post => described::post_with(handler, describe),
            Verb::Patch => described::patch_with(handler, describe),
            Verb::Delete => described::delete_with(handler, describe),
        };
        self.api_route(path, method)
    }
}

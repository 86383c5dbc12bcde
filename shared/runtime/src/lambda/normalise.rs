//! Normalises an HTTP event, so that `lambda_http` makes the request of it that a pod would see.
//!
//! Set right before it reads the event: a stage is no part of the path; a REST API that does not send
//! binary bodies on is sent nothing compressed; the target has no scheme and host (a `Host` that is none would be a panic there, and so would a target that is no URI, or a body
//! that is no Base64); a header that was sent twice stays twice.

use std::mem;

use axum::http::{
    HeaderMap, HeaderValue, Uri,
    header::{ACCEPT_ENCODING, HOST},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use lambda_http::request::LambdaRequest;

/// What was taken out of an event for the request to be given back, or to be refused by.
#[derive(Debug, Default)]
pub(super) struct Sender {
    pub(super) host: Option<HeaderValue>,
    /// The gateway's.
    pub(super) request_id: Option<String>,
    /// Whether path and query are a request's target, and the body is what the event says.
    pub(super) is_sound: bool,
}

/// Normalises an event.
pub(super) fn normalise(event: &mut LambdaRequest, rest_api_is_binary: bool) -> Sender {
    match event {
        LambdaRequest::ApiGatewayV1(event) => {
            let stage = event.request_context.stage.take();
            event.request_context.domain_name = None;
            // Of an HTTP API with payload 1.0. A REST API's path never has the stage, though its
            // context's has.
            if event.path == event.request_context.path {
                event.path = event.path.take().map(|path| without(stage.as_deref(), path));
            }
            merge(&mut event.headers, &mut event.multi_value_headers);
            if !rest_api_is_binary {
                event.multi_value_headers.remove(ACCEPT_ENCODING);
            }
            Sender {
                host: None,
                request_id: event.request_context.request_id.clone(),
                is_sound: is_path(&mut event.path)
                    & is_body(event.is_base64_encoded, &mut event.body),
            }
        }
        LambdaRequest::ApiGatewayV2(event) => {
            event.request_context.domain_name = None;
            let stage = event.request_context.stage.take();
            event.raw_path = event.raw_path.take().map(|path| without(stage.as_deref(), path));
            Sender {
                host: event.headers.remove(HOST),
                request_id: event.request_context.request_id.clone(),
                is_sound: is_path(&mut event.raw_path)
                    & is_query(&mut event.raw_query_string)
                    & is_body(event.is_base64_encoded, &mut event.body),
            }
        }
        LambdaRequest::Alb(event) => {
            merge(&mut event.headers, &mut event.multi_value_headers);
            let is_sound =
                is_path(&mut event.path) & is_body(event.is_base64_encoded, &mut event.body);
            Sender { is_sound, ..Sender::default() }
        }
        _ => Sender::default(),
    }
}

/// An HTTP API's path begins with the stage, unless that is `$default`.
fn without(stage: Option<&str>, path: String) -> String {
    let stripped = stage
        .and_then(|stage| path.strip_prefix('/')?.strip_prefix(stage))
        .filter(|rest| rest.is_empty() || rest.starts_with('/'));
    match stripped {
        Some("") => "/".to_owned(),
        Some(rest) => rest.to_owned(),
        None => path,
    }
}

/// Moves the headers into the map of those with many values, where most of them stand already.
fn merge(single: &mut HeaderMap, multiple: &mut HeaderMap) {
    for (name, value) in mem::take(single) {
        if let Some(name) = name {
            multiple.entry(name).or_insert(value);
        }
    }
}

/// Whether it is a target's path; one that is not is replaced, for the request is to be refused by
/// us.
fn is_path(path: &mut Option<String>) -> bool {
    let is_rooted =
        path.as_ref().is_some_and(|path| path.starts_with('/') && !path.contains(['?', '#']));
    if !is_rooted {
        *path = Some("/".to_owned());
    }
    is_rooted
}

/// Whether it can stand in a target; one that cannot is taken out likewise.
fn is_query(query: &mut Option<String>) -> bool {
    let target = |query: &String| format!("/?{query}").parse::<Uri>();
    let is_target = query.as_ref().is_none_or(|query| target(query).is_ok());
    if !is_target {
        *query = None;
    }
    is_target
}

/// Whether a body that is said to be in Base64 is; one that is not is taken out likewise.
fn is_body(is_base64: bool, body: &mut Option<String>) -> bool {
    let is_sound =
        !is_base64 || body.as_ref().is_none_or(|body| BASE64_STANDARD.decode(body).is_ok());
    if !is_sound {
        *body = None;
    }
    is_sound
}

//! HTTP events into requests of the hardened router, and its responses into answers.

use anyhow::Context as _;
use axum::{
    body::{Body, Bytes},
    http::{Request, Response, header::HOST},
};
use http_body_util::{BodyExt as _, Full};
use lambda_http::{Adapter, RequestExt as _, request::LambdaRequest};
use lambda_runtime::{LambdaEvent, service_fn, tower::ServiceExt as _};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::{
    normalise::normalise,
    runtime::{Fault, deadline_now, run},
};
use crate::http::{Answer as _, Deadline, Hardened, RequestId, unsound};

/// Answers events until `shutdown`.
pub(crate) async fn serve(
    router: Hardened,
    rest_api_is_binary: bool,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    run(move |event| answer(router.clone(), rest_api_is_binary, event), shutdown).await
}

/// One event's answer, in the shape that its sender expects.
pub(crate) async fn answer(
    router: Hardened,
    rest_api_is_binary: bool,
    event: LambdaEvent<LambdaRequest>,
) -> Result<impl Serialize + Send + 'static, Fault> {
    let LambdaEvent { mut payload, mut context } = event;
    // `lambda_http` would put it in place of the `X-Amzn-Trace-Id` that the caller sent.
    context.xray_trace_id = None;
    let sender = normalise(&mut payload, rest_api_is_binary);
    let deadline = Deadline(deadline_now(&context));
    let invocation = context.request_id.clone();
    let route = service_fn(move |request: lambda_http::Request| {
        let mut request = as_sent(request).map(body);
        request.extensions_mut().insert(deadline);
        let ids = [sender.request_id.as_deref(), Some(&invocation)];
        RequestId::suggest(request.headers_mut(), &ids);
        if let Some(host) = sender.host.clone() {
            request.headers_mut().insert(HOST, host);
        }
        respond(sender.is_sound.then(|| router.clone()), request)
    });
    Adapter::from(route).oneshot(LambdaEvent { payload, context }).await
}

/// With the path that was sent: `lambda_http` resolves `..` in it, and a pod does not.
fn as_sent(mut request: lambda_http::Request) -> lambda_http::Request {
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    if let Ok(target) = format!("{}{query}", request.raw_http_path()).parse() {
        *request.uri_mut() = target;
    }
    request
}

/// The router's response in one piece: Lambda takes no stream of a body, and `lambda_http` would panic on
/// one that breaks off.
async fn respond(
    router: Option<Hardened>,
    request: Request<Body>,
) -> Result<Response<Full<Bytes>>, Fault> {
    let response = match router {
        Some(router) => router.answer(request).await,
        None => unsound(),
    };
    let (parts, body) = response.into_parts();
    let body = body.collect().await.context("the response's body broke off")?;
    Ok(Response::from_parts(parts, Full::new(body.to_bytes())))
}

fn body(body: lambda_http::Body) -> Body {
    match body {
        lambda_http::Body::Text(text) => Body::from(text),
        lambda_http::Body::Binary(bytes) => Body::from(bytes),
        _ => Body::empty(),
    }
}

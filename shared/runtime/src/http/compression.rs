//! Compressed bodies for clients that accept them (`Accept-Encoding: gzip`).

use std::{convert::Infallible, future::ready};

use axum::{
    body::{Body, HttpBody as _},
    http::{
        Extensions, HeaderMap, HeaderValue, Request, StatusCode, Version,
        header::{ACCEPT_ENCODING, ETAG},
    },
    response::Response,
};
use tower::{Layer as _, ServiceExt as _, service_fn};
use tower_http::{
    CompressionLevel,
    compression::{
        CompressionLayer, Predicate as _,
        predicate::{NotForContentType, SizeAbove},
    },
};

/// A smaller body fits into the packet of its head, or nearly so.
const LEAST_BYTES: u64 = 1_024;

/// What the client accepts, by its headers.
pub(super) fn accepted<T>(request: &Request<T>) -> Vec<HeaderValue> {
    request.headers().get_all(ACCEPT_ENCODING).iter().cloned().collect()
}

/// Whether a body need not be looked at, as those of most answers.
pub(super) fn is_small(response: &Response) -> bool {
    response.body().size_hint().exact().is_some_and(|bytes| bytes < LEAST_BYTES)
}

/// Compresses bodies of 1 KiB and more, but images, and but those with a strong entity tag: it names bytes,
/// and compressed they are others. JSON shrinks most at the first level; the others cost time.
pub(super) async fn compress(accepted: Vec<HeaderValue>, response: Response) -> Response {
    let worthwhile = SizeAbove::new(LEAST_BYTES).and(NotForContentType::IMAGES);
    let layer = CompressionLayer::new()
        .quality(CompressionLevel::Fastest)
        .compress_when(worthwhile.and(has_no_strong_tag));
    let answer = service_fn(|request: Request<_>| ready(Ok::<_, Infallible>(request.into_body())));
    let Ok(response) = layer.layer(answer).oneshot(accepting(accepted, response)).await;
    response.map(Body::new)
}

fn has_no_strong_tag(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    headers.get(ETAG).is_none_or(|tag| tag.as_bytes().starts_with(b"W/"))
}

/// A request as the layer is to see it: a client that refuses even what is not encoded gets that all
/// the same, rather than a 406 after its request was carried out (RFC 9110, section 12.5.3, allows it).
fn accepting<T>(accepted: Vec<HeaderValue>, body: T) -> Request<T> {
    let mut request = Request::new(body);
    let refuses = |value: &HeaderValue| value.as_bytes().windows(2).any(|text| text == b"=0");
    let identity = HeaderValue::from_static("identity;q=0.001");
    let last_resort = accepted.iter().any(refuses).then_some(identity);
    for value in last_resort.into_iter().chain(accepted) {
        request.headers_mut().append(ACCEPT_ENCODING, value);
    }
    request
}

#[cfg(test)]
mod tests {
    use axum::{
        Router,
        body::{Body, to_bytes},
        http::header::{CONTENT_ENCODING, VARY},
        routing::get,
    };

    use super::*;
    use crate::http::{Answer as _, Config, harden};

    /// The encoding and `Vary` of what `tag` names, of so many bytes, for a client that accepts these.
    async fn send(tag: &'static str, length: usize, accepts: &[&'static str]) -> (String, bool) {
        let body = "x".repeat(length);
        let answer = move || async move { ([(ETAG, tag)], body) };
        let router = harden(Router::new().route("/", get(answer)), &Config::for_test());
        let mut request = Request::new(Body::empty());
        for value in accepts {
            request.headers_mut().append(ACCEPT_ENCODING, HeaderValue::from_static(value));
        }
        let response = router.answer(request).await;
        assert_eq!(response.status(), StatusCode::OK, "{accepts:?}");
        let header = |name| response.headers().get(name).map(|value| value.to_str().unwrap());
        let answer =
            (header(CONTENT_ENCODING).unwrap_or_default().to_owned(), header(VARY).is_some());
        let sent = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        assert_eq!(sent.len() < length, answer.0 == "gzip");
        answer
    }

    #[tokio::test]
    async fn gzip_is_for_clients_that_accept_it_and_others_get_the_body_uncompressed() {
        for accepts in
            [&["gzip"][..], &["br, GZIP;q=0.5"], &["br", "gzip"], &["*"], &["gzip, identity;q=0"]]
        {
            assert_eq!(
                send("W/\"1\"", 2_000, accepts).await,
                ("gzip".to_owned(), true),
                "{accepts:?}"
            );
        }
        let others = [
            &[][..],
            &["br"],
            &["identity"],
            &["gzip;q=0"],
            &["*;q=0"],
            &["identity;q=0"],
            &["*;q=0, identity;q=0"],
            &["br, *;q=0", "identity;q=0"],
            &["nonsense;;q=x"],
        ];
        for accepts in others {
            assert_eq!(send("W/\"1\"", 2_000, accepts).await, (String::new(), true), "{accepts:?}");
        }
    }

    #[tokio::test]
    async fn a_small_body_and_one_with_a_strong_tag_go_as_they_are() {
        for (tag, length) in [("W/\"1\"", 1_023), ("\"1\"", 2_000)] {
            assert_eq!(send(tag, length, &["gzip"]).await, (String::new(), false), "{tag}");
        }
    }
}

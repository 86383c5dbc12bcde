//! Browsers: which pages of other origins may send requests here (CORS). None, unless configured.

use std::time::Duration;

use axum::http::{HeaderValue, Method, Uri};
use tower_http::cors::{AllowHeaders, Any, CorsLayer};

/// For how long a browser may rely on an answer: the longest that Chromium takes.
const MAX_AGE: Duration = Duration::from_hours(2);

const METHODS: [Method; 6] =
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

/// Reads one origin of the setting: just as browsers send it, since it is compared as it is.
pub(super) fn parse(text: &str) -> Result<HeaderValue, String> {
    let uri: Option<Uri> = text.parse().ok();
    let origin = uri.and_then(|uri| Some(format!("{}://{}", uri.scheme_str()?, uri.authority()?)));
    let is_web = text.starts_with("https://") || text.starts_with("http://");
    if is_web && origin.is_some_and(|origin| origin == text) && !text.contains('@') {
        HeaderValue::from_str(text).map_err(|error| error.to_string())
    } else {
        Err("expected an origin such as https://app.example.com, without a path".to_owned())
    }
}

/// Lets pages of these origins send requests and read the responses. Callers have tokens and no
/// cookies, so no credentials are let through.
pub(super) fn layer(origins: &[HeaderValue]) -> Option<CorsLayer> {
    let layer = CorsLayer::new()
        .allow_origin(origins.to_vec())
        .allow_methods(METHODS)
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(Any)
        .max_age(MAX_AGE);
    (!origins.is_empty()).then_some(layer)
}

#[cfg(test)]
mod tests {
    use axum::{
        Router,
        body::Body,
        http::{HeaderMap, Request, StatusCode},
        routing::patch,
    };

    use super::*;
    use crate::http::{Answer as _, Config, harden};

    const ORIGIN: &str = "https://app.example.com";

    #[test]
    fn what_is_no_origin_is_refused() {
        for good in [ORIGIN, "http://localhost:3000", "https://[::1]:8443"] {
            assert_eq!(parse(good).unwrap(), good);
        }
        for bad in [
            "*",
            "app.example.com",
            "https://app.example.com/",
            "https://*.example.com/x",
            "ftp://a",
            "https://u@a",
            "null",
            "",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    async fn send(
        origins: &[&str],
        method: &str,
        headers: &[(&str, &str)],
    ) -> (StatusCode, HeaderMap) {
        let origins = origins.iter().map(|it| parse(it).unwrap()).collect();
        let config = Config { http_cors_origins: origins, ..Config::for_test() };
        let router = Router::new().route("/things", patch(|| async { "done" }));
        let mut request = Request::builder().method(method).uri("/things");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).unwrap();
        let response = harden(router, &config).answer(request).await;
        (response.status(), response.headers().clone())
    }

    #[tokio::test]
    async fn a_page_of_an_allowed_origin_may_send_requests_and_read_responses() {
        let preflight = [
            ("origin", ORIGIN),
            ("access-control-request-method", "PATCH"),
            ("access-control-request-headers", "authorization,if-match"),
        ];
        let (status, headers) = send(&[ORIGIN], "OPTIONS", &preflight).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(headers["access-control-allow-origin"], ORIGIN);
        assert_eq!(headers["access-control-allow-headers"], "authorization,if-match");
        assert!(headers["access-control-allow-methods"].to_str().unwrap().contains("PATCH"));
        assert!(!headers.contains_key("access-control-allow-credentials"));
        for (method, status) in [("PATCH", StatusCode::OK), ("GET", StatusCode::METHOD_NOT_ALLOWED)]
        {
            let (answered, headers) = send(&[ORIGIN], method, &[("origin", ORIGIN)]).await;
            assert_eq!(answered, status);
            assert_eq!(headers["access-control-allow-origin"], ORIGIN);
            assert_eq!(headers["access-control-expose-headers"], "*");
        }
    }

    #[tokio::test]
    async fn pages_of_other_origins_may_not() {
        let others = ["https://app.example.com.evil.example", "http://app.example.com", "null"];
        for (allowed, origin) in
            others.map(|origin| (&[ORIGIN][..], origin)).into_iter().chain([(&[][..], ORIGIN)])
        {
            let preflight = [("origin", origin), ("access-control-request-method", "PATCH")];
            let (_, headers) = send(allowed, "OPTIONS", &preflight).await;
            assert!(!headers.contains_key("access-control-allow-origin"), "{origin}");
            let (status, headers) = send(allowed, "PATCH", &[("origin", origin)]).await;
            assert_eq!(status, StatusCode::OK, "not a browser: the token decides");
            assert!(!headers.contains_key("access-control-allow-origin"), "{origin}");
        }
    }
}

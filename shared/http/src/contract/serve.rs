//! Serves the contract: the document, and a page that shows it without asking anybody else.

use std::sync::LazyLock;

use aide::redoc::Redoc;
use aws_lc_rs::digest::{SHA256, digest};
use axum::Router;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use crate::conditional::is_not_modified;

/// As `make generate` wrote it.
const DOCUMENT: &str = include_str!("../../openapi.json");

/// For some minutes nobody need ask again.
const CACHE_CONTROL: (HeaderName, HeaderValue) =
    (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
/// Both are what they say, whatever a browser thinks.
const NO_SNIFF: (HeaderName, HeaderValue) =
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));

/// A picture that the page would fetch from elsewhere, and an empty one in its place.
const LOGO: &str = "https://cdn.redoc.ly/redoc/logo-mini.svg";
const NO_LOGO: &str = "data:image/gif;base64,R0lGODlhAQABAAAAACw=";

/// Made at the first request, so that no start waits for it.
static TAG: LazyLock<HeaderValue> = LazyLock::new(|| tag(DOCUMENT));
static PAGE: LazyLock<Page> = LazyLock::new(Page::new);

/// `GET /openapi.json` and `GET /docs`, for everybody.
pub fn router() -> Router {
    Router::new().route("/openapi.json", get(document)).route("/docs", get(page))
}

async fn document(headers: HeaderMap) -> Response {
    let json = HeaderValue::from_static("application/json");
    answer(&headers, &TAG, json, Bytes::from_static(DOCUMENT.as_bytes()))
}

async fn page(headers: HeaderMap) -> Response {
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    let policy = (header::CONTENT_SECURITY_POLICY, PAGE.policy.clone());
    let answer = answer(&headers, &PAGE.tag, html, PAGE.html.clone());
    ([policy], answer).into_response()
}

fn answer(asked: &HeaderMap, tag: &HeaderValue, kind: HeaderValue, body: Bytes) -> Response {
    let headers = [(header::ETAG, tag.clone()), CACHE_CONTROL, NO_SNIFF];
    if is_not_modified(asked, tag) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, [(header::CONTENT_TYPE, kind)], body).into_response()
}

/// The page: Redoc, and the document that it asks us for.
struct Page {
    html: Bytes,
    tag: HeaderValue,
    policy: HeaderValue,
}

impl Page {
    fn new() -> Self {
        let page = Redoc::new("openapi.json").with_title("task-app").html().replace(LOGO, NO_LOGO);
        Self { tag: tag(&page), policy: policy(&page), html: page.into() }
    }
}

/// The script on the page may run and ask this origin, and nothing else may. (Redoc sets its styles
/// by script, and searches in a worker.)
fn policy(page: &str) -> HeaderValue {
    let script = page.split_once("<script>").and_then(|(_, rest)| rest.rsplit_once("</script>"));
    let digest = STANDARD.encode(digest(&SHA256, script.unwrap_or_default().0.as_bytes()));
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; \
         img-src data:; connect-src 'self'; worker-src blob:; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

/// A strong entity tag: the same tag is the same text.
fn tag(text: &str) -> HeaderValue {
    let digest = STANDARD.encode(digest(&SHA256, text.as_bytes()));
    HeaderValue::try_from(format!("\"{digest}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

//! Serves the contract: the document, and a page that shows it without asking anybody else.

use std::sync::LazyLock;

use aide::redoc::Redoc;
use aws_lc_rs::digest::{SHA256, digest};
use axum::Router;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::packed::Served;

/// As `make generate` wrote it.
const DOCUMENT: &str = include_str!("../../openapi.json");

/// A picture that the page would fetch from elsewhere, and an empty one in its place.
const LOGO: &str = "https://cdn.redoc.ly/redoc/logo-mini.svg";
const NO_LOGO: &str = "data:image/gif;base64,R0lGODlhAQABAAAAACw=";

/// The end of the title; then, that a phone shows the page in its own width.
const VIEWPORT: &str = "</title>\n    \
    <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">";

/// Made at the first request, so that no start waits for them.
static SERVED_DOCUMENT: LazyLock<Served> =
    LazyLock::new(|| Served::new("application/json", DOCUMENT.into()));
static PAGE: LazyLock<Page> = LazyLock::new(Page::new);

/// `GET /openapi.json` and `GET /docs`, for everybody.
pub fn router() -> Router {
    Router::new().route("/openapi.json", get(document)).route("/docs", get(page))
}

async fn document(headers: HeaderMap) -> Response {
    SERVED_DOCUMENT.answer(&headers)
}

async fn page(headers: HeaderMap) -> Response {
    let policy = (header::CONTENT_SECURITY_POLICY, PAGE.policy.clone());
    ([policy], PAGE.served.answer(&headers)).into_response()
}

/// The page: Redoc, which fetches the document from us.
struct Page {
    served: Served,
    policy: HeaderValue,
}

impl Page {
    fn new() -> Self {
        let page = Redoc::new("openapi.json").with_title("task-app").html();
        let page = page.replace(LOGO, NO_LOGO).replacen("</title>", VIEWPORT, 1);
        Self { policy: policy(&page), served: Served::new("text/html; charset=utf-8", page) }
    }
}

/// The script on the page may run and fetch from this origin, and nothing else may. (Redoc sets its styles
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

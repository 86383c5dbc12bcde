//! The page: plain HTML, CSS and JavaScript, which the binary carries. Nothing comes from elsewhere.

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// The path, the type and the content of each file.
const FILES: [(&str, &str, &str); 13] = [
    ("/", HTML, include_str!("page/index.html")),
    ("/style.css", CSS, include_str!("page/style.css")),
    ("/icon.svg", SVG, include_str!("page/icon.svg")),
    ("/main.js", SCRIPT, include_str!("page/main.js")),
    ("/api.js", SCRIPT, include_str!("page/api.js")),
    ("/elements.js", SCRIPT, include_str!("page/elements.js")),
    ("/place.js", SCRIPT, include_str!("page/place.js")),
    ("/queues.js", SCRIPT, include_str!("page/queues.js")),
    ("/queue.js", SCRIPT, include_str!("page/queue.js")),
    ("/replay.js", SCRIPT, include_str!("page/replay.js")),
    ("/groups.js", SCRIPT, include_str!("page/groups.js")),
    ("/messages.js", SCRIPT, include_str!("page/messages.js")),
    ("/message.js", SCRIPT, include_str!("page/message.js")),
];

pub(super) fn routes() -> Router {
    FILES.into_iter().fold(Router::new(), |router, (path, kind, content)| {
        router.route(path, get(move || async move { ([(CONTENT_TYPE, kind)], content) }))
    })
}

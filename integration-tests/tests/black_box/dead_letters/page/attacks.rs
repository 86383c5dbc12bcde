//! Only who has the token reads, and no other site makes a browser do it.

use nix::sys::signal::Signal;
use reqwest::{Method, Response, StatusCode};

use super::server::Server;
use crate::dead_letters::fixture::{Fixture, stderr};

async fn started() -> (Fixture, Server) {
    let fixture = Fixture::standard().await;
    let server = Server::start(&fixture).await;
    (fixture, server)
}

fn assert_protected(response: &Response) {
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let policy = header("content-security-policy").expect("a policy");
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    for part in ["frame-ancestors 'none'", "form-action 'none'", "base-uri 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains("http") && !policy.contains('*'));
    assert_eq!(header("x-content-type-options"), Some("nosniff"));
    assert_eq!(header("cache-control"), Some("no-store"));
    assert_eq!(header("referrer-policy"), Some("no-referrer"));
    assert_eq!(header("access-control-allow-origin"), None);
    assert_eq!(header("set-cookie"), None);
}

#[tokio::test]
async fn without_the_token_nothing_is_read() {
    let (_fixture, server) = started().await;
    let other = "A".repeat(server.token.len());
    for path in ["server", "depths", "queues", "queues/q", "queues/q/messages/1"] {
        let url = format!("{}api/{path}", server.url);
        let refused = [
            server.client.get(&url),
            server.client.get(&url).bearer_auth(&other),
            server.client.get(&url).basic_auth("token", Some(&server.token)),
            server.client.get(format!("{url}?token={}", server.token)),
        ];
        for request in refused {
            let response = request.send().await.expect("a response");
            assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{path}");
            assert_eq!(response.headers()["www-authenticate"], "Bearer");
            assert_protected(&response);
        }
    }
    // What everybody gets does not say it.
    for path in ["", "main.js", "api.js", "style.css", "icon.svg"] {
        let response = server.client.get(format!("{}{path}", server.url)).send().await;
        let response = response.expect("a response");
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_protected(&response);
        assert!(!response.text().await.expect("text").contains(&server.token), "{path}");
    }
}

#[tokio::test]
async fn another_site_and_another_name_are_refused() {
    let (_fixture, server) = started().await;
    for (name, value, status) in [
        ("host", "evil.example", 421),
        ("origin", "http://evil.example", 403),
        ("origin", "null", 403),
        ("sec-fetch-site", "cross-site", 403),
        ("sec-fetch-site", "same-site", 403),
        ("sec-fetch-site", "none", 403),
    ] {
        let response = server.request("api/server").header(name, value).send().await;
        let response = response.expect("a response");
        assert_eq!(response.status().as_u16(), status, "{name}: {value}");
        assert_protected(&response);
    }
    let own = server.url.trim_end_matches('/');
    let own = server.request("api/server").header("origin", own);
    let own = own.header("sec-fetch-site", "same-origin").send().await.expect("a response");
    assert_eq!(own.status(), StatusCode::OK);
}

#[tokio::test]
async fn nothing_but_reading_is_possible_and_requests_are_bounded() {
    let (_fixture, server) = started().await;
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS] {
        let url = format!("{}api/queues", server.url);
        let response = server.client.request(method.clone(), url).bearer_auth(&server.token);
        let response = response.send().await.expect("a response");
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED, "{method}");
        assert_protected(&response);
    }
    let long = server.request("api/server").body("x".repeat(100_000)).send().await;
    assert_eq!(long.expect("a response").status(), StatusCode::BAD_REQUEST);
    let long = server.request("api/server").header("x-long", "x".repeat(100_000)).send().await;
    let status = long.map(|response| response.status());
    assert!(!status.is_ok_and(|status| status.is_success()), "a long head");
    assert_eq!(server.get("api/server").await.0, StatusCode::OK, "it goes on");
    let end = server.end().await;
    assert_eq!(end.status.code(), Some(0), "{end:?}");
}

#[tokio::test]
async fn another_address_than_loopback_must_be_allowed() {
    let fixture = Fixture::standard().await;
    let refused = fixture.run(&["serve", "--listen", "0.0.0.0:0"]).await;
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert!(stderr(&refused).contains("--allow-remote"), "{refused:?}");
    let arguments = ["serve", "--listen", "0.0.0.0:0", "--allow-remote"];
    let server = Server::start_with(&fixture, &fixture.aws.endpoint, &arguments).await;
    let end = server.end_by(Signal::SIGTERM).await;
    assert_eq!(end.status.code(), Some(0), "{end:?}");
    assert!(stderr(&end).contains("not encrypted"), "{end:?}");
}

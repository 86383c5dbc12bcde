//! Tokens, good and bad, against a real issuer.

mod availability;
mod issuer;
mod refusals;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use axum::routing::{get, post};
use jsonwebtoken::Algorithm;
use serde_json::json;
use tower::ServiceExt;

use super::jwks::Pace;
use super::{Authenticator, Reader, Writer};
use issuer::{Issuer, SigningKey};

/// What a caller with this `Authorization` header sees: the status, and why.
async fn call(authenticator: &Authenticator, method: &str, token: &str) -> (StatusCode, String) {
    let read = |Reader(caller): Reader| async move { caller.tenant.to_string() };
    let write = |Writer(caller): Writer| async move { caller.tenant.to_string() };
    let router = Router::new().route("/", get(read).merge(post(write)));
    let request = Request::builder()
        .method(method)
        .uri("/")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(Body::empty());
    let router: Router = router.with_state(authenticator.clone());
    let response = router.oneshot(request.unwrap()).await.unwrap();
    let challenge = response.headers().get(header::WWW_AUTHENTICATE);
    let why = challenge.map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
    (response.status(), why)
}

#[tokio::test]
async fn every_accepted_algorithm_lets_a_caller_in() {
    let keys = [
        SigningKey::generate("rsa", Algorithm::RS256),
        SigningKey::generate("ec", Algorithm::ES256),
        SigningKey::generate("ed", Algorithm::EdDSA),
    ];
    let issuer = Issuer::start(&[&keys[0], &keys[1], &keys[2]]).await;
    let authenticator = issuer.authenticator(Pace::default());
    for key in &keys {
        let (status, why) = call(&authenticator, "GET", &key.token(&json!({}))).await;
        assert_eq!(status, StatusCode::OK, "{}: {why}", key.id);
    }
    assert_eq!(issuer.fetches(), 1);
}

#[tokio::test]
async fn the_caller_is_the_tenant_and_the_subject_of_the_token() {
    let key = SigningKey::generate("key", Algorithm::EdDSA);
    let issuer = Issuer::start(&[&key]).await;
    let mut headers = axum::http::HeaderMap::new();
    let token = key.token(&json!({ "tenant": "umbrella", "sub": "alice@example.com" }));
    headers.insert(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
    let authenticator = issuer.authenticator(Pace::default());
    let caller = authenticator.authenticate(&headers, super::Scope::TasksRead).await.unwrap();
    assert_eq!(caller.tenant.as_str(), "umbrella");
    assert_eq!(caller.subject.as_str(), "alice@example.com");
    assert!(!format!("{caller:?}").contains("alice"));
}

#[tokio::test]
async fn a_scope_allows_what_it_names_and_no_more() {
    let key = SigningKey::generate("key", Algorithm::EdDSA);
    let issuer = Issuer::start(&[&key]).await;
    let authenticator = issuer.authenticator(Pace::default());
    let reader = key.token(&json!({ "scope": "tasks:read" }));
    let writer = key.token(&json!({ "scope": "tasks:write" }));
    let nearly = key.token(&json!({ "scope": "tasks:reader xtasks:read tasks:read:x" }));
    let none = key.token(&json!({ "scope": null }));
    let list = key.token(&json!({ "scope": ["tasks:read"] }));
    for (method, token, expected) in [
        ("GET", &reader, 200),
        ("POST", &reader, 403),
        ("GET", &writer, 403),
        ("POST", &writer, 200),
        ("GET", &nearly, 403),
        ("GET", &none, 403),
        ("GET", &list, 403),
    ] {
        let (status, why) = call(&authenticator, method, token).await;
        assert_eq!(status, expected, "{method} {why}");
        assert_eq!(why.contains("error=\"insufficient_scope\", scope=\"tasks:"), expected == 403);
    }
}

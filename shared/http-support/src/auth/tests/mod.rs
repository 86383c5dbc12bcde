//! Tokens, good and bad, against a real issuer.

mod availability;
mod ed25519;
mod issuer;
mod providers;
mod refusals;

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use axum::routing::{get, post};
use clap::Parser;
use jsonwebtoken::Algorithm;
use rate_limits::{Class, RateLimits};
use serde_json::json;
use tower::ServiceExt;

use super::key_state::Schedule;
use super::{Authenticator, Guard, Reader, Writer};
use issuer::{Issuer, SigningKey};

#[derive(Parser)]
struct Settings {
    #[command(flatten)]
    auth: super::Config,
}

/// As in production.
fn schedule() -> Schedule {
    Schedule::new(Duration::from_hours(24))
}

/// What a caller with this `Authorization` header sees: the status, and why.
async fn call(authenticator: &Authenticator, method: &str, token: &str) -> (StatusCode, String) {
    let request = Request::builder()
        .method(method)
        .uri("/")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(Body::empty());
    let response = router(authenticator).oneshot(request.unwrap()).await.unwrap();
    let challenge = response.headers().get(header::WWW_AUTHENTICATE);
    let why = challenge.map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
    (response.status(), why)
}

/// Routes behind guards that count nothing: there is no Redis.
fn router(authenticator: &Authenticator) -> Router {
    let guard = Guard::new(authenticator.clone(), unlimited());
    let read = |Reader(caller): Reader| async move { caller.tenant.to_string() };
    let write = |Writer(caller): Writer| async move { caller.tenant.to_string() };
    guard
        .before(Class::Read, Router::new().route("/", get(read)))
        .merge(guard.before(Class::Write, Router::new().route("/", post(write))))
}

fn unlimited() -> RateLimits {
    #[derive(Parser)]
    struct Limits {
        #[command(flatten)]
        limits: rate_limits::Config,
    }
    RateLimits::new(None, &Limits::parse_from(["test"]).limits)
}

#[tokio::test]
async fn a_route_without_a_guard_or_behind_another_ones_lets_nobody_in() {
    let key = SigningKey::generate("key", Algorithm::EdDSA);
    let issuer = Issuer::start(&[&key]).await;
    let guard = Guard::new(issuer.authenticator(schedule()), unlimited());
    let read = |Reader(caller): Reader| async move { caller.tenant.to_string() };
    let write = |Writer(caller): Writer| async move { caller.tenant.to_string() };
    let guarded = guard.before(Class::Read, Router::new().route("/read", get(read).post(write)));
    let router: Router = guarded.route("/open", get(read).post(write));
    let token = key.token(&json!({ "scope": "tasks:read tasks:write" }));
    for (method, path, expected) in [
        ("GET", "/read", 200),
        ("POST", "/read", 500),
        ("GET", "/open", 500),
        ("POST", "/open", 500),
    ] {
        let request = Request::builder().method(method).uri(path);
        let request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        let response = router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), expected, "{method} {path}");
    }
}

#[tokio::test]
async fn every_accepted_algorithm_lets_a_caller_in() {
    let keys = [
        SigningKey::generate("rs256", Algorithm::RS256),
        SigningKey::generate("rs512", Algorithm::RS512),
        SigningKey::generate("ps256", Algorithm::PS256),
        SigningKey::generate("es256", Algorithm::ES256),
        SigningKey::generate("es384", Algorithm::ES384),
        SigningKey::generate("ed", Algorithm::EdDSA),
    ];
    let issuer = Issuer::start(&keys.iter().collect::<Vec<_>>()).await;
    let authenticator = issuer.authenticator(schedule());
    for key in &keys {
        let (status, why) = call(&authenticator, "GET", &key.token(&json!({}))).await;
        assert_eq!(status, StatusCode::OK, "{}: {why}", key.id);
        let (status, why) = call(&authenticator, "GET", &key.nameless()).await;
        assert_eq!(status, StatusCode::OK, "{} without kid: {why}", key.id);
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
    let authenticator = issuer.authenticator(schedule());
    let caller = authenticator.authenticate(&headers, super::Scope::TasksRead).await.unwrap();
    assert_eq!(caller.tenant.as_str(), "umbrella");
    assert_eq!(caller.actor.as_str(), "alice@example.com");
}

#[tokio::test]
async fn a_program_without_a_subject_is_its_client() {
    let key = SigningKey::generate("key", Algorithm::EdDSA);
    let issuer = Issuer::start(&[&key]).await;
    let authenticator = issuer.authenticator(schedule());
    for (claims, expected) in [
        (
            json!({ "sub": "ann", "client_id": "web", "azp": "web", "email": "ann@example.com" }),
            "ann",
        ),
        (json!({ "sub": null, "client_id": "nightly", "azp": "other" }), "nightly"),
        (json!({ "sub": null, "azp": "nightly" }), "nightly"),
    ] {
        let mut headers = axum::http::HeaderMap::new();
        let token = key.token(&claims);
        headers.insert(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
        let caller = authenticator.authenticate(&headers, super::Scope::TasksRead).await.unwrap();
        assert_eq!(caller.actor.as_str(), expected, "{claims}");
    }
}

#[tokio::test]
async fn a_token_that_was_accepted_lets_in_that_token_only() {
    let key = SigningKey::generate("key", Algorithm::ES256);
    let issuer = Issuer::start(&[&key]).await;
    let authenticator = issuer.authenticator(schedule());
    let (ours, theirs) =
        (key.token(&json!({"tenant": "acme"})), key.token(&json!({"tenant": "other"})));
    for _ in 0..2 {
        assert_eq!(call(&authenticator, "GET", &ours).await.0, StatusCode::OK);
    }
    let (signed, signature) = theirs.rsplit_once('.').unwrap();
    let (_, other) = ours.rsplit_once('.').unwrap();
    let forged = format!("{signed}.{other}");
    let (status, why) = call(&authenticator, "GET", &forged).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(why.contains("the signature is wrong"), "{why}");
    assert_ne!(signature, other);
}

#[tokio::test]
async fn a_scope_allows_what_it_names_and_no_more() {
    let key = SigningKey::generate("key", Algorithm::EdDSA);
    let issuer = Issuer::start(&[&key]).await;
    let authenticator = issuer.authenticator(schedule());
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
        ("GET", &list, 200),
        ("POST", &list, 403),
    ] {
        let (status, why) = call(&authenticator, method, token).await;
        assert_eq!(status, expected, "{method} {why}");
        assert_eq!(why.contains("error=\"insufficient_scope\", scope=\"tasks:"), expected == 403);
    }
}

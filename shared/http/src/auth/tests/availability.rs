//! The issuer down, slow, wrong, or changing its keys; and how rarely it is asked.

use std::time::Duration;

use axum::http::StatusCode;
use jsonwebtoken::Algorithm;
use serde_json::json;
use tokio::task::JoinSet;

use super::call;
use super::issuer::{Issuer, SigningKey, authenticator};
use crate::auth::jwks::Pace;

/// Keys are old at once, and the issuer may be asked again at once.
const EAGER: Pace =
    Pace { max_age: Duration::ZERO, pause: Duration::ZERO, pause_without_keys: Duration::ZERO };

fn key(id: &'static str) -> SigningKey {
    SigningKey::generate(id, Algorithm::EdDSA)
}

#[tokio::test]
async fn an_issuer_that_was_never_reached_is_our_fault_not_the_callers() {
    let key = key("key");
    let issuer = Issuer::start(&[&key]).await;
    let url = issuer.url.clone();
    issuer.stop().await;
    let authenticator = authenticator(&url, Pace::default());
    let (status, _) = call(&authenticator, "GET", &key.token(&json!({}))).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn answers_that_hold_no_keys_count_as_down_until_one_does() {
    let key = key("key");
    let issuer = Issuer::start(&[&key]).await;
    let authenticator = issuer.authenticator(EAGER);
    let token = key.token(&json!({}));
    let huge = format!("{{\"keys\":[]}}{}", " ".repeat(256 * 1024));
    for (status, body) in [
        (StatusCode::INTERNAL_SERVER_ERROR, "{\"keys\":[]}"),
        (StatusCode::OK, "<html>"),
        (StatusCode::OK, "{}"),
        (StatusCode::OK, &huge),
    ] {
        issuer.answer_with(status, body);
        let (status, _) = call(&authenticator, "GET", &token).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    }
    issuer.publish(&[&key]);
    assert_eq!(call(&authenticator, "GET", &token).await.0, StatusCode::OK);
}

#[tokio::test]
async fn keys_stay_in_use_while_the_issuer_is_down() {
    let key = key("key");
    let issuer = Issuer::start(&[&key]).await;
    let authenticator = issuer.authenticator(EAGER);
    let token = key.token(&json!({}));
    assert_eq!(call(&authenticator, "GET", &token).await.0, StatusCode::OK);
    issuer.stop().await;
    for _ in 0..3 {
        assert_eq!(call(&authenticator, "GET", &token).await.0, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_withdrawn_key_is_refused_once_its_age_is_up() {
    let (old, new) = (key("old"), key("new"));
    let issuer = Issuer::start(&[&old]).await;
    let authenticator = issuer.authenticator(EAGER);
    let token = old.token(&json!({}));
    assert_eq!(call(&authenticator, "GET", &token).await.0, StatusCode::OK);
    issuer.publish(&[&new]);
    let (status, why) = call(&authenticator, "GET", &token).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(why.contains("the issuer has no such key"), "{why}");
}

#[tokio::test]
async fn a_new_key_is_fetched_when_a_token_first_names_it() {
    let (old, new) = (key("old"), key("new"));
    let issuer = Issuer::start(&[&old]).await;
    let authenticator = issuer.authenticator(Pace { pause: Duration::ZERO, ..Pace::default() });
    assert_eq!(call(&authenticator, "GET", &old.token(&json!({}))).await.0, StatusCode::OK);
    issuer.publish(&[&old, &new]);
    assert_eq!(call(&authenticator, "GET", &new.token(&json!({}))).await.0, StatusCode::OK);
    assert_eq!(call(&authenticator, "GET", &old.token(&json!({}))).await.0, StatusCode::OK);
    assert_eq!(issuer.fetches(), 2);
}

#[tokio::test]
async fn unknown_keys_do_not_make_us_a_load_on_the_issuer() {
    let (known, forged) = (key("known"), key("forged"));
    let issuer = Issuer::start(&[&known]).await;
    let authenticator = issuer.authenticator(Pace::default());
    for _ in 0..20 {
        let (status, why) = call(&authenticator, "GET", &forged.token(&json!({}))).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert!(why.contains("the issuer has no such key"), "{why}");
    }
    assert_eq!(issuer.fetches(), 1);
}

#[tokio::test]
async fn many_first_requests_are_one_fetch() {
    let key = key("key");
    let issuer = Issuer::start(&[&key]).await;
    let authenticator = issuer.authenticator(Pace::default());
    let mut calls = JoinSet::new();
    for _ in 0..50 {
        let (authenticator, token) = (authenticator.clone(), key.token(&json!({})));
        calls.spawn(async move { call(&authenticator, "GET", &token).await.0 });
    }
    for status in calls.join_all().await {
        assert_eq!(status, StatusCode::OK);
    }
    assert_eq!(issuer.fetches(), 1);
}

#[tokio::test]
async fn a_caller_who_hangs_up_does_not_cancel_the_fetch() {
    let key = key("key");
    let issuer = Issuer::start(&[&key]).await;
    let authenticator = issuer.authenticator(Pace::default());
    let token = key.token(&json!({}));
    let impatient = call(&authenticator, "GET", &token);
    assert!(tokio::time::timeout(Duration::ZERO, impatient).await.is_err());
    for _ in 0..500 {
        if issuer.fetches() == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(issuer.fetches(), 1, "nobody else has asked for the keys");
    assert_eq!(call(&authenticator, "GET", &token).await.0, StatusCode::OK);
    assert_eq!(issuer.fetches(), 1);
}

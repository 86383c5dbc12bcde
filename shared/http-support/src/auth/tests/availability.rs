//! The issuer down, frozen, wrong, or changing its keys; and how rarely its keys are fetched.

use std::time::Duration;

use axum::http::StatusCode;
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, advance, pause, resume, sleep, timeout};

use super::issuer::{Issuer, SigningKey, authenticator};
use super::{call, schedule};
use crate::auth::Authenticator;
use crate::auth::key_state::Schedule;

const PATIENCE: Duration = Duration::from_secs(30);

/// Fetches again and again.
fn eager() -> Schedule {
    let soon = Duration::from_millis(10);
    Schedule { refresh_after: soon, pause: soon, pause_without_keys: soon, ..schedule() }
}

/// Asks when a request needs it, and then at once.
fn on_demand() -> Schedule {
    Schedule { pause: Duration::ZERO, ..schedule() }
}

fn key(id: &'static str) -> SigningKey {
    SigningKey::generate(id, Algorithm::EdDSA)
}

async fn status(authenticator: &Authenticator, key: &SigningKey) -> StatusCode {
    call(authenticator, "GET", &key.token(&json!({}))).await.0
}

async fn becomes(authenticator: &Authenticator, key: &SigningKey, expected: StatusCode) {
    let end = Instant::now() + PATIENCE;
    while status(authenticator, key).await != expected {
        assert!(Instant::now() < end, "never {expected}");
        sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until the keys were fetched as often again.
async fn fetched(issuer: &Issuer, times: usize) {
    fetched_in_all(issuer, issuer.fetches() + times).await;
}

async fn fetched_in_all(issuer: &Issuer, enough: usize) {
    let end = Instant::now() + PATIENCE;
    while issuer.fetches() < enough {
        assert!(Instant::now() < end, "the keys were not fetched");
        sleep(Duration::from_millis(5)).await;
    }
}

/// Answers without a key that could verify a token.
fn without_keys() -> Vec<(StatusCode, String)> {
    let good = json!({ "keys": [key("key").public()] }).to_string();
    let encryption = json!({ "kty": "RSA", "kid": "e", "use": "enc", "n": "AQAB", "e": "AQAB" });
    let unreadable = json!({ "kty": "OKP", "kid": "key", "crv": "Ed25519", "x": 7 });
    let set = |keys: Value| (StatusCode::OK, json!({ "keys": keys }).to_string());
    vec![
        (StatusCode::INTERNAL_SERVER_ERROR, good.clone()),
        (StatusCode::FOUND, good.clone()),
        (StatusCode::OK, "<html>".to_owned()),
        (StatusCode::OK, "{}".to_owned()),
        (StatusCode::OK, String::new()),
        (StatusCode::OK, good + &" ".repeat(256 * 1024)),
        set(json!([])),
        set(json!([encryption])),
        set(json!([unreadable, "x"])),
    ]
}

#[tokio::test]
async fn an_issuer_that_was_never_reached_is_our_fault_not_the_callers() {
    let key = key("key");
    let issuer = Issuer::start(&[&key]).await;
    let url = issuer.url.clone();
    issuer.stop().await;
    let authenticator = authenticator(&url, schedule());
    assert_eq!(status(&authenticator, &key).await, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn answers_that_hold_no_keys_count_as_down_until_one_does() {
    let key = key("key");
    let issuer = Issuer::start(&[&key]).await;
    for (code, body) in without_keys() {
        issuer.answer_with(code, &body);
        let authenticator = issuer.authenticator(eager());
        assert_eq!(status(&authenticator, &key).await, StatusCode::SERVICE_UNAVAILABLE, "{body}");
        issuer.publish(&[&key]);
        becomes(&authenticator, &key, StatusCode::OK).await;
    }
}

#[tokio::test]
async fn answers_that_hold_no_keys_never_replace_those_that_were_good() {
    let key = key("key");
    let issuer = Issuer::start(&[&key]).await;
    let authenticator = issuer.authenticator(eager());
    assert_eq!(status(&authenticator, &key).await, StatusCode::OK);
    for (code, body) in without_keys() {
        issuer.answer_with(code, &body);
        fetched(&issuer, 2).await;
        assert_eq!(status(&authenticator, &key).await, StatusCode::OK, "{body}");
        // So that the pauses between attempts begin anew.
        issuer.publish(&[&key]);
        fetched(&issuer, 2).await;
    }
}

#[tokio::test]
async fn keys_stay_in_use_while_the_issuer_is_down_but_not_for_ever() {
    let key = key("key");
    let issuer = Issuer::start(&[&key]).await;
    let (lasting, ending) = (schedule(), Schedule { max_age: Duration::from_secs(1), ..eager() });
    let lasting = issuer.authenticator(Schedule { max_age: lasting.max_age, ..eager() });
    let ending = issuer.authenticator(ending);
    for authenticator in [&lasting, &ending] {
        assert_eq!(status(authenticator, &key).await, StatusCode::OK);
    }
    issuer.stop().await;
    becomes(&ending, &key, StatusCode::SERVICE_UNAVAILABLE).await;
    assert_eq!(status(&lasting, &key).await, StatusCode::OK);
}

#[tokio::test]
async fn a_frozen_issuer_is_waited_for_by_nobody_whose_key_is_known() {
    let (known, unknown) = (key("known"), key("unknown"));
    let issuer = Issuer::start(&[&known]).await;
    let patient = Schedule { wait: Duration::from_hours(1), ..on_demand() };
    let authenticator = issuer.authenticator(patient);
    assert_eq!(status(&authenticator, &known).await, StatusCode::OK);
    issuer.freeze();
    let (same, token) = (authenticator.clone(), unknown.token(&json!({})));
    let waiting = tokio::spawn(async move { call(&same, "GET", &token).await });
    fetched(&issuer, 1).await;
    for _ in 0..20 {
        assert_eq!(status(&authenticator, &known).await, StatusCode::OK);
    }
    sleep(Duration::from_millis(1)).await;
    assert!(!waiting.is_finished(), "known keys waited for the attempt that hangs");
    waiting.abort();
}

#[tokio::test]
async fn an_unknown_key_waits_for_a_frozen_issuer_once_and_for_a_bounded_time() {
    let (known, unknown) = (key("known"), key("unknown"));
    let issuer = Issuer::start(&[&known]).await;
    let wait = Duration::from_secs(3);
    let authenticator = issuer.authenticator(Schedule { wait, ..on_demand() });
    assert_eq!(status(&authenticator, &known).await, StatusCode::OK);
    issuer.freeze();
    let mut calls = JoinSet::new();
    for _ in 0..20 {
        let (authenticator, token) = (authenticator.clone(), unknown.token(&json!({})));
        calls.spawn(async move { call(&authenticator, "GET", &token).await.0 });
    }
    for status in calls.join_all().await {
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "nobody knows whether it exists");
    }
    // On a busy machine the attempt reaches the issuer after those who waited for it gave up.
    fetched_in_all(&issuer, 2).await;
    assert_eq!(issuer.fetches(), 2);
    let begun = Instant::now();
    pause();
    assert_eq!(status(&authenticator, &unknown).await, StatusCode::SERVICE_UNAVAILABLE);
    assert!(begun.elapsed() < wait, "waited again for the same attempt");
}

#[tokio::test]
async fn a_withdrawn_key_is_refused_once_the_keys_are_fetched_again() {
    let (old, new) = (key("old"), key("new"));
    let issuer = Issuer::start(&[&old]).await;
    let authenticator = issuer.authenticator(eager());
    assert_eq!(status(&authenticator, &old).await, StatusCode::OK);
    issuer.publish(&[&new]);
    becomes(&authenticator, &old, StatusCode::UNAUTHORIZED).await;
    let (_, why) = call(&authenticator, "GET", &old.token(&json!({}))).await;
    assert!(why.contains("the issuer has no such key"), "{why}");
}

#[tokio::test]
async fn a_process_that_was_frozen_fetches_before_it_trusts_its_keys() {
    let (old, new) = (key("old"), key("new"));
    let issuer = Issuer::start(&[&old]).await;
    let authenticator = issuer.authenticator(schedule());
    assert_eq!(status(&authenticator, &old).await, StatusCode::OK);
    issuer.publish(&[&new]);
    pause();
    advance(Duration::from_hours(1)).await;
    resume();
    assert_eq!(status(&authenticator, &old).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_new_key_is_fetched_when_a_token_first_names_it() {
    let (old, new) = (key("old"), key("new"));
    let issuer = Issuer::start(&[&old]).await;
    let authenticator = issuer.authenticator(on_demand());
    assert_eq!(status(&authenticator, &old).await, StatusCode::OK);
    issuer.publish(&[&old, &new]);
    assert_eq!(status(&authenticator, &new).await, StatusCode::OK);
    assert_eq!(status(&authenticator, &old).await, StatusCode::OK);
    assert_eq!(issuer.fetches(), 2);
}

#[tokio::test]
async fn unknown_keys_do_not_make_us_a_load_on_the_issuer() {
    let (known, forged) = (key("known"), key("forged"));
    let issuer = Issuer::start(&[&known]).await;
    let authenticator = issuer.authenticator(schedule());
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
    let authenticator = issuer.authenticator(schedule());
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
    let authenticator = issuer.authenticator(schedule());
    let token = key.token(&json!({}));
    let impatient = call(&authenticator, "GET", &token);
    assert!(timeout(Duration::ZERO, impatient).await.is_err());
    fetched(&issuer, 1).await;
    assert_eq!(status(&authenticator, &key).await, StatusCode::OK);
    assert_eq!(issuer.fetches(), 1);
}

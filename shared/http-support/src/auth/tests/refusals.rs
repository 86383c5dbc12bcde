//! Every way in which a token may be wrong, each with the reason that the caller must get.

use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, get_current_timestamp};
use serde_json::{Value, json};

use super::issuer::{Issuer, SigningKey, claims};
use super::{call, schedule};

/// Asserts that a token signed by nobody else than the issuer is refused for its claims.
async fn assert_refused_for(cases: &[(Value, &str)]) {
    let key = SigningKey::generate("key", Algorithm::EdDSA);
    let issuer = Issuer::start(&[&key]).await;
    let authenticator = issuer.authenticator(schedule());
    for (changes, reason) in cases {
        let (status, why) = call(&authenticator, "GET", &key.token(changes)).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{changes}");
        let expected = format!(
            "Bearer realm=\"task-app\", error=\"invalid_token\", error_description=\"{reason}\""
        );
        assert_eq!(why, expected, "{changes}");
    }
}

#[tokio::test]
async fn tokens_of_or_for_somebody_else() {
    assert_refused_for(&[
        (json!({ "iss": "https://issuer.example/" }), "the token is of another issuer"),
        (json!({ "iss": null }), "the claim iss is missing or malformed"),
        (json!({ "aud": "other" }), "the token is for another audience"),
        (json!({ "aud": ["other", "task-app2"] }), "the token is for another audience"),
        (json!({ "aud": null }), "the claim aud is missing or malformed"),
    ])
    .await;
}

#[tokio::test]
async fn tokens_out_of_their_time() {
    let now = get_current_timestamp();
    assert_refused_for(&[
        (json!({ "exp": now - 31 }), "the token expired"),
        (json!({ "exp": null }), "the claim exp is missing or not a number"),
        (json!({ "exp": (now + 300).to_string() }), "the claim exp is missing or not a number"),
        (json!({ "nbf": now + 60 }), "the token is not valid yet"),
        (json!({ "nbf": (now - 60).to_string() }), "the claim nbf is not a number"),
    ])
    .await;
}

#[tokio::test]
async fn tokens_that_do_not_say_who() {
    assert_refused_for(&[
        (json!({ "tenant": null }), "the claim that names the tenant is missing"),
        (json!({ "tenant": ["acme"] }), "the claim that names the tenant is missing"),
        (json!({ "tenant": "Acme Inc." }), "the claim that names the tenant is malformed"),
        (json!({ "sub": null }), "the claim sub is missing"),
        (json!({ "sub": "" }), "the claim that names the caller is malformed"),
        (json!({ "sub": 7, "azp": "web" }), "the claim that names the caller is malformed"),
        (json!({ "sub": "two\nlines" }), "the claim that names the caller is malformed"),
        (json!({ "sub": "a".repeat(256) }), "the claim that names the caller is malformed"),
    ])
    .await;
}

#[tokio::test]
async fn a_clock_may_differ_by_the_skew() {
    let key = SigningKey::generate("key", Algorithm::EdDSA);
    let issuer = Issuer::start(&[&key]).await;
    let authenticator = issuer.authenticator(schedule());
    let now = get_current_timestamp();
    let token = key.token(&json!({ "exp": now - 10, "nbf": now + 10 }));
    assert_eq!(call(&authenticator, "GET", &token).await.0, StatusCode::OK);
}

fn encode(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

#[tokio::test]
async fn forged_tokens() {
    let key = SigningKey::generate("key", Algorithm::RS256);
    let thief = SigningKey::generate("key", Algorithm::RS256);
    let other = SigningKey::generate("key", Algorithm::ES256);
    let issuer = Issuer::start(&[&key]).await;
    let authenticator = issuer.authenticator(schedule());
    let good = claims(&json!({}));

    let unsigned = |alg: &str| encode(&json!({ "alg": alg, "kid": "key" }), &good) + ".";
    let public = key.public()["n"].as_str().unwrap().to_owned();
    let mut hmac = Header::new(Algorithm::HS256);
    hmac.kid = Some("key".to_owned());
    let secret = EncodingKey::from_secret(&URL_SAFE_NO_PAD.decode(&public).unwrap());
    let confused = jsonwebtoken::encode(&hmac, &good, &secret).unwrap();
    let (signed, signature) = key.token(&json!({})).rsplit_once('.').map(own).unwrap();
    let (header, _) = signed.split_once('.').unwrap();
    let (_, raised) =
        encode(&json!({}), &claims(&json!({ "tenant": "x" }))).split_once('.').map(own).unwrap();

    for (token, reason) in [
        (thief.token(&json!({})), "the signature is wrong"),
        (format!("{header}.{raised}.{signature}"), "the signature is wrong"),
        (other.token(&json!({})), "the algorithm is not the one of the issuer's key"),
        (confused, "the algorithm is not the one of the issuer's key"),
        (unsigned("RS256"), "the signature is wrong"),
        (unsigned("none"), "the token is malformed, or its algorithm is unknown"),
        (unsigned("RS512"), "the algorithm is not the one of the issuer's key"),
        (thief.nameless(), "the signature is wrong"),
        (other.nameless(), "the issuer has no such key"),
        ("a.b.c".to_owned(), "the token is malformed, or its algorithm is unknown"),
        ("abc".to_owned(), "the token is malformed"),
        ("a".repeat(12 * 1024 + 1), "the token is larger than 12 KiB"),
    ] {
        let (status, why) = call(&authenticator, "GET", &token).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{reason}");
        assert!(why.ends_with(&format!("error_description=\"{reason}\"")), "{reason}: {why}");
    }
}

fn own((left, right): (&str, &str)) -> (String, String) {
    (left.to_owned(), right.to_owned())
}

#[tokio::test]
async fn tokens_whose_header_wants_too_much() {
    let key = SigningKey::generate("key", Algorithm::EdDSA);
    let second = SigningKey::generate("second", Algorithm::EdDSA);
    let issuer = Issuer::start(&[&key, &second]).await;
    let authenticator = issuer.authenticator(schedule());
    let signed = |header| jsonwebtoken::encode(&header, &claims(&json!({})), &key.private).unwrap();

    let mut critical = Header::new(Algorithm::EdDSA);
    critical.kid = Some("key".to_owned());
    critical.crit = Some(vec!["b64".to_owned()]);
    for (token, reason) in [(signed(critical), "the token has critical extensions, we know none")] {
        let (status, why) = call(&authenticator, "GET", &token).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert!(why.contains(reason), "{why}");
    }
}

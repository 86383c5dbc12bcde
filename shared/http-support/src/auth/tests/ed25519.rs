//! Tokens that say `Ed25519`, as RFC 9864 has it, and what may not come in under that name.

use axum::http::StatusCode;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, crypto, get_current_timestamp};
use serde_json::{Value, json};

use super::issuer::{Issuer, SigningKey, claims};
use super::{call, schedule};

/// A token with any header, signed with a key by an algorithm.
fn signed(header: &Value, changes: &Value, key: &EncodingKey, by: Algorithm) -> String {
    let encode = |part: &Value| BASE64_URL_SAFE_NO_PAD.encode(part.to_string());
    let message = format!("{}.{}", encode(header), encode(&claims(changes)));
    let signature = crypto::sign(message.as_bytes(), key, by).unwrap();
    format!("{message}.{signature}")
}

fn named(key: &SigningKey, changes: &Value) -> String {
    let header = json!({"typ": "JWT", "alg": "Ed25519", "kid": key.id});
    signed(&header, changes, &key.private, key.algorithm)
}

/// The public key of an issuer as it publishes it since RFC 9864.
fn published(key: &SigningKey) -> Value {
    let mut public = key.public();
    public["alg"] = "Ed25519".into();
    public
}

#[tokio::test]
async fn a_token_that_names_its_curve_lets_a_caller_in() {
    let key = SigningKey::generate("key", Algorithm::EdDSA);
    for public in [key.public(), published(&key)] {
        let issuer = Issuer::start(&[]).await;
        issuer.answer_with(StatusCode::OK, &json!({ "keys": [public] }).to_string());
        let authenticator = issuer.authenticator(schedule());
        let nameless = json!({"alg": "Ed25519"});
        let nameless = signed(&nameless, &json!({}), &key.private, key.algorithm);
        for token in [named(&key, &json!({})), nameless, key.token(&json!({}))] {
            let (status, why) = call(&authenticator, "GET", &token).await;
            assert_eq!(status, StatusCode::OK, "{why}");
            let (status, _) = call(&authenticator, "GET", &token).await;
            assert_eq!(status, StatusCode::OK, "once more");
        }
    }
}

#[tokio::test]
async fn the_rules_for_claims_are_those_of_every_token() {
    let key = SigningKey::generate("key", Algorithm::EdDSA);
    let issuer = Issuer::start(&[&key]).await;
    let authenticator = issuer.authenticator(schedule());
    let now = get_current_timestamp();
    for changes in [
        json!({"exp": now - 3600}),
        json!({"exp": null}),
        json!({"exp": "soon"}),
        json!({"nbf": now + 3600}),
        json!({"iss": "https://other.example"}),
        json!({"aud": "other"}),
        json!({"aud": null}),
        json!({"tenant": null}),
    ] {
        let (status, expected) = call(&authenticator, "GET", &key.token(&changes)).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{changes}");
        let (status, why) = call(&authenticator, "GET", &named(&key, &changes)).await;
        assert_eq!((status, why), (StatusCode::UNAUTHORIZED, expected), "{changes}");
    }
}

#[tokio::test]
async fn nothing_else_comes_in_under_its_name() {
    let keys = [
        SigningKey::generate("ed", Algorithm::EdDSA),
        SigningKey::generate("rs256", Algorithm::RS256),
        SigningKey::generate("es256", Algorithm::ES256),
    ];
    let issuer = Issuer::start(&keys.iter().collect::<Vec<_>>()).await;
    let authenticator = issuer.authenticator(schedule());
    let [ed, rsa, ec] = &keys;
    let other = SigningKey::generate("ed", Algorithm::EdDSA);
    // The public key, as the secret of an HMAC.
    let public = BASE64_URL_SAFE_NO_PAD.decode(ed.public()["x"].as_str().unwrap()).unwrap();
    let public = EncodingKey::from_secret(&public);
    let none = |algorithm: &str| {
        let token = signed(
            &json!({"alg": algorithm, "kid": "ed"}),
            &json!({}),
            &ed.private,
            Algorithm::EdDSA,
        );
        format!("{}.", token.rsplit_once('.').unwrap().0)
    };
    let ed_says = |header: Value| signed(&header, &json!({}), &ed.private, Algorithm::EdDSA);
    let mut tokens = vec![
        named(rsa, &json!({})),
        named(ec, &json!({})),
        named(&other, &json!({})),
        signed(&json!({"alg": "Ed25519", "kid": "ed"}), &json!({}), &public, Algorithm::HS256),
        signed(&json!({"alg": "HS256", "kid": "ed"}), &json!({}), &public, Algorithm::HS256),
        signed(&json!({"alg": "Ed25519", "kid": "ed"}), &json!({}), &rsa.private, Algorithm::RS256),
        ed_says(json!({"alg": "Ed25519", "kid": "rs256"})),
        ed_says(json!({"alg": "Ed25519", "kid": "ed", "crit": ["b64"], "b64": false})),
        none("Ed25519"),
        none("none"),
    ];
    for name in ["Ed448", "ed25519", "EDDSA", "HS256", "RS256", "ES256", "none", ""] {
        tokens.push(ed_says(json!({"alg": name, "kid": "ed"})));
    }
    for name in [json!(["Ed25519"]), json!(null), json!({"Ed25519": null})] {
        tokens.push(ed_says(json!({"alg": name, "kid": "ed"})));
    }
    let good = named(ed, &json!({}));
    let (head, signature) = good.rsplit_once('.').unwrap();
    let (header, _) = head.split_once('.').unwrap();
    let others = claims(&json!({"tenant": "other"})).to_string();
    let others = BASE64_URL_SAFE_NO_PAD.encode(others);
    tokens.push(format!("{header}.{others}.{signature}"));
    tokens.push(format!("{head}.{signature}.{signature}"));
    tokens.push(head.to_owned());
    for token in &tokens {
        let (status, _) = call(&authenticator, "GET", token).await;
        let header = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{}", String::from_utf8_lossy(&header));
    }
    // The header that our own signature has, with the signature of nobody.
    let ours = Header::new(Algorithm::HS256);
    let forged = jsonwebtoken::encode(&ours, &claims(&json!({})), &public).unwrap();
    assert_eq!(call(&authenticator, "GET", &forged).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(call(&authenticator, "GET", &good).await.0, StatusCode::OK);
}

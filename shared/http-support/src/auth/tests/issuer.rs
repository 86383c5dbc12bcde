//! An issuer on the loopback interface: real keys, real signatures, a real JWKS address.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    RsaKeyPair,
};
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use clap::Parser as _;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, get_current_timestamp};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::super::Authenticator;
use super::super::key_state::Schedule;
use super::Settings;

pub(super) const ISSUER: &str = "https://issuer.example";
pub(super) const AUDIENCE: &str = "task-app";

/// A key pair with its identifier.
pub(super) struct SigningKey {
    pub(super) id: &'static str,
    pub(super) algorithm: Algorithm,
    pub(super) private: EncodingKey,
}

impl SigningKey {
    pub(super) fn generate(id: &'static str, algorithm: Algorithm) -> Self {
        let private = match algorithm {
            Algorithm::ES256 => {
                let random = SystemRandom::new();
                let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
                    .unwrap();
                EncodingKey::from_ec_der(der.as_ref())
            }
            Algorithm::EdDSA => {
                let der = Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new()).unwrap();
                EncodingKey::from_ed_der(der.as_ref())
            }
            Algorithm::ES384 => {
                let random = SystemRandom::new();
                let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, &random)
                    .unwrap();
                EncodingKey::from_ec_der(der.as_ref())
            }
            Algorithm::RS256 | Algorithm::RS512 | Algorithm::PS256 => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
                let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
                // PKCS #1, which `EncodingKey` wants, stands in PKCS #8 behind a fixed head.
                EncodingKey::from_rsa_der(&der.as_ref()[26..])
            }
            other => panic!("{other:?}"),
        };
        Self { id, algorithm, private }
    }

    pub(super) fn public(&self) -> Value {
        let mut jwk = Jwk::from_encoding_key(&self.private, self.algorithm).unwrap();
        jwk.common.key_id = Some(self.id.to_owned());
        serde_json::to_value(jwk).unwrap()
    }

    /// The same without the key's name.
    pub(super) fn nameless(&self) -> String {
        let header = Header::new(self.algorithm);
        jsonwebtoken::encode(&header, &claims(&json!({})), &self.private).unwrap()
    }

    /// A token of this key with the good claims, overridden by `changes`; null removes a claim.
    pub(super) fn token(&self, changes: &Value) -> String {
        let mut header = Header::new(self.algorithm);
        header.kid = Some(self.id.to_owned());
        jsonwebtoken::encode(&header, &claims(changes), &self.private).unwrap()
    }
}

/// Claims that are accepted, but for `changes`.
pub(super) fn claims(changes: &Value) -> Value {
    let mut claims = json!({
        "iss": ISSUER,
        "aud": AUDIENCE,
        "exp": get_current_timestamp() + 300,
        "sub": "user-1",
        "scope": "openid tasks:read",
        "tenant": "acme",
    });
    for (name, value) in changes.as_object().into_iter().flatten() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    claims
}

/// Serves a JWK Set, counts how often, and can stop.
pub(super) struct Issuer {
    pub(super) url: String,
    pub(super) fetches: Arc<AtomicUsize>,
    /// None: the connection is taken, and nothing is ever answered.
    answer: Arc<Mutex<Option<(StatusCode, String)>>>,
    server: JoinHandle<()>,
}

impl Issuer {
    pub(super) async fn start(keys: &[&SigningKey]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/keys", listener.local_addr().unwrap());
        let answer = Arc::new(Mutex::new(None));
        let fetches = Arc::new(AtomicUsize::new(0));
        let state = (Arc::clone(&answer), Arc::clone(&fetches));
        let serve = move || async move {
            state.1.fetch_add(1, Ordering::SeqCst);
            let answer = state.0.lock().unwrap().clone();
            match answer {
                Some(answer) => answer,
                None => std::future::pending().await,
            }
        };
        let router: Router = Router::new().route("/keys", get(serve));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let issuer = Self { url, fetches, answer, server };
        issuer.publish(keys);
        issuer
    }

    pub(super) fn publish(&self, keys: &[&SigningKey]) {
        let keys: Vec<_> = keys.iter().map(|key| key.public()).collect();
        self.answer_with(StatusCode::OK, &json!({ "keys": keys }).to_string());
    }

    pub(super) fn answer_with(&self, status: StatusCode, body: &str) {
        *self.answer.lock().unwrap() = Some((status, body.to_owned()));
    }

    /// From now on nothing is answered.
    pub(super) fn freeze(&self) {
        *self.answer.lock().unwrap() = None;
    }

    pub(super) fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }

    /// After this, connections are refused.
    pub(super) async fn stop(self) {
        self.server.abort();
        assert!(self.server.await.unwrap_err().is_cancelled());
    }

    pub(super) fn authenticator(&self, schedule: Schedule) -> Authenticator {
        authenticator(&self.url, schedule)
    }
}

pub(super) fn authenticator(url: &str, schedule: Schedule) -> Authenticator {
    let settings = [("issuer", ISSUER), ("audience", AUDIENCE), ("jwks-url", url)];
    let settings = settings.map(|(name, value)| format!("--auth-{name}={value}"));
    let settings = Settings::parse_from(std::iter::once("test".to_owned()).chain(settings));
    Authenticator::with_schedule(settings.auth, schedule)
}

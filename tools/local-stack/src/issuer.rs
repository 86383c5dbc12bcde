//! The local stack is its own OIDC issuer: the functions verify its tokens as they
//! verify any other issuer's, by its published keys.

use std::time::Duration;

use anyhow::{Context, Result};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use axum::routing::get;
use axum::{Json, Router};
use jsonwebtoken::jwk::{Jwk, JwkSet, KeyAlgorithm, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey, Header, get_current_timestamp};
use secrecy::SecretString;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::ports::loopback;
use crate::state::State;

/// The audience of every token.
pub const AUDIENCE: &str = "task-app";
/// All that a caller of the API can be allowed.
pub const ALL_SCOPES: &str = "tasks:read tasks:write";

pub(crate) const SUBJECT: &str = "local-user";
const JWKS_PATH: &str = "/.well-known/jwks.json";

/// Signs tokens, and publishes the keys that verify them.
pub struct Issuer {
    port: u16,
    key: EncodingKey,
    jwk: Jwk,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: String,
    aud: &'static str,
    sub: &'a str,
    tenant: &'a str,
    scope: &'a str,
    iat: u64,
    nbf: u64,
    exp: u64,
}

impl Issuer {
    /// The issuer of `state`, with the key and the address of its last run.
    pub fn open(state: &State) -> Result<Self> {
        let port = state
            .remembered_port("issuer")
            .context("no stack has run here yet: `make run` starts one, and prints a token")?;
        Self::at(state, port)
    }

    /// The issuer of `state` on a free port.
    pub fn create(state: &State) -> Result<Self> {
        Self::at(state, state.port("issuer")?)
    }

    fn at(state: &State, port: u16) -> Result<Self> {
        let key = EncodingKey::from_ec_der(&state.secret_bytes("issuer.der", new_key)?);
        let mut jwk = Jwk::from_encoding_key(&key, Algorithm::ES256)?;
        jwk.common.key_id = Some(jwk.thumbprint(ThumbprintHash::SHA256)?);
        jwk.common.key_algorithm = Some(KeyAlgorithm::ES256);
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        Ok(Self { port, key, jwk })
    }

    /// The issuer's identifier, the value of `AUTH_ISSUER`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", loopback(self.port))
    }

    /// Where the keys are, the value of `AUTH_JWKS_URL`.
    #[must_use]
    pub fn jwks_url(&self) -> String {
        format!("{}{JWKS_PATH}", self.url())
    }

    /// A token of `local-user`, as [`token_of`](Self::token_of) makes it.
    pub fn token(&self, tenant: &str, scopes: &str, lifetime: Duration) -> Result<SecretString> {
        self.token_of(SUBJECT, tenant, scopes, lifetime)
    }

    /// A token that lets its bearer, `subject`, do what `scopes` (separated by spaces) say in `tenant`, from
    /// now on for `lifetime`.
    pub fn token_of(
        &self,
        subject: &str,
        tenant: &str,
        scopes: &str,
        lifetime: Duration,
    ) -> Result<SecretString> {
        let now = get_current_timestamp();
        let claims = Claims {
            iss: self.url(),
            aud: AUDIENCE,
            sub: subject,
            tenant,
            scope: scopes,
            iat: now,
            nbf: now,
            exp: now.saturating_add(lifetime.as_secs()),
        };
        let mut header = Header::new(Algorithm::ES256);
        header.kid.clone_from(&self.jwk.common.key_id);
        Ok(jsonwebtoken::encode(&header, &claims, &self.key)?.into())
    }

    /// Serves the discovery document and the keys until the returned task is aborted.
    pub async fn serve(&self) -> Result<JoinHandle<()>> {
        let listener =
            TcpListener::bind(loopback(self.port)).await.context("starting the issuer")?;
        let discovery = Json(self.discovery());
        let keys = Json(JwkSet { keys: vec![self.jwk.clone()] });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(move || async { discovery }))
            .route(JWKS_PATH, get(move || async { keys }));
        Ok(tokio::spawn(async move {
            // It ends only with the task.
            let _ = axum::serve(listener, router).await;
        }))
    }

    fn discovery(&self) -> Value {
        json!({
            "issuer": self.url(),
            "jwks_uri": self.jwks_url(),
            "id_token_signing_alg_values_supported": ["ES256"],
            "response_types_supported": ["token"],
            "subject_types_supported": ["public"],
        })
    }
}

fn new_key() -> Result<Vec<u8>> {
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
    Ok(key.to_pkcs8v1()?.as_ref().to_vec())
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{DecodingKey, Validation, decode};
    use secrecy::ExposeSecret as _;

    use super::*;

    #[tokio::test]
    async fn a_token_is_verified_by_the_published_key() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::open(folder.path()).unwrap();
        let issuer = Issuer::create(&state).unwrap();
        let server = issuer.serve().await.unwrap();
        // Another process, of the same state, signs.
        let signer = Issuer::open(&state).unwrap();
        let token = signer.token("acme", "tasks:read", Duration::from_mins(1)).unwrap();

        let keys: JwkSet = reqwest::get(issuer.jwks_url()).await.unwrap().json().await.unwrap();
        server.abort();
        let header = jsonwebtoken::decode_header(token.expose_secret()).unwrap();
        let key = DecodingKey::from_jwk(keys.find(&header.kid.unwrap()).unwrap()).unwrap();
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[issuer.url()]);
        let claims = decode::<Value>(token.expose_secret(), &key, &validation).unwrap().claims;
        assert_eq!(claims["tenant"], "acme");
        assert_eq!(claims["scope"], "tasks:read");
    }
}

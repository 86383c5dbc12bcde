//! Tokens as the identity providers of docs/authentication.md write them, each with the settings that
//! its section has.

use std::fs;

use axum::http::StatusCode;
use clap::Parser as _;
use jsonwebtoken::{Algorithm, get_current_timestamp};
use serde_json::{Value, json};

use super::issuer::{Issuer, SigningKey};
use super::{Settings, call, schedule};
use crate::auth::Authenticator;

/// The settings of a provider's section.
fn settings(provider: &str) -> Vec<(String, String)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/authentication.md");
    let text = fs::read_to_string(path).unwrap();
    let (_, section) = text.split_once(&format!("\n## {provider}\n")).expect(provider);
    let (_, block) = section.split_once("```sh\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    let pair = |line: &str| {
        let (name, value) = line.split_once('=').unwrap();
        (name.to_owned(), value.trim_matches('\'').to_owned())
    };
    block.lines().map(pair).collect()
}

/// Calls with a token of these claims, whose issuer and audience are those of the section.
async fn answers(provider: &str, algorithm: Algorithm, claims: Value) -> [StatusCode; 2] {
    let key = SigningKey::generate("key", algorithm);
    let issuer = Issuer::start(&[&key]).await;
    let arguments = settings(provider).into_iter().map(|(name, value)| {
        let value = if name == "AUTH_JWKS_URL" { issuer.url.clone() } else { value };
        format!("--{}={value}", name.to_ascii_lowercase().replace('_', "-"))
    });
    let config = Settings::parse_from(std::iter::once("test".to_owned()).chain(arguments)).auth;
    let authenticator = Authenticator::with_schedule(config, schedule());
    let mut all = json!({ "aud": null, "scope": null, "tenant": null });
    let now = get_current_timestamp();
    for (name, value) in claims.as_object().unwrap() {
        all[name] = value.clone();
    }
    all["exp"] = (now + 300).into();
    all["iat"] = now.into();
    let token = key.token(&all);
    let (read, why) = call(&authenticator, "GET", &token).await;
    assert!(!why.contains("invalid_token"), "{provider}: {why}");
    [read, call(&authenticator, "POST", &token).await.0]
}

const READ_ONLY: [StatusCode; 2] = [StatusCode::OK, StatusCode::FORBIDDEN];

#[tokio::test]
async fn amazon_cognito() {
    let claims = json!({
        "iss": "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_EXAMPLE",
        "sub": "1example23456789", "client_id": "1example23456789", "token_use": "access",
        "version": 2, "jti": "a7a2", "scope": "tasks/tasks:read openid", "tenant": "acme",
    });
    assert_eq!(answers("Amazon Cognito", Algorithm::RS256, claims).await, READ_ONLY);
}

#[tokio::test]
async fn auth0() {
    let claims = json!({
        "iss": "https://example.eu.auth0.com/", "sub": "auth0|64a1", "azp": "client",
        "aud": ["https://tasks.example.com", "https://example.eu.auth0.com/userinfo"],
        "scope": "openid profile", "permissions": ["tasks:read"], "org_id": "org_9ybsU1dN2dKfDkBi",
    });
    assert_eq!(answers("Auth0", Algorithm::RS256, claims).await, READ_ONLY);
}

#[tokio::test]
async fn okta() {
    let claims = json!({
        "ver": 1, "iss": "https://example.okta.com/oauth2/default", "aud": "api://tasks",
        "cid": "0oa1", "uid": "00u1", "sub": "ada@example.com", "scp": ["openid", "tasks:read"],
        "tenant": "acme",
    });
    assert_eq!(answers("Okta", Algorithm::RS256, claims).await, READ_ONLY);
}

#[tokio::test]
async fn microsoft_entra_id() {
    let claims = json!({
        "ver": "2.0", "iss": "https://login.microsoftonline.com/8d9c3a54-7e0b-4a1a-9d57-0a5f0f0f2b11/v2.0",
        "aud": "6e74172b-be56-4843-9ff4-e66a39bb12e3", "azp": "0f3e", "sub": "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ",
        "oid": "690222be", "tid": "8d9c3a54-7e0b-4a1a-9d57-0a5f0f0f2b11", "scp": "Tasks.Read User.Read",
    });
    assert_eq!(answers("Microsoft Entra ID", Algorithm::RS256, claims).await, READ_ONLY);
}

#[tokio::test]
async fn keycloak() {
    let claims = json!({
        "iss": "https://id.example.com/realms/tasks", "aud": ["tasks", "account"],
        "sub": "f:1:ada", "typ": "Bearer", "azp": "web", "scope": "profile tasks:read email",
        "realm_access": { "roles": ["user"] }, "tenant": "acme",
    });
    assert_eq!(answers("Keycloak", Algorithm::PS256, claims).await, READ_ONLY);
}

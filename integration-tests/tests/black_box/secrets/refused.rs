//! A secret that cannot be used ends the start, with an error that says which and what to do.

use std::net::SocketAddr;
use std::process::Command;

use axum::Router;
use axum::http::StatusCode;
use serde_json::json;
use tokio::net::TcpListener;

use super::{Lambda, Secrets, apart, by_arn};
use crate::support::system::{TestSystem, binary};

const ARN: &str = "arn:aws:secretsmanager:us-east-1:000000000000:secret:task-app/none";
const PASSWORD: &str = "p4ssword-of-nobody";

/// A Secrets Manager that gives this answer, or none.
async fn manager(answer: Option<&'static str>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let answer = move || async move {
        match answer {
            Some(code) => (StatusCode::BAD_REQUEST, json!({ "__type": code }).to_string()),
            None => std::future::pending().await,
        }
    };
    let router = Router::new().fallback(answer);
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

#[tokio::test]
async fn a_lambda_whose_secret_cannot_be_used_says_why_it_does_not_start() {
    let system = TestSystem::new().await;
    let secrets = Secrets::of(&system);
    let good = by_arn(&system, &system.database.writer_url).await;
    let denied = format!("http://{}", manager(Some("AccessDeniedException")).await);
    let locked = format!("http://{}", manager(Some("DecryptionFailure")).await);
    let silent = format!("http://{}", manager(None).await);
    let url = format!("postgres://u:{PASSWORD}@127.0.0.1/x");
    let half = secrets.create(&json!({ "password": PASSWORD }).to_string()).await;
    let (manager, arn) = ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "DATABASE_SECRET_ARN");
    let both = "expected one of both";
    for (name, value, complaint) in [
        (arn, ARN.to_owned(), vec![arn, ARN, "no such secret"]),
        (arn, secrets.create(&url).await, vec![arn, "is no JSON object", "`username`"]),
        (arn, half, vec![arn, "has no text `username`"]),
        (manager, denied, vec!["SECRET_ARN", "secretsmanager:GetSecretValue", "kms:Decrypt"]),
        (manager, locked, vec!["SECRET_ARN", "kms:Decrypt"]),
        (manager, silent, vec!["SECRET_ARN", "does not answer"]),
        ("DATABASE_URL", url, vec!["DATABASE_URL", "DATABASE_SECRET_ARN", both]),
        ("REDIS_URL", format!("redis://:{PASSWORD}@127.0.0.1"), vec!["REDIS_URL", both]),
    ] {
        let environment = good.clone().with(name, &value);
        let lambda = Lambda::start(&system, "command-worker", &environment).await;
        let error = lambda.api.failed_start().await.to_string();
        for expected in complaint {
            assert!(error.contains(expected), "{name}={value}: {error}");
        }
        assert!(!error.contains(PASSWORD), "{name}: {error}");
    }
}

#[tokio::test]
async fn a_login_that_postgresql_refuses_is_no_secret_that_cannot_be_used() {
    let system = TestSystem::new().await;
    let (_, value) = apart(&system.database.writer_url);
    let wrong = value.replace("\"password\":\"", "\"password\":\"wrong");
    let wrong = Secrets::of(&system).create(&wrong).await;
    let environment = by_arn(&system, &system.database.writer_url).await;
    let environment = environment.with("DATABASE_SECRET_ARN", wrong);
    let writer = Lambda::start(&system, "task-writer", &environment).await;
    // It starts: PostgreSQL may know the password later.
    writer.api.fetches(1).await;
}

#[test]
fn settings_that_contradict_each_other_are_named() {
    let (url, file) = (("DATABASE_URL", "postgres://127.0.0.1/x"), ("DATABASE_URL_FILE", "/x"));
    let arn = ("DATABASE_SECRET_ARN", ARN);
    let auth = [("AUTH_ISSUER", "http://127.0.0.1"), ("AUTH_AUDIENCE", "x")];
    let key = [("CURSOR_KEY", PASSWORD), ("CURSOR_KEY_SECRET_ARN", ARN)];
    let reader: Vec<_> = [&auth[..], &[url], &key].concat();
    for (function, settings, named) in [
        ("migrate", vec![arn], vec!["--database-url"]),
        ("migrate", vec![arn, file], vec!["--database-secret-arn", "--database-url"]),
        ("migrate", vec![url, ("DATABASE_SECRET_ARN", "task-app/x")], vec!["ARN of a secret"]),
        ("task-reader", reader, vec!["--cursor-key-secret-arn", "--cursor-key"]),
    ] {
        let mut command = Command::new(binary(function));
        let output = command.env_clear().envs(settings.clone()).output().expect("an output");
        assert_eq!(output.status.code(), Some(2), "{function} {settings:?}");
        let message = String::from_utf8_lossy(&output.stderr);
        for name in named {
            assert!(message.contains(name), "{function} {settings:?}: {message}");
        }
        assert!(!message.contains(PASSWORD), "{message}");
    }
}

//! What `fuzz/` drives: events as the Lambda host gets them, through the code that reads them.

use axum::{Router, body::Bytes, routing::any};
use clap::{Args, Command, FromArgMatches as _};
use lambda_runtime::{Context, LambdaEvent};
use serde_json::Value;

use crate::{http, lambda};

/// An HTTP event of any shape, answered by an echo behind the hardened router. It may be refused;
/// that it gets an answer is what is fuzzed.
pub fn http_event(json: &[u8]) {
    let Ok(payload) = serde_json::from_slice(json) else { return };
    let echo = Router::new().fallback(any(|body: Bytes| async move { body }));
    let matches = http::Config::augment_args(Command::new("fuzz")).get_matches_from(["fuzz"]);
    let Ok(config) = http::Config::from_arg_matches(&matches) else { return };
    let router = http::harden(echo, &config);
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build();
    if let Ok(tokio) = tokio {
        let event = LambdaEvent::new(payload, Context::default());
        let _ = tokio.block_on(lambda::http::answer(router, config.http_rest_api_is_binary, event));
    }
}

/// A record of an SQS event.
pub fn sqs_record(json: &[u8]) {
    let Ok(record) = serde_json::from_slice::<Value>(json) else { return };
    if let Ok(delivery) = lambda::sqs::record(record) {
        let _ = (delivery.attempt(), delivery.sent_at(), delivery.group_id());
    }
}

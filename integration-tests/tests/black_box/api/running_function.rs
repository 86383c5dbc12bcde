//! Where a function is called, and by whom.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use fake_lambda::{Call, LambdaApi, Sender};
use local_stack::Function;
use reqwest::Method;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::support::system::{Api, TestSystem};

const MINUTE: Duration = Duration::from_mins(1);

/// How callers come to the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    Pod,
    Gateway,
    LoadBalancer,
}

/// A function that runs.
pub(super) enum RunningFunction {
    Pod(Api),
    /// The function runs for as long as it is held.
    Lambda(Sender, LambdaApi, #[expect(dead_code, reason = "held, not looked at")] Function),
}

/// What comes back, whoever passed it on.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    /// The last value of each.
    pub(super) headers: Map<String, Value>,
    pub(super) body: Vec<u8>,
}

impl RunningFunction {
    pub(super) async fn call(&self, system: &TestSystem, call: &Call<'_>) -> Reply {
        match self {
            Self::Pod(api) => send(system, api, call).await,
            Self::Lambda(sender, api, _) => {
                let id = Uuid::new_v4().to_string();
                let answer = api.invoke(&id, MINUTE, sender.event(call)).await;
                reply(&answer.expect("a response"))
            }
        }
    }
}

async fn send(system: &TestSystem, api: &Api, call: &Call<'_>) -> Reply {
    let separator = if call.query.is_empty() { "" } else { "?" };
    let url = format!("{}{}{separator}{}", api.url, call.path, call.query);
    let method = Method::from_bytes(call.method.as_bytes()).expect("a method");
    let request = system.client.request(method, url).body(call.body.clone());
    let headers = call.headers.iter();
    let request = headers.fold(request, |request, (name, value)| request.header(*name, value));
    let response = request.send().await.expect("an answer");
    let headers = response.headers().iter();
    let headers =
        headers.map(|(name, value)| (name.to_string(), value.to_str().expect("text").into()));
    Reply {
        status: response.status().as_u16(),
        headers: headers.collect(),
        body: response.bytes().await.expect("a body").into(),
    }
}

fn reply(answer: &Value) -> Reply {
    let one = answer["headers"].as_object().cloned().unwrap_or_default();
    let many = answer["multiValueHeaders"].as_object().cloned().unwrap_or_default();
    let last = |values: Value| values.as_array().and_then(|values| values.last().cloned());
    let many = many.into_iter().filter_map(|(name, values)| Some((name, last(values)?)));
    let body = answer["body"].as_str().unwrap_or_default();
    let body = match answer["isBase64Encoded"].as_bool() {
        Some(true) => BASE64_STANDARD.decode(body).expect("Base64"),
        _ => body.into(),
    };
    let status = answer["statusCode"].as_u64().and_then(|status| status.try_into().ok());
    Reply {
        status: status.expect("a status"),
        headers: one.into_iter().chain(many).collect(),
        body,
    }
}

//! Conformance of the HTTP functions: the same story, told to a pod and to a Lambda.

use std::time::Duration;

use local_stack::Function;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::lambda_api::LambdaApi;
use crate::world::{Api, World};

const MINUTE: Duration = Duration::from_mins(1);

/// Where a function is called.
pub(crate) enum Place {
    Pod(Api),
    /// The function runs for as long as it is held.
    Lambda(LambdaApi, #[expect(dead_code, reason = "held, not looked at")] Function),
}

/// Status, entity tag, location and body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u64,
    pub(crate) headers: Value,
    pub(crate) body: Value,
}

impl Place {
    pub(crate) async fn call(
        &self,
        world: &World,
        method: &Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Answer {
        match self {
            Self::Pod(api) => {
                let url = format!("{}{path}", api.url);
                let mut request = world.client.request(method.clone(), url);
                for (name, value) in headers {
                    request = request.header(*name, *value);
                }
                if let Some(body) = body {
                    request = request.body(body.to_string());
                }
                let response = request.send().await.expect("an answer");
                let status = response.status().as_u16().into();
                let headers = response.headers().iter();
                let headers = headers
                    .map(|(name, value)| (name.to_string(), value.to_str().expect("text").into()));
                let headers = Value::Object(headers.collect());
                let text = response.text().await.expect("a body");
                Answer { status, headers, body: serde_json::from_str(&text).unwrap_or_default() }
            }
            Self::Lambda(api, _) => {
                let event = function_url(method, path, headers, body);
                let id = Uuid::new_v4().to_string();
                let answer = api.invoke(&id, MINUTE, event).await.expect("a response");
                let body = answer["body"].as_str().map(serde_json::from_str);
                Answer {
                    status: answer["statusCode"].as_u64().expect("a status"),
                    headers: answer["headers"].clone(),
                    body: body.and_then(Result::ok).unwrap_or_default(),
                }
            }
        }
    }
}

fn function_url(
    method: &Method,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<&Value>,
) -> Value {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let headers: Value = headers.iter().map(|(name, value)| (*name, *value)).collect();
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": "anonymous", "apiId": "id", "domainName": "id.lambda-url.local",
            "domainPrefix": "id", "requestId": Uuid::new_v4(), "routeKey": "$default",
            "stage": "$default", "time": "12/Mar/2020:19:03:58 +0000",
            "timeEpoch": 1_583_348_638_390_i64,
            "http": {
                "method": method.as_str(), "path": path, "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1", "userAgent": "test",
            },
        },
        "body": body.map(Value::to_string),
        "isBase64Encoded": false,
    })
}

/// A task's life, as its caller sees it: statuses, tags and what does not vary of the bodies.
async fn story(world: &World, reader: &Place, writer: &Place) -> Vec<Value> {
    let token = format!("Bearer {}", world.token("acme"));
    let mut told = Vec::new();
    let mut tell = async |method: Method,
                          path: &str,
                          extra: &[(&str, &str)],
                          body: Option<Value>| {
        let place = if method == Method::GET { reader } else { writer };
        let mut headers =
            vec![("authorization", token.as_str()), ("content-type", "application/json")];
        headers.extend_from_slice(extra);
        let answer = place.call(world, &method, path, &headers, body.as_ref()).await;
        told.push(json!({
            "status": answer.status, "etag": answer.headers["etag"],
            "kind": answer.headers["content-type"], "title": answer.body["title"],
            "problem": answer.body["type"], "state": answer.body["status"],
            "version": answer.body["version"], "tasks": answer.body["tasks"].as_array().map(Vec::len),
        }));
        answer
    };
    let key = [("idempotency-key", "\"order-17\"")];
    let milk = || Some(json!({"title": "Buy milk"}));
    let created = tell(Method::POST, "/v1/tasks", &key, milk()).await;
    let path = created.headers["location"].as_str().expect("a location").to_owned();
    tell(Method::POST, "/v1/tasks", &key, milk()).await;
    tell(Method::POST, "/v1/tasks", &key, Some(json!({"title": "Other"}))).await;
    tell(Method::GET, &path, &[], None).await;
    tell(Method::GET, &path, &[("if-none-match", "\"1\"")], None).await;
    tell(Method::PATCH, &path, &[("if-match", "\"1\"")], Some(json!({"title": "Oat"}))).await;
    tell(Method::PATCH, &path, &[("if-match", "\"1\"")], Some(json!({"title": "Soy"}))).await;
    tell(Method::POST, &format!("{path}/complete"), &[], None).await;
    tell(Method::GET, "/v1/tasks?limit=1", &[], None).await;
    tell(Method::GET, "/v1/tasks?limit=0", &[], None).await;
    tell(Method::POST, "/v1/tasks", &[], Some(json!({"title": " "}))).await;
    tell(Method::PUT, "/v1/tasks", &[], Some(json!({}))).await;
    tell(Method::DELETE, &path, &[], None).await;
    tell(Method::GET, &path, &[], None).await;
    tell(Method::GET, "/v1/nothing", &[], None).await;
    told
}

#[tokio::test]
async fn both_hosts_tell_the_same_story() {
    let pods = World::new().await;
    let (reader, writer) = (Place::Pod(pods.reader().await), Place::Pod(pods.writer().await));
    let expected = story(&pods, &reader, &writer).await;
    let statuses: Vec<_> = expected.iter().map(|told| told["status"].as_u64()).collect();
    let known = [201, 201, 422, 200, 304, 200, 412, 200, 200, 400, 422, 405, 204, 404, 404];
    assert_eq!(statuses, known.map(Some));

    let lambdas = World::new().await;
    let lambda = async |name: &str, environment| {
        let api = LambdaApi::start().await;
        let function = lambdas.start_lambda(name, &environment, &api);
        Place::Lambda(api, function)
    };
    let for_reads = lambdas.api_environment(&lambdas.database.reader_url);
    let for_writes = lambdas.api_environment(&lambdas.database.writer_url);
    let reader = lambda("task-reader", for_reads).await;
    let writer = lambda("task-writer", for_writes).await;
    assert_eq!(story(&lambdas, &reader, &writer).await, expected);
}

#[tokio::test]
async fn who_is_not_allowed_is_told_so_by_a_lambda() {
    let world = World::new().await;
    let api = LambdaApi::start().await;
    let environment = world.api_environment(&world.database.reader_url);
    let function = world.start_lambda("task-reader", &environment, &api);
    let reader = Place::Lambda(api, function);
    let refused = reader.call(&world, &Method::GET, "/v1/tasks", &[], None).await;
    assert_eq!(refused.status, 401);
    assert!(refused.headers["www-authenticate"].is_string(), "{refused:?}");
}

//! HTTP events as their senders shape them.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Map, Value, json};

/// A request, before a sender shapes it.
#[derive(Clone, Default)]
pub struct Call<'a> {
    /// `GET`, say.
    pub method: &'a str,
    /// The path, which begins with `/`.
    pub path: &'a str,
    /// The query without `?`, encoded.
    pub query: &'a str,
    /// The headers: a name may come several times.
    pub headers: Vec<(&'a str, String)>,
    /// The body; it need not be text.
    pub body: Vec<u8>,
}

/// Who sends.
#[derive(Clone, Copy, Debug)]
pub enum Sender {
    /// API Gateway, REST (format 1.0).
    RestApi,
    /// API Gateway, HTTP with format 1.0.
    HttpApiV1,
    /// API Gateway, HTTP (format 2.0).
    HttpApi,
    /// A function URL.
    FunctionUrl,
    /// An Application Load Balancer.
    LoadBalancer,
}

impl Sender {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::RestApi, Self::HttpApiV1, Self::HttpApi, Self::FunctionUrl, Self::LoadBalancer];

    /// Whether it keeps a header's several values apart.
    #[must_use]
    pub fn keeps_repeats(self) -> bool {
        matches!(self, Self::RestApi | Self::HttpApiV1 | Self::LoadBalancer)
    }

    /// The event of this request.
    #[must_use]
    pub fn event(self, call: &Call<'_>) -> Value {
        match self {
            Self::RestApi => rest_api(call),
            Self::HttpApiV1 => http_api_v1(call),
            Self::HttpApi => http_api(call, "prod", "/prod"),
            Self::FunctionUrl => http_api(call, "$default", ""),
            Self::LoadBalancer => load_balancer(call),
        }
    }
}

fn rest_api(call: &Call<'_>) -> Value {
    let mut event = json!({
        "resource": "/{proxy+}",
        "path": call.path,
        "httpMethod": call.method,
        "headers": last_values(call),
        "multiValueHeaders": all_values(call),
        "queryStringParameters": null,
        "multiValueQueryStringParameters": parameters(call, true),
        "pathParameters": {"proxy": call.path.trim_start_matches('/')},
        "stageVariables": null,
        "requestContext": {
            "resourceId": "123456", "resourcePath": "/{proxy+}", "apiId": "1234567890",
            "path": format!("/prod{}", call.path), "httpMethod": call.method, "stage": "prod",
            "accountId": "123456789012", "domainName": "1234567890.execute-api.local",
            "protocol": "HTTP/1.1", "requestTime": "09/Apr/2015:12:34:56 +0000",
            "requestTimeEpoch": 1_428_582_896_000_i64,
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "identity": {"sourceIp": "127.0.0.1", "userAgent": "test", "accountId": null},
        },
    });
    with_body(&mut event, call);
    event
}

/// Unlike a REST API's, its path begins with the stage.
fn http_api_v1(call: &Call<'_>) -> Value {
    let mut event = rest_api(call);
    if let Some(members) = event.as_object_mut() {
        members.insert("version".to_owned(), "1.0".into());
        members.insert("path".to_owned(), format!("/prod{}", call.path).into());
    }
    event
}

fn http_api(call: &Call<'_>, stage: &str, prefix: &str) -> Value {
    let path = format!("{prefix}{}", call.path);
    let mut event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": call.query,
        "headers": last_values(call),
        "requestContext": {
            "accountId": "123456789012", "apiId": "api-id", "routeKey": "$default",
            "domainName": "id.execute-api.local", "domainPrefix": "id", "stage": stage,
            "requestId": "JKJaXmPLvHcESHA=", "time": "12/Mar/2020:19:03:58 +0000",
            "timeEpoch": 1_583_348_638_390_i64,
            "http": {
                "method": call.method, "path": path, "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1", "userAgent": "test",
            },
        },
    });
    with_body(&mut event, call);
    event
}

fn load_balancer(call: &Call<'_>) -> Value {
    let target =
        "arn:aws:elasticloadbalancing:local:123456789012:targetgroup/test/49e9d65c45c6791a";
    let mut event = json!({
        "requestContext": {"elb": {"targetGroupArn": target}},
        "httpMethod": call.method,
        "path": call.path,
        "multiValueQueryStringParameters": parameters(call, false),
        "multiValueHeaders": all_values(call),
    });
    with_body(&mut event, call);
    event
}

fn last_values(call: &Call<'_>) -> Value {
    call.headers.iter().map(|(name, value)| (*name, value.clone())).collect()
}

fn all_values(call: &Call<'_>) -> Value {
    let mut all = Map::new();
    for (name, value) in &call.headers {
        let values = all.entry(*name).or_insert_with(|| json!([]));
        values.as_array_mut().expect("values").push(json!(value));
    }
    all.into()
}

/// A gateway decodes parameters, a load balancer hands them on as they came.
fn parameters(call: &Call<'_>, decoded: bool) -> Value {
    let mut all = Map::new();
    for pair in call.query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').expect("name=value");
        let value = if decoded { value.replace("%26", "&") } else { value.to_owned() };
        let values = all.entry(name).or_insert_with(|| json!([]));
        values.as_array_mut().expect("values").push(json!(value));
    }
    all.into()
}

fn with_body(event: &mut Value, call: &Call<'_>) {
    let text = String::from_utf8(call.body.clone());
    event["isBase64Encoded"] = json!(text.is_err());
    event["body"] = match text {
        Ok(text) if text.is_empty() => Value::Null,
        Ok(text) => json!(text),
        Err(error) => json!(BASE64_STANDARD.encode(error.into_bytes())),
    };
}

//! HTTP: the same answers from both hosts, whoever sends the event.

use std::{collections::BTreeMap, io::Read as _, net::SocketAddr, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use fake_lambda::{Call, LambdaApi, Sender};
use flate2::read::GzDecoder;
use reqwest::{Client, Method};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::process::Example;

const MINUTE: Duration = Duration::from_mins(1);

/// Status, headers (each with all its values) and body.
#[derive(Debug, PartialEq)]
struct Answer {
    status: u16,
    headers: BTreeMap<String, Vec<String>>,
    body: Vec<u8>,
}

fn limits() -> [(&'static str, String); 3] {
    [
        ("HTTP_MAX_BODY_BYTES", "16".to_owned()),
        ("HTTP_REQUEST_TIMEOUT_MS", "300".to_owned()),
        ("HTTP_REST_API_IS_BINARY", "true".to_owned()),
    ]
}

/// The requests to a pod and to a Lambda; the status is the pod's, too.
fn calls() -> Vec<(u16, Call<'static>)> {
    let get = |path| Call { method: "GET", path, ..Call::default() };
    let echo = |body: &[u8]| Call {
        method: "POST",
        path: "/echo",
        body: body.to_vec(),
        headers: vec![("content-type", "text/plain; charset=utf-8".to_owned())],
        ..Call::default()
    };
    let binary = vec![("content-type", "application/octet-stream".to_owned())];
    vec![
        (200, echo("h\u{e9}llo".as_bytes())),
        (200, Call { headers: binary, ..echo(&[0, 159, 146, 150, 255]) }),
        (200, Call { query: "a=x%26y&a=2", ..get("/show") }),
        (200, Call { headers: vec![("tag", "one".to_owned())], ..get("/show") }),
        (200, Call { method: "HEAD", ..get("/show") }),
        (200, get("/large")),
        (200, Call { headers: vec![("accept-encoding", "gzip, br".to_owned())], ..get("/large") }),
        (200, get("/healthz")),
        (404, get("/nowhere")),
        (404, get("//show")),
        (405, get("/echo")),
        (413, echo(b"0123456789abcdefg")),
        (431, Call { headers: vec![("tag", "x".repeat(20_000))], ..get("/show") }),
        (500, get("/panic")),
        (503, get("/slow")),
    ]
}

async fn send(address: SocketAddr, call: &Call<'_>) -> Answer {
    let method = Method::from_bytes(call.method.as_bytes()).expect("a method");
    let mut url = format!("http://{address}{}", call.path);
    if !call.query.is_empty() {
        url = format!("{url}?{}", call.query);
    }
    let mut request = Client::new().request(method, url).body(call.body.clone());
    for (name, value) in &call.headers {
        request = request.header(*name, value);
    }
    let response = request.send().await.expect("an answer");
    let mut headers = BTreeMap::<_, Vec<_>>::new();
    for (name, value) in response.headers() {
        let value = value.to_str().expect("text").to_owned();
        headers.entry(name.as_str().to_owned()).or_default().push(value);
    }
    let status = response.status().as_u16();
    Answer { status, headers, body: response.bytes().await.expect("a body").to_vec() }
}

async fn invoke(api: &LambdaApi, sender: Sender, call: &Call<'_>) -> Answer {
    let outcome = api.invoke("an-invocation", MINUTE, sender.event(call)).await;
    read(sender, &outcome.expect("a response"))
}

fn read(sender: Sender, answer: &Value) -> Answer {
    let mut headers = BTreeMap::<_, Vec<_>>::new();
    let field = if sender.keeps_repeats() { "multiValueHeaders" } else { "headers" };
    for (name, value) in answer[field].as_object().expect("headers") {
        let values = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
        let values = values.iter().map(|value| value.as_str().expect("text").to_owned());
        headers.insert(name.clone(), values.collect());
    }
    if let Some(cookies) = answer["cookies"].as_array().filter(|cookies| !cookies.is_empty()) {
        let cookies = cookies.iter().map(|cookie| cookie.as_str().expect("text").to_owned());
        headers.insert("set-cookie".to_owned(), cookies.collect());
    }
    let body = answer["body"].as_str().unwrap_or_default();
    let body = match answer["isBase64Encoded"].as_bool() {
        Some(true) => BASE64_STANDARD.decode(body).expect("Base64"),
        _ => body.as_bytes().to_vec(),
    };
    let status = answer["statusCode"].as_u64().and_then(|status| status.try_into().ok());
    Answer { status: status.expect("a status"), headers, body }
}

/// What is of the connection and not of the answer.
fn without_connection(mut answer: Answer) -> Answer {
    for name in ["connection", "content-length", "date", "transfer-encoding"] {
        answer.headers.remove(name);
    }
    answer
}

#[tokio::test]
async fn a_lambda_answers_as_a_pod_does() {
    let api = LambdaApi::start().await;
    let _lambda = Example::lambda("api", &api, &limits());
    let (_pod, address) = Example::pod("api", &limits()).await;
    for (status, mut call) in calls() {
        call.headers.push(("host", "api.test".to_owned()));
        call.headers.push(("x-request-id", "the-same".to_owned()));
        let expected = without_connection(send(address, &call).await);
        assert_eq!(expected.status, status, "{} {}", call.method, call.path);
        for sender in Sender::ALL {
            let answer = without_connection(invoke(&api, sender, &call).await);
            assert_eq!(answer, expected, "{sender:?} {} {}", call.method, call.path);
        }
    }
}

#[tokio::test]
async fn a_compressed_answer_is_binary_to_lambda() {
    let api = LambdaApi::start().await;
    let _lambda = Example::lambda("api", &api, &limits());
    let headers = vec![("accept-encoding", "gzip".to_owned())];
    let call = Call { method: "GET", path: "/large", headers, ..Call::default() };
    for sender in Sender::ALL {
        let outcome = api.invoke("an-invocation", MINUTE, sender.event(&call)).await;
        let outcome = outcome.expect("a response");
        assert_eq!(outcome["isBase64Encoded"], true, "{sender:?}");
        let answer = read(sender, &outcome);
        assert_eq!(answer.headers["content-encoding"], ["gzip"]);
        let mut text = String::new();
        GzDecoder::new(&*answer.body).read_to_string(&mut text).expect("gzip");
        assert_eq!(text, "hello ".repeat(1_000), "{sender:?}");
        assert!(answer.body.len() < 1_000, "{} bytes", answer.body.len());
    }
}

#[tokio::test]
async fn a_rest_api_that_may_not_be_sent_binary_bodies_is_sent_text() {
    let api = LambdaApi::start().await;
    let _lambda = Example::lambda("api", &api, &[]);
    let headers = vec![("accept-encoding", "gzip".to_owned())];
    let call = Call { method: "GET", path: "/large", headers, ..Call::default() };
    for (sender, is_compressed) in [
        (Sender::RestApi, false),
        (Sender::HttpApiV1, false),
        (Sender::HttpApi, true),
        (Sender::LoadBalancer, true),
    ] {
        let answer = invoke(&api, sender, &call).await;
        assert_eq!(answer.headers.contains_key("content-encoding"), is_compressed, "{sender:?}");
        assert_eq!(answer.body.len() < 1_000, is_compressed, "{sender:?}");
    }
}

#[tokio::test]
async fn a_path_is_taken_as_it_was_sent() {
    let api = LambdaApi::start().await;
    let _lambda = Example::lambda("api", &api, &limits());
    let (_pod, address) = Example::pod("api", &limits()).await;
    for path in ["/x/../show", "/./show", "/x/%2e%2e/show", "/show/", "/show/."] {
        let call = Call { method: "GET", path, ..Call::default() };
        for sender in Sender::ALL {
            assert_eq!(invoke(&api, sender, &call).await.status, 404, "{sender:?} {path}");
        }
        // A client's library would resolve it.
        let mut pod = TcpStream::connect(address).await.expect("a connection");
        let request = format!("GET {path} HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n");
        pod.write_all(request.as_bytes()).await.expect("sent");
        let mut response = String::new();
        pod.read_to_string(&mut response).await.expect("an answer");
        assert!(response.starts_with("HTTP/1.1 404"), "{path}: {response}");
    }
}

#[tokio::test]
async fn a_base_path_is_before_the_routes_in_every_host() {
    let api = LambdaApi::start().await;
    let base = [("HTTP_BASE_PATH", "/base/path".to_owned())];
    let _lambda = Example::lambda("api", &api, &base);
    let (_pod, address) = Example::pod("api", &base).await;
    for (path, status) in [("/base/path/show", 200), ("/show", 404), ("/base/pathshow", 404)] {
        let call = Call { method: "GET", path, ..Call::default() };
        assert_eq!(send(address, &call).await.status, status, "{path}");
        for sender in Sender::ALL {
            assert_eq!(invoke(&api, sender, &call).await.status, status, "{sender:?} {path}");
        }
    }
}

#[tokio::test]
async fn a_header_that_is_sent_twice_stays_twice() {
    let api = LambdaApi::start().await;
    let _lambda = Example::lambda("api", &api, &limits());
    let tags = ["one", "two"].map(|tag| ("tag", tag.to_owned()));
    let call = Call { method: "GET", path: "/show", headers: tags.into(), ..Call::default() };
    for sender in Sender::ALL.into_iter().filter(|sender| sender.keeps_repeats()) {
        assert_eq!(invoke(&api, sender, &call).await.body, b"one\ntwo", "{sender:?}");
    }
}

#[tokio::test]
async fn a_request_is_named_by_the_client_the_gateway_or_the_invocation() {
    let api = LambdaApi::start().await;
    let _lambda = Example::lambda("api", &api, &limits());
    let show = Call { method: "GET", path: "/show", ..Call::default() };
    let named = async |sender, given: &str| {
        let headers = vec![("x-request-id", given.to_owned())];
        let answer = invoke(&api, sender, &Call { headers, ..show.clone() }).await;
        answer.headers["x-request-id"][0].clone()
    };
    assert_eq!(named(Sender::RestApi, "client-1").await, "client-1");
    let gateway = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef";
    assert_eq!(named(Sender::RestApi, "no good").await, gateway);
    assert_eq!(named(Sender::HttpApi, "").await, "JKJaXmPLvHcESHA=");
    assert_eq!(named(Sender::LoadBalancer, "").await, "an-invocation");
}

#[tokio::test]
async fn an_invocation_that_ends_early_is_answered_before_its_end() {
    let api = LambdaApi::start().await;
    let patient = [("HTTP_REQUEST_TIMEOUT_MS", "600000".to_owned())];
    let _lambda = Example::lambda("api", &api, &patient);
    let slow = Call { method: "GET", path: "/slow", ..Call::default() };
    let time = Duration::from_secs(4);
    let outcome = api.invoke("short", time, Sender::FunctionUrl.event(&slow)).await;
    assert_eq!(outcome.expect("a response")["statusCode"], 503);
}

#[tokio::test]
async fn a_body_that_is_no_base64_is_refused() {
    let api = LambdaApi::start().await;
    let _lambda = Example::lambda("api", &api, &limits());
    let call = Call { method: "POST", path: "/echo", ..Call::default() };
    for sender in Sender::ALL {
        let mut event = sender.event(&call);
        event["isBase64Encoded"] = true.into();
        event["body"] = "no Base64!".into();
        let outcome = api.invoke("an-invocation", MINUTE, event).await;
        let answer = read(sender, &outcome.expect("a response"));
        assert_eq!(answer.status, 400, "{sender:?}");
        assert_eq!(answer.headers["content-type"], ["application/problem+json"]);
    }
}

#[tokio::test]
async fn no_host_query_or_event_takes_the_function_down() {
    let api = LambdaApi::start().await;
    let _lambda = Example::lambda("api", &api, &limits());
    let show = Call { method: "GET", path: "/show", ..Call::default() };
    for host in ["", "[", "a b", "999.999.999.999", "host:port"] {
        let headers = vec![("host", host.to_owned())];
        for sender in Sender::ALL {
            let call = Call { headers: headers.clone(), ..show.clone() };
            assert_eq!(invoke(&api, sender, &call).await.status, 200, "{sender:?} {host:?}");
        }
    }
    let bad = Call { query: "a=\"<>", ..show.clone() };
    assert_eq!(invoke(&api, Sender::FunctionUrl, &bad).await.status, 400);
    for path in ["", "*", "http://other/show", "/show?a=b", "/show#a"] {
        let bad = Call { path, ..show.clone() };
        assert_eq!(invoke(&api, Sender::LoadBalancer, &bad).await.status, 400, "{path:?}");
        assert_eq!(invoke(&api, Sender::FunctionUrl, &bad).await.status, 400, "{path:?}");
    }
    let outcome = api.invoke("none", MINUTE, serde_json::json!({"what": "ever"})).await;
    assert!(outcome.is_err(), "{outcome:?}");
    assert_eq!(invoke(&api, Sender::HttpApi, &show).await.status, 200, "it still runs");
}

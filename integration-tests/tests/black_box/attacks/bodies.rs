//! Bodies that are made to cost more than they weigh, or to mean two things.

use std::io::Write as _;

use reqwest::Response;

use super::problem;
use crate::support::system::{Api, TestSystem};

async fn post(system: &TestSystem, api: &Api, body: impl Into<reqwest::Body>) -> Response {
    let request = system.client.post(format!("{}/v1/tasks", api.url));
    let request = request.bearer_auth(system.token("acme")).body(body);
    request.header("content-type", "application/json").send().await.expect("an answer")
}

#[tokio::test]
async fn json_that_is_none_or_means_two_things_is_refused() {
    let system = TestSystem::new().await;
    let api = system.writer().await;
    let deep = |open: &str, close: &str| {
        format!(r#"{{"title":{}1{}}}"#, open.repeat(20_000), close.repeat(20_000))
    };
    let cases: [(Vec<u8>, u16); 14] = [
        (deep("[", "]").into(), 422),
        (deep(r#"{"a":"#, "}").into(), 422),
        ("[".repeat(200_000).into(), 422),
        (r#"{"title":"a","title":"b"}"#.into(), 422),
        (r#"{"title":"a\u0000b"}"#.into(), 422),
        (r#"{"title":"\ud800"}"#.into(), 422),
        (b"{\"title\":\"\xff\xfe\"}".to_vec(), 400),
        (b"\xef\xbb\xbf{\"title\":\"a\"}".to_vec(), 400),
        (r#"{"title":NaN}"#.into(), 400),
        (r#"{"title":1e999999}"#.into(), 422),
        (r#"{"title":"a"} {"title":"b"}"#.into(), 400),
        (r#"["a"]"#.into(), 422),
        (r#"{"title":"a","priority":{"low":null}}"#.into(), 422),
        (r#"{"title":"a","priority":null}"#.into(), 422),
    ];
    for (body, expected) in cases {
        let shown = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
        let (status, name) = problem(post(&system, &api, body).await).await;
        assert_eq!(status, expected, "{shown}: {name}");
    }
    assert_eq!(system.count("SELECT count(*) FROM tasks").await, 0);
}

#[tokio::test]
async fn a_bomb_is_not_unpacked() {
    let system = TestSystem::new().await;
    let api = system.writer().await;
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let zeros = vec![b' '; 64 * 1024 * 1024];
    packer.write_all(&zeros).expect("room");
    let bomb = packer.finish().expect("a bomb");
    for encoding in ["gzip", "br", "zstd", "deflate", "x"] {
        let request = system.client.post(format!("{}/v1/tasks", api.url));
        let request = request.bearer_auth(system.token("acme")).body(bomb.clone());
        let request = request.header("content-type", "application/json");
        let request = request.header("content-encoding", encoding);
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.headers()["accept-encoding"], "identity");
        assert_eq!(problem(answer).await, (415, "encoded-body".to_owned()), "{encoding}");
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_however_it_comes() {
    let system = TestSystem::new().await;
    let api = system.writer().await;
    let large = vec![b' '; 300_000];
    let answer = post(&system, &api, large.clone()).await;
    assert_eq!(problem(answer).await, (413, "payload-too-large".to_owned()));

    let head = format!(
        "POST /v1/tasks HTTP/1.1\r\nhost: t\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{}\r\n",
        system.token("acme"),
        large.len(),
        String::from_utf8_lossy(&large),
    );
    let answer = super::read_to_end(super::send(&api, &head).await).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

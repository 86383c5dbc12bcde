//! Names of files that a header, a URL, a file system or a browser treats in a way of its own: through
//! the signed upload and the signed download they come back as they were given.

use percent_encoding::percent_decode_str;
use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::fixture::{FILE, Fixture, announcement, location};

const DISPOSITION: &str = "attachment; filename*=UTF-8''";

fn hostile() -> Vec<String> {
    let longest = "\u{10ffff}".repeat(200);
    let names = [
        "x;filename*=UTF-8''evil.exe",
        "\"quoted\".txt",
        "it's (1) *!~`.txt",
        "%2e%2e%2f%0d%0a%00",
        "..",
        "a b+c &?=#@:,.txt",
        "\u{200f}\u{200b}x\u{feff}",
        "\u{fffe}\u{ffff}\u{fffd}",
        "\u{e9} \u{65e5}",
        " both ends ",
        &"\u{1f600}".repeat(64),
        &longest,
    ];
    names.map(str::to_owned).to_vec()
}

/// Announces a file of that name and uploads it; its path.
async fn upload(fixture: &Fixture, task: &str, name: &str) -> String {
    let mut body = announcement();
    body["name"] = name.into();
    let path = format!("{task}/attachments");
    let announced = fixture.call("acme", Method::POST, &path, Some(&body), None).await;
    assert_eq!(announced.status(), StatusCode::CREATED, "{name:?}");
    let path = location(&announced);
    let announced: Value = announced.json().await.expect("JSON");
    assert_eq!(fixture.upload(&announced, FILE).await.status(), StatusCode::OK, "{name:?}");
    path
}

/// The name in a header's parameter `filename*` (RFC 8187), which holds only what may stand there.
fn name_in(disposition: &str) -> String {
    let encoded = disposition.strip_prefix(DISPOSITION).expect("one parameter");
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~%".contains(&byte);
    assert!(encoded.bytes().all(plain), "{encoded}");
    percent_decode_str(encoded).decode_utf8().expect("UTF-8").into_owned()
}

#[tokio::test]
async fn a_file_comes_back_under_its_name_whatever_that_is() {
    let fixture = Fixture::new().await;
    let _worker = fixture.worker().await;
    let task = fixture.task().await;
    let mut uploaded = Vec::new();
    for name in hostile() {
        uploaded.push((upload(&fixture, &task, &name).await, name));
    }
    for (path, name) in uploaded {
        let available = fixture.becomes(&path, "available").await;
        assert_eq!(available["name"], name);
        let url = available["download"]["url"].as_str().expect("a URL");
        let file = fixture.system.client.get(url).send().await.expect("an answer");
        let disposition = file.headers()["content-disposition"].to_str().expect("ASCII");
        assert_eq!(name_in(disposition), name);
        assert_eq!(file.headers()["content-type"], "image/png");
        assert_eq!(file.bytes().await.expect("a body"), FILE);
    }
}

#[tokio::test]
async fn a_name_that_could_lead_elsewhere_is_refused_by_its_place() {
    let fixture = Fixture::new().await;
    let path = format!("{}/attachments", fixture.task().await);
    let long = "x".repeat(201);
    for name in [
        "../x",
        "a/b",
        "a\\b",
        "a\r\nset-cookie: b",
        "a\tb",
        "\0",
        "\u{1b}",
        "\u{7f}",
        "",
        "  ",
        "\u{200b}\u{a0}",
        "two\u{2028}lines",
        "\u{85}",
        "\u{202e}gnp.exe",
        &long,
    ] {
        let mut body = announcement();
        body["name"] = name.into();
        let refused = fixture.call("acme", Method::POST, &path, Some(&body), None).await;
        assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY, "{name:?}");
        let problem: Value = refused.json().await.expect("JSON");
        assert_eq!(problem["errors"][0]["pointer"], "/name", "{problem}");
    }
    assert_eq!(fixture.rows().await, 0);
}

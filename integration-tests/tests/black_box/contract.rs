//! The contract as it is served, and that each function serves what it describes.

use std::fs;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::{Method, Response, StatusCode};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::world::{Api, World};

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/http/openapi.json");
/// For each parameter of a path.
const TASK: &str = "01940000-0000-7000-8000-000000000001";

/// A `GET` without a token.
async fn get(world: &World, api: &Api, path: &str, tag: Option<&str>) -> Response {
    let request = world.client.get(format!("{}{path}", api.url));
    let request = tag.into_iter().fold(request, |all, tag| all.header("if-none-match", tag));
    request.send().await.expect("an answer")
}

fn header_of(response: &Response, name: &str) -> String {
    let value = response.headers().get(name).expect("the header");
    value.to_str().expect("text").to_owned()
}

#[tokio::test]
async fn everybody_gets_the_document_and_nobody_gets_it_twice() {
    let world = World::new().await;
    let reader = world.reader().await;
    let served = get(&world, &reader, "/openapi.json", None).await;
    assert_eq!(served.status(), StatusCode::OK);
    assert_eq!(header_of(&served, "content-type"), "application/json");
    assert_eq!(header_of(&served, "cache-control"), "public, max-age=300");
    let tag = header_of(&served, "etag");
    let committed = fs::read_to_string(DOCUMENT).expect("the document");
    assert_eq!(served.text().await.expect("text"), committed);

    let again = get(&world, &reader, "/openapi.json", Some(&tag)).await;
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(header_of(&again, "etag"), tag);
    assert_eq!(again.text().await.expect("text"), "");
    let other = get(&world, &reader, "/openapi.json", Some("\"other\"")).await;
    assert_eq!(other.status(), StatusCode::OK);
}

#[tokio::test]
async fn the_page_runs_its_own_script_and_asks_nobody_else() {
    let world = World::new().await;
    let reader = world.reader().await;
    let page = get(&world, &reader, "/docs", None).await;
    assert_eq!(page.status(), StatusCode::OK);
    assert_eq!(header_of(&page, "content-type"), "text/html; charset=utf-8");
    let (policy, tag) = (header_of(&page, "content-security-policy"), header_of(&page, "etag"));
    let html = page.text().await.expect("text");
    let (_, script) = html.split_once("<script>").expect("a script");
    let (script, rest) = script.split_once("</script>").expect("its end");
    let digest = BASE64_STANDARD.encode(Sha256::digest(script));
    assert!(policy.contains("default-src 'none'"), "{policy}");
    assert!(policy.contains(&format!("script-src 'sha256-{digest}'")), "{policy}");
    assert!(script.contains("openapi.json"), "it shows the document");
    assert!(!script.contains("cdn.redoc.ly"), "it fetches a picture from elsewhere");
    assert!(!rest.contains("<script"), "the policy would not let a second script run");

    let again = get(&world, &reader, "/docs", Some(&tag)).await;
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
}

#[tokio::test]
async fn every_operation_is_served_by_the_function_that_describes_it() {
    let world = World::new().await;
    let bucket = ("ATTACHMENT_BUCKET", "a-bucket");
    let environment = world.api_environment(&world.database.reader_url).with(bucket.0, bucket.1);
    let reader = world.api("task-reader", environment).await;
    let writer = world.writer_with(&[bucket]).await;
    let document = fs::read_to_string(DOCUMENT).expect("the document");
    let document: Value = serde_json::from_str(&document).expect("JSON");
    let mut seen = 0;
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for method in methods.as_object().expect("methods").keys() {
            let (ours, other) =
                if method == "get" { (&reader, &writer) } else { (&writer, &reader) };
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
            let ask = async |api: &Api| {
                let path = path.replace("{id}", TASK).replace("{attachment}", TASK);
                let request = world.client.request(method.clone(), format!("{}{path}", api.url));
                request.send().await.expect("an answer")
            };
            assert_eq!(ask(ours).await.status(), StatusCode::UNAUTHORIZED, "{method} {path}");
            let elsewhere = ask(other).await;
            assert_eq!(elsewhere.status(), StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
            let allowed = header_of(&elsewhere, "allow");
            assert!(allowed.split(',').any(|one| one == method.as_str()), "{path}: {allowed}");
            seen += 1;
        }
    }
    assert!(seen >= 16, "{seen} operations");
}

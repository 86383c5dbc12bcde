//! What the API says of itself, to everybody.

use std::fs;
use std::io::Read as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::read::GzDecoder;
use local_stack::repository;
use sha2::{Digest as _, Sha256};

use super::fixture::{Answer, Fixture};
use super::running_function::Entry;

/// Without a token.
async fn get(fixture: &Fixture, path: &str, (name, value): (&str, &str)) -> Answer {
    fixture.anonymous("GET", path).header(name, value).send().await
}

pub(super) async fn everybody_gets_the_document_and_nobody_gets_it_twice(entry: Entry) {
    let fixture = Fixture::new(entry).await;
    let committed =
        fs::read(repository().join("shared/http-support/openapi.json")).expect("the document");
    let plain = fixture.anonymous("GET", "/openapi.json").send().await.with_status(200);
    assert_eq!(plain.header("content-type"), "application/json");
    assert_eq!(plain.header("cache-control"), "public, max-age=300");
    assert!(plain.body == committed, "what is served is what is committed");

    let packed = get(&fixture, "/openapi.json", ("accept-encoding", "gzip")).await.with_status(200);
    assert_eq!(packed.header("content-encoding"), "gzip");
    assert_ne!(packed.header("etag"), plain.header("etag"), "a strong tag is of its bytes");
    assert!(packed.body.len() < committed.len() / 5);
    let mut body = Vec::new();
    GzDecoder::new(&*packed.body).read_to_end(&mut body).expect("gzip");
    assert!(body == committed, "what is packed is what is committed");

    for answer in [plain, packed] {
        assert_eq!(answer.header("vary"), "accept-encoding");
        let tag = answer.header("etag");
        let again = get(&fixture, "/openapi.json", ("if-none-match", tag)).await.with_status(304);
        assert!(again.body.is_empty());
    }
    get(&fixture, "/openapi.json", ("if-none-match", "\"other\"")).await.with_status(200);
}

pub(super) async fn the_page_runs_its_own_script_and_loads_nothing_from_elsewhere(entry: Entry) {
    let fixture = Fixture::new(entry).await;
    let page = fixture.anonymous("GET", "/docs").send().await.with_status(200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let html = String::from_utf8(page.body.clone()).expect("text");
    let (head, script) = html.split_once("<script>").expect("a script");
    let viewport = r#"<meta name="viewport" content="width=device-width, initial-scale=1">"#;
    assert!(head.contains(viewport), "a phone shows it as on a desk: {head}");
    let (script, rest) = script.split_once("</script>").expect("its end");
    let digest = BASE64_STANDARD.encode(Sha256::digest(script));
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'none'"), "{policy}");
    assert!(policy.contains(&format!("script-src 'sha256-{digest}'")), "{policy}");
    assert!(script.contains("openapi.json"), "it shows the document");
    assert!(!script.contains("cdn.redoc.ly"), "it fetches a picture from elsewhere");
    assert!(!rest.contains("<script"), "the policy would not let a second script run");

    let packed = get(&fixture, "/docs", ("accept-encoding", "gzip")).await.with_status(200);
    assert!(
        packed.body.len() < 500_000,
        "{} bytes are too many for a load balancer",
        packed.body.len()
    );
    get(&fixture, "/docs", ("if-none-match", page.header("etag"))).await.with_status(304);
}

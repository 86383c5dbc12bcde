//! Each function serves what it describes, and knows of the rest.

use std::fs;

use local_stack::repository;
use reqwest::{Method, Response, StatusCode};
use serde_json::Value;

use crate::support::system::{Api, TestSystem};

/// For each parameter of a path.
const TASK: &str = "01940000-0000-7000-8000-000000000001";

fn header_of(response: &Response, name: &str) -> String {
    let value = response.headers().get(name).expect("the header");
    value.to_str().expect("text").to_owned()
}

#[tokio::test]
async fn every_operation_is_served_by_the_function_that_describes_it() {
    let system = TestSystem::new().await;
    let bucket = ("ATTACHMENT_BUCKET", "a-bucket");
    let environment = system.api_environment(&system.database.reader_url).with(bucket.0, bucket.1);
    let reader = system.api("task-reader", environment).await;
    let writer = system.writer_with(&[bucket]).await;
    let document = fs::read_to_string(repository().join("shared/http-support/openapi.json"))
        .expect("the document");
    let document: Value = serde_json::from_str(&document).expect("JSON");
    let mut seen = 0;
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for method in methods.as_object().expect("methods").keys() {
            let (ours, other) =
                if method == "get" { (&reader, &writer) } else { (&writer, &reader) };
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
            let send = async |api: &Api| {
                let path = path.replace("{id}", TASK).replace("{attachment}", TASK);
                let request = system.client.request(method.clone(), format!("{}{path}", api.url));
                request.send().await.expect("an answer")
            };
            assert_eq!(send(ours).await.status(), StatusCode::UNAUTHORIZED, "{method} {path}");
            let elsewhere = send(other).await;
            assert_eq!(elsewhere.status(), StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
            let allowed = header_of(&elsewhere, "allow");
            assert!(allowed.split(',').any(|one| one == method.as_str()), "{path}: {allowed}");
            seen += 1;
        }
    }
    assert!(seen >= 16, "{seen} operations");
}

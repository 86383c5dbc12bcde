//! What stands before the API: gateways that map a path to it, and browsers.

use serde_json::json;

use super::fixture::Fixture;
use super::running_function::Entry;

const ORIGIN: &str = "https://app.example.com";

pub(super) async fn every_address_has_the_base_path(entry: Entry) {
    let fixture = Fixture::with(entry, &[("HTTP_BASE_PATH", "/tasks-api")]).await;
    let tasks = "/tasks-api/v1/tasks";
    for title in ["First", "Second"] {
        let body = json!({ "title": title });
        let created = fixture.request("POST", tasks).json(&body).send().await.with_status(201);
        let address = created.header("location");
        assert!(address.starts_with("/tasks-api/v1/tasks/"), "{address}");
        assert_eq!(fixture.get(address).await.with_status(200).json["title"], title);
    }
    let page = fixture.get("/tasks-api/v1/tasks?limit=1&sort=created").await.with_status(200);
    let next = page.json["next"].as_str().expect("a next page");
    assert_eq!(page.header("link"), format!("<{next}>; rel=\"next\""));
    let second = fixture.get(next).await.with_status(200);
    assert_eq!(second.json["tasks"][0]["title"], "Second");
    let later = fixture.request("POST", tasks).header("prefer", "respond-async");
    let accepted = later.json(&json!({ "title": "Later" })).send().await.with_status(202);
    let operation = accepted.header("operation-location");
    assert!(operation.starts_with("/tasks-api/v1/operations/"), "{operation}");
    fixture.get(operation).await.with_status(200);
    fixture.get("/v1/tasks").await.problem(404, "not-found");
}

pub(super) async fn pages_of_allowed_origins_may_send_requests(entry: Entry) {
    let fixture = Fixture::with(entry, &[("HTTP_CORS_ORIGINS", ORIGIN)]).await;
    let preflight = fixture
        .anonymous("OPTIONS", "/v1/tasks")
        .header("origin", ORIGIN)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,idempotency-key");
    let allowed = preflight.send().await.with_status(200);
    assert_eq!(allowed.header("access-control-allow-origin"), ORIGIN);
    let request = fixture.request("POST", "/v1/tasks").header("origin", ORIGIN);
    let created = request.json(&json!({ "title": "From a page" })).send().await.with_status(201);
    assert_eq!(created.header("access-control-allow-origin"), ORIGIN);
    let anonymous = fixture.anonymous("GET", "/v1/tasks").header("origin", ORIGIN).send().await;
    assert_eq!(anonymous.header("access-control-allow-origin"), ORIGIN);
    anonymous.problem(401, "unauthorized");
    let other = fixture.anonymous("OPTIONS", "/v1/tasks").header("origin", "https://evil.example");
    let refused = other.header("access-control-request-method", "POST").send().await;
    assert!(refused.headers["access-control-allow-origin"].is_null(), "{refused:?}");
}

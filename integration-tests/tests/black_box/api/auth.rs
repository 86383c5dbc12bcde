//! Who may do what, and who may not even know.

use reqwest::header::WWW_AUTHENTICATE;
use serde_json::json;

use super::fixture::{Answer, Fixture, Request};
use super::running_function::Entry;

fn challenge(answer: &Answer) -> &str {
    answer.header(WWW_AUTHENTICATE.as_str())
}

pub(super) async fn a_refused_caller_gets_the_reason(entry: Entry) {
    let fixture = Fixture::new(entry).await;
    let anonymous = fixture.anonymous("GET", "/v1/tasks").send().await;
    assert_eq!(challenge(&anonymous), "Bearer realm=\"task-app\"");
    anonymous.problem(401, "unauthorized");

    let system = &fixture.system;
    for (token, scheme) in [
        ("nonsense".to_owned(), "error=\"invalid_token\""),
        (system.token_for("Not A Tenant", "tasks:read"), "tenant"),
    ] {
        let refused = fixture.request("GET", "/v1/tasks").bearer(&token).send().await;
        assert!(challenge(&refused).contains(scheme), "{refused:?}");
        refused.problem(401, "invalid-token");
    }
    let reads = system.token_for("acme", "tasks:read");
    let refused = fixture.request("POST", "/v1/tasks").bearer(&reads).json(&json!({"title": "x"}));
    let refused = refused.send().await;
    assert!(challenge(&refused).contains("scope=\"tasks:write\""), "{refused:?}");
    refused.problem(403, "insufficient-scope");
    let writes = system.token_for("acme", "tasks:write");
    let refused = fixture.request("GET", "/v1/tasks").bearer(&writes).send().await;
    refused.problem(403, "insufficient-scope");
}

/// The same answer as for a task that there is not, but for the request's id.
pub(super) async fn a_tenant_never_sees_anothers_task(entry: Entry) {
    let fixture = Fixture::new(entry).await;
    let ours = fixture.create("Ours").await;
    let none = format!("/v1/tasks/{}", uuid::Uuid::now_v7());
    let token = fixture.system.token("other");
    let send = async |request: Request<'_>| {
        let answer = request.bearer(&token).send().await;
        let mut problem = answer.problem(404, "not-found");
        problem["request_id"].take();
        problem
    };
    let patch = json!({"title": "Theirs"});
    for (method, below) in
        [("GET", ""), ("GET", "/history"), ("DELETE", ""), ("POST", "/complete"), ("PATCH", "")]
    {
        let [ours, none] = [&ours, &none].map(|path| format!("{path}{below}"));
        let request = |path| match method {
            "PATCH" => fixture.request(method, path).json(&patch),
            _ => fixture.request(method, path),
        };
        assert_eq!(send(request(&ours)).await, send(request(&none)).await, "{method} {below}");
    }
    assert_eq!(fixture.get(&ours).await.with_status(200).json["title"], "Ours");
}

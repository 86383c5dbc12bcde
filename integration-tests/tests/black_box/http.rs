//! The API as a caller sees it.

use reqwest::{Method, Response, StatusCode, header};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{Api, World};

struct Caller<'a> {
    world: &'a World,
    reader: &'a Api,
    writer: &'a Api,
    token: String,
}

impl Caller<'_> {
    async fn call(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Response {
        let api = if method == Method::GET { self.reader } else { self.writer };
        let mut request = self.world.client.request(method, format!("{}{path}", api.url));
        request = request.bearer_auth(&self.token);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        request.send().await.expect("an answer")
    }

    async fn post(&self, path: &str, body: &Value) -> Response {
        self.call(Method::POST, path, &[], Some(body)).await
    }

    async fn get(&self, path: &str) -> Response {
        self.call(Method::GET, path, &[], None).await
    }
}

async fn json_of(response: Response) -> Value {
    response.json().await.expect("JSON")
}

fn header_of<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).expect("the header").to_str().expect("text")
}

async fn problem_of(response: Response, status: u16) -> Value {
    assert_eq!(response.status().as_u16(), status, "{response:?}");
    assert_eq!(header_of(&response, "content-type"), "application/problem+json");
    let problem = json_of(response).await;
    assert_eq!(problem["status"], status);
    problem
}

#[tokio::test]
async fn a_task_is_created_read_changed_completed_and_deleted() {
    let world = World::new().await;
    let (reader, writer) = (&world.reader().await, &world.writer().await);
    let caller = Caller { world: &world, reader, writer, token: world.token("acme") };

    let created = caller.post("/v1/tasks", &json!({"title": "Buy milk", "tags": ["b", "a"]})).await;
    assert_eq!(created.status(), StatusCode::CREATED);
    assert_eq!(header_of(&created, "etag"), "\"1\"");
    let path = header_of(&created, "location").to_owned();
    let created = json_of(created).await;
    assert_eq!(created["tags"], json!(["a", "b"]));

    let read = caller.get(&path).await;
    assert_eq!(header_of(&read, "etag"), "\"1\"");
    assert_eq!(json_of(read).await, created);
    let again = caller.call(Method::GET, &path, &[("if-none-match", "\"1\"")], None).await;
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);

    let change = json!({"title": "Buy oat milk"});
    let patched = caller.call(Method::PATCH, &path, &[("if-match", "\"1\"")], Some(&change)).await;
    assert_eq!((patched.status(), header_of(&patched, "etag")), (StatusCode::OK, "\"2\""));
    let stale = caller.call(Method::PATCH, &path, &[("if-match", "\"1\"")], Some(&change)).await;
    assert_eq!(problem_of(stale, 412).await["actual"], 2);

    let complete = format!("{path}/complete");
    let completed = caller.call(Method::POST, &complete, &[], None).await;
    assert_eq!(json_of(completed).await["status"], "completed");
    let twice = caller.call(Method::POST, &complete, &[], None).await;
    assert_eq!(problem_of(twice, 409).await["type"], "urn:problem:task-already-completed");

    let deleted = caller.call(Method::DELETE, &path, &[], None).await;
    assert_eq!(deleted.status(), StatusCode::NO_CONTENT);
    problem_of(caller.get(&path).await, 404).await;
    problem_of(caller.call(Method::DELETE, &path, &[], None).await, 404).await;
}

#[tokio::test]
async fn a_repeat_under_an_idempotency_key_gets_the_first_result() {
    let world = World::new().await;
    let (reader, writer) = (&world.reader().await, &world.writer().await);
    let caller = Caller { world: &world, reader, writer, token: world.token("acme") };
    let key = [("idempotency-key", "\"order-17\"")];
    let milk = json!({"title": "Buy milk"});

    let first = caller.call(Method::POST, "/v1/tasks", &key, Some(&milk)).await;
    let second = caller.call(Method::POST, "/v1/tasks", &key, Some(&milk)).await;
    assert_eq!(second.status(), StatusCode::CREATED);
    assert_eq!(header_of(&first, "location"), header_of(&second, "location"));
    assert!(first.headers().get("idempotency-replayed").is_none());
    assert_eq!(header_of(&second, "idempotency-replayed"), "true");
    let other = json!({"title": "Buy bread"});
    let third = caller.call(Method::POST, "/v1/tasks", &key, Some(&other)).await;
    assert_eq!(problem_of(third, 422).await["type"], "urn:problem:idempotency-key-reused");
    assert_eq!(world.count("SELECT count(*) FROM tasks").await, 1);
}

#[tokio::test]
async fn a_task_is_assigned_cancelled_and_reopened() {
    let world = World::new().await;
    let (reader, writer) = (&world.reader().await, &world.writer().await);
    let caller = Caller { world: &world, reader, writer, token: world.token("acme") };
    let created = caller.post("/v1/tasks", &json!({"title": "Buy milk"})).await;
    let task = header_of(&created, "location").to_owned();
    let act = async |action: &str, body: Value| {
        caller.call(Method::POST, &format!("{task}/{action}"), &[], Some(&body)).await
    };
    let assigned = json_of(act("assign", json!({"assignee": "ada@example.com"})).await).await;
    assert_eq!(
        (&assigned["assignee"], &assigned["version"]),
        (&json!("ada@example.com"), &json!(2))
    );
    problem_of(act("assign", json!({"assignee": "Ada Lovelace"})).await, 422).await;
    assert_eq!(json_of(act("cancel", json!({})).await).await["status"], "cancelled");
    let refused = problem_of(act("complete", json!({})).await, 409).await;
    assert_eq!(refused["type"], "urn:problem:task-already-cancelled");
    assert_eq!(json_of(act("reopen", json!({})).await).await["status"], "open");
    problem_of(act("reopen", json!({})).await, 409).await;
}

#[tokio::test]
async fn a_version_must_be_named_where_that_is_configured() {
    let world = World::new().await;
    let settings = [("REQUIRE_IF_MATCH", "true")];
    let (reader, writer) = (&world.reader().await, &world.writer_with(&settings).await);
    let caller = Caller { world: &world, reader, writer, token: world.token("acme") };
    let created = caller.post("/v1/tasks", &json!({"title": "Buy milk"})).await;
    let task = header_of(&created, "location").to_owned();
    let patch = json!({"title": "Buy oat milk"});
    let refused = caller.call(Method::PATCH, &task, &[], Some(&patch)).await;
    assert_eq!(problem_of(refused, 428).await["type"], "urn:problem:precondition-required");
    problem_of(caller.call(Method::DELETE, &task, &[], None).await, 428).await;
    let first = [("if-match", "\"1\"")];
    let patched = caller.call(Method::PATCH, &task, &first, Some(&patch)).await;
    assert_eq!(patched.status(), StatusCode::OK);
    problem_of(caller.call(Method::DELETE, &task, &first, None).await, 412).await;
    let deleted = caller.call(Method::DELETE, &task, &[("if-match", "*")], None).await;
    assert_eq!(deleted.status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_list_is_paged_newest_first_and_of_the_callers_tenant() {
    let world = World::new().await;
    let (reader, writer) = (&world.reader().await, &world.writer().await);
    let caller = Caller { world: &world, reader, writer, token: world.token("acme") };
    for number in 0..5 {
        caller.post("/v1/tasks", &json!({"title": format!("Task {number}")})).await;
    }
    let other = Caller { world: &world, reader, writer, token: world.token("other") };
    other.post("/v1/tasks", &json!({"title": "Not yours"})).await;

    let mut titles = Vec::new();
    let mut path = "/v1/tasks?limit=2".to_owned();
    loop {
        let page = caller.get(&path).await;
        let link = page.headers().get("link").map(|link| link.to_str().expect("text").to_owned());
        for task in json_of(page).await["tasks"].as_array().expect("tasks") {
            titles.push(task["title"].as_str().expect("a title").to_owned());
        }
        let Some(link) = link else { break };
        path = link.trim_start_matches('<').split('>').next().expect("a target").to_owned();
    }
    assert_eq!(titles, ["Task 4", "Task 3", "Task 2", "Task 1", "Task 0"]);
    problem_of(caller.get("/v1/tasks?limit=0").await, 400).await;
    problem_of(caller.get("/v1/tasks?cursor=x").await, 400).await;
    problem_of(caller.get("/v1/tasks?colour=red").await, 400).await;
}

#[tokio::test]
async fn another_tenants_task_is_not_found_by_any_method() {
    let world = World::new().await;
    let (reader, writer) = (&world.reader().await, &world.writer().await);
    let caller = Caller { world: &world, reader, writer, token: world.token("acme") };
    let created = caller.post("/v1/tasks", &json!({"title": "Ours"})).await;
    let path = header_of(&created, "location").to_owned();

    let other = Caller { world: &world, reader, writer, token: world.token("other") };
    let change = json!({"title": "Theirs"});
    problem_of(other.get(&path).await, 404).await;
    problem_of(other.call(Method::PATCH, &path, &[], Some(&change)).await, 404).await;
    problem_of(other.call(Method::DELETE, &path, &[], None).await, 404).await;
    assert_eq!(json_of(caller.get(&path).await).await["title"], "Ours");
}

#[tokio::test]
async fn who_is_not_allowed_is_told_why() {
    let world = World::new().await;
    let (reader, writer) = (&world.reader().await, &world.writer().await);
    let new = json!({"title": "Buy milk"});
    let refused = async |token: String, method: Method, status: u16| {
        let caller = Caller { world: &world, reader, writer, token };
        let body = (method == Method::POST).then_some(&new);
        let response = caller.call(method, "/v1/tasks", &[], body).await;
        let challenge = header_of(&response, header::WWW_AUTHENTICATE.as_str()).to_owned();
        problem_of(response, status).await;
        challenge
    };
    let challenge = refused("nonsense".to_owned(), Method::GET, 401).await;
    assert!(challenge.contains("invalid_token"), "{challenge}");
    let reads = world.token_for("acme", "tasks:read");
    let challenge = refused(reads, Method::POST, 403).await;
    assert!(challenge.contains("insufficient_scope"), "{challenge}");
    let challenge = refused(world.token_for("Not A Tenant", "tasks:read"), Method::GET, 401).await;
    assert!(challenge.contains("tenant"), "{challenge}");

    let response = world.client.get(format!("{}/v1/tasks", reader.url)).send().await;
    problem_of(response.expect("an answer"), 401).await;
}

#[tokio::test]
async fn a_bad_request_is_answered_precisely() {
    let world = World::new().await;
    let (reader, writer) = (&world.reader().await, &world.writer().await);
    let caller = Caller { world: &world, reader, writer, token: world.token("acme") };

    let problem = problem_of(caller.post("/v1/tasks", &json!({"title": " "})).await, 422).await;
    assert_eq!(problem["errors"][0]["pointer"], "/title");
    let url = format!("{}/v1/tasks", writer.url);
    let request = world.client.post(&url).bearer_auth(&caller.token);
    let request = request.header("content-type", "application/json").body("{\n\"title\": }");
    let problem = problem_of(request.send().await.expect("an answer"), 400).await;
    assert_eq!((&problem["line"], &problem["column"]), (&json!(2), &json!(10)));
    let request = world.client.post(&url).bearer_auth(&caller.token).body("title=x");
    problem_of(request.send().await.expect("an answer"), 415).await;

    problem_of(caller.get("/v1/tasks/not-an-id").await, 400).await;
    problem_of(caller.get(&format!("/v1/tasks/{}", Uuid::now_v7())).await, 404).await;
    problem_of(caller.get("/v1/nothing").await, 404).await;
    let put = caller.call(Method::PUT, "/v1/tasks", &[], Some(&json!({}))).await;
    assert!(header_of(&put, "allow").contains("POST"));
    problem_of(put, 405).await;
}

//! Requests under an idempotency key whose first request is not answered yet.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::Executor as _;

use crate::support::system::{Api, TestSystem, eventually};

async fn post(
    system: &TestSystem,
    writer: &Api,
    path: &str,
    key: &str,
    body: &Value,
) -> reqwest::Response {
    let request = system.client.request(Method::POST, format!("{}{path}", writer.url));
    let request = request.bearer_auth(system.token("acme")).header("Idempotency-Key", key);
    request.json(body).send().await.expect("an answer")
}

async fn assert_in_flight(answer: reqwest::Response) {
    assert_eq!(answer.status(), StatusCode::CONFLICT);
    assert_eq!(answer.headers()["retry-after"], "1");
    let problem: Value = answer.json().await.expect("a problem");
    assert_eq!(problem["type"], "urn:problem:idempotency-key-in-flight");
}

#[tokio::test]
async fn a_repeat_before_the_first_answer_is_refused_and_gets_the_result_later() {
    let system = TestSystem::new().await;
    let writer = system.writer().await;
    let (milk, bread) = (json!({"title": "Buy milk"}), json!({"title": "Buy bread"}));
    for (path, body, other) in [
        ("/v1/tasks", milk.clone(), bread.clone()),
        ("/v1/tasks/batch", json!({"tasks": [milk]}), json!({"tasks": [bread]})),
    ] {
        // Whoever writes waits for it.
        let mut holder = system.owner.begin().await.expect("a transaction");
        holder.execute("LOCK TABLE tasks IN SHARE MODE").await.expect("a lock");
        let meanwhile = async {
            let waiting =
                "SELECT count(*) FROM pg_locks JOIN pg_database ON database = pg_database.oid
                WHERE datname = current_database() AND NOT granted";
            eventually("the first request is being processed", async || {
                (system.count(waiting).await > 0).then_some(())
            })
            .await;
            assert_in_flight(post(&system, &writer, path, "order-17", &body).await).await;
            // Its contents are not even looked at yet.
            assert_in_flight(post(&system, &writer, path, "order-17", &other).await).await;
            holder.rollback().await.expect("a rollback");
        };
        let first = post(&system, &writer, path, "order-17", &body);
        let (first, ()) = tokio::join!(first, meanwhile);
        assert!(first.status().is_success(), "{first:?}");
        assert!(first.headers().get("idempotency-replayed").is_none());
        let repeat = post(&system, &writer, path, "order-17", &body).await;
        assert_eq!(repeat.status(), first.status());
        assert_eq!(repeat.headers()["idempotency-replayed"], "true");
        let results = (first.json::<Value>().await, repeat.json::<Value>().await);
        assert_eq!(results.0.expect("JSON"), results.1.expect("JSON"));
    }
    assert_eq!(system.count("SELECT count(*) FROM tasks").await, 2);
}

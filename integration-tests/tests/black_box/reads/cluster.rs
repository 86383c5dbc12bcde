//! The built functions on a Redis that is a cluster: writes are written through and end pages, reads
//! come from it, and rates are limited, for tenants of every node.

use local_stack::RedisCluster;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::system::{Api, TestSystem, eventually};

/// Tenants whose slots are on each of three nodes.
const TENANTS: [&str; 6] = ["acme", "other", "t1", "t2", "t3", "t4"];

struct Fixture {
    system: TestSystem,
    reader: Api,
    writer: Api,
}

impl Fixture {
    async fn write(&self, tenant: &str, method: Method, path: &str, title: &str) -> Value {
        let url = format!("{}/v1/tasks{path}", self.writer.url);
        let request =
            self.system.client.request(method, url).bearer_auth(self.system.token(tenant));
        let response = request.json(&json!({"title": title})).send().await.expect("an answer");
        assert!(response.status().is_success(), "{response:?}");
        response.json().await.expect("JSON")
    }

    /// What is read, and which cache the log says it came from.
    async fn read(&self, tenant: &str, path: &str) -> (Value, String) {
        let id = Uuid::new_v4().to_string();
        let url = format!("{}/v1/tasks{path}", self.reader.url);
        let request = self.system.client.get(url).bearer_auth(self.system.token(tenant));
        let request = request.header("cache-control", "max-age=60").header("x-request-id", &id);
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), StatusCode::OK);
        let body = response.json().await.expect("JSON");
        let line = self.system.logged("task-reader", |line| line["request_id"] == id).await;
        (body, line["cache"].as_str().expect("a cache").to_owned())
    }

    async fn create_in_bulk(&self, tenant: &str) -> StatusCode {
        let request = self.system.client.post(format!("{}/v1/tasks/batch", self.writer.url));
        let request = request.bearer_auth(self.system.token(tenant));
        let request = request.json(&json!({"tasks": [{"title": "Many"}]}));
        request.send().await.expect("an answer").status()
    }

    /// Waits until this is read, and from Redis.
    async fn is_hit(&self, tenant: &str, path: &str, pointer: &str, title: &str) {
        eventually("it is read from the cluster", async || {
            let (body, cache) = self.read(tenant, path).await;
            let found = body.pointer(pointer).and_then(Value::as_str);
            (found == Some(title) && cache == "redis").then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_cluster_serves_invalidates_and_limits_for_the_functions() {
    let cluster = RedisCluster::start().await.expect("a cluster");
    let system = TestSystem::with_redis(&cluster.url()).await;
    let limited = [("RATE_LIMIT_BULK_PER_MINUTE", "1"), ("RATE_LIMIT_BULK_BURST", "2")];
    let (reader, writer) = (system.reader().await, system.writer_with(&limited).await);
    let fixture = Fixture { system, reader, writer };
    for tenant in TENANTS {
        let created = fixture.write(tenant, Method::POST, "", "Milk").await;
        let path = format!("/{}", created["id"].as_str().expect("an id"));
        fixture.is_hit(tenant, &path, "/title", "Milk").await;
        fixture.is_hit(tenant, "", "/tasks/0/title", "Milk").await;
        fixture.write(tenant, Method::PATCH, &path, "Bread").await;
        fixture.is_hit(tenant, &path, "/title", "Bread").await;
        fixture.is_hit(tenant, "", "/tasks/0/title", "Bread").await;
        assert_ne!(fixture.create_in_bulk(tenant).await, StatusCode::TOO_MANY_REQUESTS);
        // A request whose count Redis does not answer in time is let through.
        eventually("the limit of two is reached", async || {
            let status = fixture.create_in_bulk(tenant).await;
            (status == StatusCode::TOO_MANY_REQUESTS).then_some(())
        })
        .await;
    }
}

//! How many requests a tenant may send, and the headers about that.

use local_stack::Server;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use uuid::Uuid;

use super::fixture::{Answer, Fixture};
use super::running_function::{Entry, RunningFunction};
use crate::support::private_servers;
use crate::support::system::eventually;

/// Two writes at once, and then one a minute.
const TIGHT: [(&str, &str); 2] =
    [("RATE_LIMIT_WRITE_PER_MINUTE", "1"), ("RATE_LIMIT_WRITE_BURST", "2")];

/// A tenant that nobody has been before: all tests share one Redis.
fn tenant() -> String {
    format!("t-{}", Uuid::new_v4().simple())
}

async fn create(fixture: &Fixture, tenant: &str, title: &str) -> Answer {
    let request = fixture.request("POST", "/v1/tasks").bearer(&fixture.system.token(tenant));
    request.json(&json!({ "title": title })).send().await
}

pub(super) async fn a_tenant_over_its_limit_gets_429_and_no_other_does(entry: Entry) {
    let fixture = Fixture::with(entry, &TIGHT).await;
    let tenant = tenant();
    for left in ["\"write\";r=1;t=60", "\"write\";r=0;t=60"] {
        let created = create(&fixture, &tenant, "Buy milk").await.with_status(201);
        assert_eq!(created.header("ratelimit-policy"), "\"write\";q=2;w=120");
        assert_eq!(created.header("ratelimit"), left);
    }
    // Before the body is looked at.
    let refused = create(&fixture, &tenant, " ").await;
    let wait: u64 = refused.header("retry-after").parse().expect("a time");
    assert!((1..=60).contains(&wait), "{wait} s");
    assert_eq!(refused.header("ratelimit"), format!("\"write\";r=0;t={wait}"));
    assert_eq!(refused.header("ratelimit-policy"), "\"write\";q=2;w=120");
    let problem = refused.problem(429, "rate-limited");
    assert_eq!(problem["violated-policies"], json!(["write"]));

    create(&fixture, &self::tenant(), "Buy milk").await.with_status(201);
    let nobody =
        fixture.anonymous("POST", "/v1/tasks").json(&json!({})).send().await.with_status(401);
    assert_eq!(nobody.headers["ratelimit"], Value::Null);
    is_counted(&fixture, "rate_limited_total", 1.0).await;
}

pub(super) async fn a_caller_over_its_share_gets_429_and_its_tenant_goes_on(entry: Entry) {
    let [rate, burst] = TIGHT;
    let share = ("RATE_LIMIT_CALLER_PERCENT", "50");
    let patient = ("REDIS_TIMEOUT_MS", "5000");
    let fixture = Fixture::with(entry, &[rate, burst, share, patient]).await;
    let tenant = tenant();
    let create = async |caller: &str| {
        let request = fixture.request("POST", "/v1/tasks");
        let request = request.bearer(&fixture.system.token_of(caller, &tenant));
        request.json(&json!({ "title": "Buy milk" })).send().await
    };
    let created = create("ann").await.with_status(201);
    let policy = "\"write\";q=2;w=120, \"write-caller\";q=1;w=120";
    assert_eq!(created.header("ratelimit-policy"), policy);
    assert_eq!(created.header("ratelimit"), "\"write\";r=1;t=60, \"write-caller\";r=0;t=120");

    let refused = create("ann").await;
    assert_eq!(refused.header("ratelimit-policy"), policy);
    let wait: u64 = refused.header("retry-after").parse().expect("a time");
    assert!((61..=120).contains(&wait), "{wait} s");
    let problem = refused.problem(429, "rate-limited");
    assert_eq!(problem["violated-policies"], json!(["write-caller"]));

    create("bob").await.with_status(201);
    let problem = create("eve").await.problem(429, "rate-limited");
    assert_eq!(problem["violated-policies"], json!(["write"]));
    is_counted(&fixture, "rate_limited_total", 2.0).await;
}

pub(super) async fn each_operation_has_the_limit_of_its_class(entry: Entry) {
    let fixture = Fixture::new(entry).await;
    let id = Uuid::now_v7();
    for (method, path, class) in [
        ("GET", format!("/v1/tasks/{id}"), "read"),
        ("HEAD", format!("/v1/tasks/{id}"), "read"),
        ("GET", format!("/v1/operations/{id}"), "read"),
        ("GET", "/v1/tasks".to_owned(), "list"),
        ("GET", format!("/v1/tasks/{id}/history"), "list"),
        ("POST", "/v1/tasks".to_owned(), "write"),
        ("PATCH", format!("/v1/tasks/{id}"), "write"),
        ("DELETE", format!("/v1/tasks/{id}"), "write"),
        ("POST", format!("/v1/tasks/{id}/complete"), "write"),
        ("POST", "/v1/tasks/batch".to_owned(), "bulk"),
    ] {
        let answer = fixture.request(method, &path).send().await;
        let limit = answer.headers["ratelimit"].as_str().unwrap_or_default();
        assert!(limit.starts_with(&format!("\"{class}\";r=")), "{method} {path}: {limit}");
    }
    // What does not exist is answered to everybody.
    fixture.anonymous("PUT", "/v1/tasks").send().await.with_status(405);
}

pub(super) async fn without_redis_everybody_is_let_in_and_counted(entry: Entry) {
    let (_folder, mut redis) = private_servers::redis().await;
    let fixture = stage_with(entry, &redis).await;
    let tenant = tenant();
    redis.stop().await.expect("stopped");
    for _ in 0..5 {
        let created = create(&fixture, &tenant, "Buy milk").await.with_status(201);
        assert_eq!(created.headers["ratelimit"], Value::Null);
    }
    is_counted(&fixture, "rate_limit_errors_total", 5.0).await;
    redis.restart().await.expect("restarted");
    eventually("there are limits again", async || {
        let created = create(&fixture, &tenant, "Buy milk").await;
        created.headers["ratelimit"].is_string().then_some(())
    })
    .await;
}

async fn stage_with(entry: Entry, redis: &Server) -> Fixture {
    let [rate, burst] = TIGHT;
    Fixture::with(entry, &[rate, burst, ("REDIS_URL", redis.url().expose_secret())]).await
}

/// A Lambda logs what it has counted after its answer.
async fn is_counted(fixture: &Fixture, metric: &str, times: f64) {
    let is_it = |count: f64| (count - times).abs() < 0.1;
    let is_counted = async || is_it(counted(fixture, metric).await).then_some(());
    eventually("it is counted", is_counted).await;
}

/// What the writer's counter says, whatever its labels: to Prometheus in a pod, in the log of a Lambda.
async fn counted(fixture: &Fixture, metric: &str) -> f64 {
    let RunningFunction::Pod(api) = &fixture.writer else {
        let log = fixture.system.log("task-writer");
        let values = log.iter().filter_map(|line| line[metric].as_array());
        return values.flatten().filter_map(Value::as_f64).sum();
    };
    let request = fixture.system.client.get(api.function.health_url("metrics"));
    let text = request.send().await.expect("an answer").text().await.expect("a text");
    let lines = text.lines().filter(|line| line.starts_with(metric));
    lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
}

//! Lists as a caller reads them: filters, orders, pages and what is refused; in both hosts.

use local_stack::Function;
use reqwest::Method;
use serde_json::{Value, json};

use crate::lambda_api::LambdaApi;
use crate::lambda_http::Place;
use crate::world::World;

/// In every filter: SQL, and what SQL gives a meaning.
const HOSTILE: [&str; 6] = [
    "'; DROP TABLE tasks; --",
    "open' OR '1'='1",
    "';DELETE/**/FROM/**/tasks;--",
    "{open,completed}",
    "abc%_\\",
    "$1::text",
];
const FILTERS: [&str; 8] =
    ["status", "assignee", "tag", "priority", "due_before", "due_after", "updated_since", "title"];

/// A reader and the tasks that a writer made for it.
struct Reader<'a> {
    world: &'a World,
    place: Place,
}

impl Reader<'_> {
    async fn get(&self, tenant: &str, path: &str) -> (u64, Value, Value) {
        let token = format!("Bearer {}", self.world.token(tenant));
        let headers = [("authorization", token.as_str())];
        let answer = self.place.call(self.world, &Method::GET, path, &headers, None).await;
        (answer.status, answer.headers, answer.body)
    }

    /// The titles of the whole list, page by page.
    async fn titles(&self, query: &str) -> Vec<String> {
        let mut titles = Vec::new();
        let mut path = format!("/v1/tasks?limit=2&{query}");
        loop {
            let (status, headers, body) = self.get("acme", &path).await;
            assert_eq!(status, 200, "{path}: {body}");
            let tasks = body["tasks"].as_array().expect("tasks");
            titles
                .extend(tasks.iter().map(|task| task["title"].as_str().expect("text").to_owned()));
            let Some(next) = body["next"].as_str() else {
                assert_eq!(headers["link"], Value::Null);
                return titles;
            };
            assert_eq!(headers["link"], format!("<{next}>; rel=\"next\""));
            next.clone_into(&mut path);
        }
    }

    /// The parameter that the refusal names.
    async fn refusal(&self, tenant: &str, path: &str) -> String {
        let (status, _, body) = self.get(tenant, path).await;
        assert_eq!(status, 400, "{path}: {body}");
        body["parameter"].as_str().expect("a parameter").to_owned()
    }

    async fn next(&self, path: &str) -> String {
        let (_, _, body) = self.get("acme", path).await;
        body["next"].as_str().expect("a next page").to_owned()
    }
}

/// Four tasks of `acme`, in this order.
async fn create_tasks(world: &World) {
    let writer = world.writer().await;
    for task in [
        json!({"title": "One 100% milk", "priority": "high", "due_date": "2026-03-02"}),
        json!({"title": "Two", "tags": ["home"], "assignee": "ann", "due_date": "2026-03-01"}),
        json!({"title": "Three MILKshakes", "priority": "low", "tags": ["home", "work"]}),
        json!({"title": "Four", "priority": "urgent"}),
    ] {
        let request = world.client.post(format!("{}/v1/tasks", writer.url)).json(&task);
        let response = request.bearer_auth(world.token("acme")).send().await.expect("an answer");
        assert_eq!(response.status().as_u16(), 201);
    }
}

async fn lists_are_filtered_sorted_and_paged(reader: &Reader<'_>) {
    for (query, expected) in [
        ("", &["Four", "Three MILKshakes", "Two", "One 100% milk"][..]),
        ("sort=created", &["One 100% milk", "Two", "Three MILKshakes", "Four"]),
        ("sort=-updated", &["Four", "Three MILKshakes", "Two", "One 100% milk"]),
        ("sort=due", &["Two", "One 100% milk", "Three MILKshakes", "Four"]),
        ("sort=-due", &["One 100% milk", "Two", "Four", "Three MILKshakes"]),
        ("sort=-priority", &["Four", "One 100% milk", "Two", "Three MILKshakes"]),
        ("title=milk", &["Three MILKshakes", "One 100% milk"]),
        ("title=100%25+m", &["One 100% milk"]),
        ("tag=home&sort=created", &["Two", "Three MILKshakes"]),
        ("tag=home&assignee=ann", &["Two"]),
        ("status=open&priority=low", &["Three MILKshakes"]),
        ("status=completed", &[]),
        ("due_before=2026-03-02", &["Two"]),
        ("due_after=2026-03-01", &["One 100% milk"]),
        ("updated_since=2100-01-01T00:00:00Z", &[]),
    ] {
        assert_eq!(reader.titles(query).await, expected, "{query}");
    }
}

async fn cursors_lead_on_in_their_own_list_only(reader: &Reader<'_>) {
    let next = reader.next("/v1/tasks?limit=1&sort=due").await;
    assert_eq!(reader.get("acme", &next.replace("limit=1", "limit=3")).await.0, 200);
    assert_eq!(reader.refusal("other", &next).await, "cursor");
    assert_eq!(reader.refusal("acme", &next.replace("sort=due", "sort=-due")).await, "cursor");
    assert_eq!(reader.refusal("acme", &format!("{next}&status=open")).await, "cursor");
    assert_eq!(reader.refusal("acme", &format!("{next}A")).await, "cursor");
    let (list, cursor) = next.split_once("cursor=").expect("a cursor");
    let turned: String = cursor.chars().rev().collect();
    assert_eq!(reader.refusal("acme", &format!("{list}cursor={turned}")).await, "cursor");
}

async fn hostile_filters_find_nothing_and_change_nothing(reader: &Reader<'_>) {
    for filter in FILTERS {
        for hostile in HOSTILE {
            let query = [(filter, hostile)];
            let url =
                reqwest::Url::parse_with_params("http://host/v1/tasks", query).expect("a URL");
            let path = format!("{}?{}", url.path(), url.query().expect("a query"));
            let (status, _, body) = reader.get("acme", &path).await;
            let refused = status == 400 && body["parameter"] == filter;
            let nothing = status == 200 && body["tasks"] == json!([]);
            assert!(refused || nothing, "{path}: {status} {body}");
        }
    }
    assert_eq!(reader.world.count("SELECT count(*) FROM tasks").await, 4);
}

#[tokio::test]
async fn lists_are_the_same_in_both_hosts() {
    let world = World::new().await;
    create_tasks(&world).await;
    let pod = Place::Pod(world.reader().await);
    let api = LambdaApi::start().await;
    let environment = world.api_environment(&world.database.reader_url);
    let function: Function = world.start_lambda("task-reader", &environment, &api);
    for place in [pod, Place::Lambda(api, function)] {
        let reader = Reader { world: &world, place };
        lists_are_filtered_sorted_and_paged(&reader).await;
        cursors_lead_on_in_their_own_list_only(&reader).await;
        hostile_filters_find_nothing_and_change_nothing(&reader).await;
        assert_eq!(reader.refusal("acme", "/v1/tasks?colour=red").await, "colour");
        assert_eq!(reader.refusal("acme", "/v1/tasks?sort=title").await, "sort");
        assert_eq!(reader.refusal("acme", "/v1/tasks?limit=201").await, "limit");
    }
}

#[tokio::test]
async fn a_cursor_is_good_at_every_replica_with_the_same_key() {
    let world = World::new().await;
    create_tasks(&world).await;
    let first = Reader { world: &world, place: Place::Pod(world.reader().await) };
    let next = first.next("/v1/tasks?limit=1").await;
    let second = Reader { world: &world, place: Place::Pod(world.reader().await) };
    let (status, _, body) = second.get("acme", &next).await;
    assert_eq!((status, &body["tasks"][0]["title"]), (200, &json!("Three MILKshakes")));
}

//! Lists as a caller reads them: filters, orders, pages and what is refused.

use serde_json::{Value, json};

use super::fixture::Fixture;
use super::running_function::Entry;

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

struct List(Fixture);

impl List {
    /// The titles of the whole list, page by page.
    async fn titles(&self, query: &str) -> Vec<String> {
        let mut titles = Vec::new();
        let mut path = format!("/v1/tasks?limit=2&{query}");
        loop {
            let page = self.0.get(path.trim_end_matches('&')).await.with_status(200);
            let tasks = page.json["tasks"].as_array().expect("tasks");
            titles
                .extend(tasks.iter().map(|task| task["title"].as_str().expect("text").to_owned()));
            let Some(next) = page.json["next"].as_str() else {
                assert_eq!(page.headers["link"], Value::Null);
                return titles;
            };
            assert_eq!(page.header("link"), format!("<{next}>; rel=\"next\""));
            next.clone_into(&mut path);
        }
    }

    /// The parameter that the refusal of a request of `tenant` names.
    async fn refusal(&self, tenant: &str, path: &str) -> String {
        let request = self.0.request("GET", path).bearer(&self.0.system.token(tenant));
        let problem = request.send().await.problem(400, "invalid-parameter");
        problem["parameter"].as_str().expect("a parameter").to_owned()
    }

    async fn next(&self, path: &str) -> String {
        let page = self.0.get(path).await.with_status(200);
        page.json["next"].as_str().expect("a next page").to_owned()
    }
}

/// Four tasks of `acme`, in this order.
async fn list(entry: Entry) -> List {
    let fixture = Fixture::new(entry).await;
    for task in [
        json!({"title": "One 100% milk", "priority": "high", "due_date": "2026-03-02"}),
        json!({"title": "Two", "tags": ["home"], "assignee": "ann", "due_date": "2026-03-01"}),
        json!({"title": "Three MILKshakes", "priority": "low", "tags": ["home", "work"]}),
        json!({"title": "Four", "priority": "urgent"}),
    ] {
        fixture.request("POST", "/v1/tasks").json(&task).send().await.with_status(201);
    }
    List(fixture)
}

pub(super) async fn lists_are_filtered_sorted_and_paged(entry: Entry) {
    let list = list(entry).await;
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
        assert_eq!(list.titles(query).await, expected, "{query}");
    }
}

pub(super) async fn a_title_is_found_however_its_letters_are_composed(entry: Entry) {
    let (composed, apart) = ("Caf\u{e9}", "Cafe\u{301}");
    let list = List(Fixture::new(entry).await);
    let create = |title: &str| {
        let request = list.0.request("POST", "/v1/tasks").json(&json!({ "title": title }));
        request.header("idempotency-key", "one").send()
    };
    assert_eq!(create(apart).await.with_status(201).json["title"], composed);
    // The same request, for all that people see.
    let again = create(composed).await.with_status(201);
    assert_eq!(again.header("idempotency-replayed"), "true");
    for title in ["caf%C3%A9", "CAFe%CC%81"] {
        assert_eq!(list.titles(&format!("title={title}")).await, [composed], "{title}");
    }
}

pub(super) async fn words_of_a_letter_or_two_are_found(entry: Entry) {
    let list = List(Fixture::new(entry).await);
    for title in ["QA会議", "Aqaba"] {
        let request = list.0.request("POST", "/v1/tasks").json(&json!({ "title": title }));
        request.send().await.with_status(201);
    }
    for title in ["qa", "QA%E4%BC%9A", "%E4%BC%9A", "%E4%BC%9A%E8%AD%B0"] {
        assert_eq!(list.titles(&format!("title={title}")).await, ["QA会議"], "{title}");
    }
}

pub(super) async fn cursors_lead_on_in_their_own_list_only(entry: Entry) {
    let list = list(entry).await;
    let next = list.next("/v1/tasks?limit=1&sort=due").await;
    list.0.get(&next.replace("limit=1", "limit=3")).await.with_status(200);
    assert_eq!(list.refusal("other", &next).await, "cursor");
    assert_eq!(list.refusal("acme", &next.replace("sort=due", "sort=-due")).await, "cursor");
    assert_eq!(list.refusal("acme", &format!("{next}&status=open")).await, "cursor");
    assert_eq!(list.refusal("acme", &format!("{next}A")).await, "cursor");
    let (target, cursor) = next.split_once("cursor=").expect("a cursor");
    let turned: String = cursor.chars().rev().collect();
    assert_eq!(list.refusal("acme", &format!("{target}cursor={turned}")).await, "cursor");
    for (bad, name) in [("colour=red", "colour"), ("sort=title", "sort"), ("limit=201", "limit")] {
        assert_eq!(list.refusal("acme", &format!("/v1/tasks?{bad}")).await, name);
    }
}

pub(super) async fn hostile_filters_find_nothing_and_change_nothing(entry: Entry) {
    let list = list(entry).await;
    for filter in FILTERS {
        for hostile in HOSTILE {
            let query = [(filter, hostile)];
            let url =
                reqwest::Url::parse_with_params("http://host/v1/tasks", query).expect("a URL");
            let path = format!("{}?{}", url.path(), url.query().expect("a query"));
            let answer = list.0.get(&path).await;
            let refused = answer.status == 400 && answer.json["parameter"] == filter;
            let nothing = answer.status == 200 && answer.json["tasks"] == json!([]);
            assert!(refused || nothing, "{answer:?}");
        }
    }
    assert_eq!(list.0.system.count("SELECT count(*) FROM tasks").await, 4);
}

#[tokio::test]
async fn a_cursor_is_good_at_every_replica_with_the_same_key() {
    let list = list(Entry::Pod).await;
    let next = list.next("/v1/tasks?limit=1").await;
    let (system, replica) = (&list.0.system, list.0.system.reader().await);
    let page =
        system.client.get(format!("{}{next}", replica.url)).bearer_auth(system.token("acme"));
    let page: Value = page.send().await.expect("an answer").json().await.expect("a page");
    assert_eq!(page["tasks"][0]["title"], "Three MILKshakes");
}

//! Conditional requests.

use serde_json::json;

use super::fixture::Fixture;
use super::running_function::Entry;

pub(super) async fn what_the_caller_has_is_not_sent_again(entry: Entry) {
    let fixture = Fixture::new(entry).await;
    let path = fixture.create("Buy milk").await;
    let get =
        async |tags: &str| fixture.request("GET", &path).header("if-none-match", tags).send().await;
    for known in ["\"1\"", "W/\"1\"", "\"0\", \"1\"", "*"] {
        let answer = get(known).await.with_status(304);
        assert_eq!((answer.header("etag"), answer.body.as_slice()), ("\"1\"", &b""[..]));
    }
    assert_eq!(get("\"2\"").await.with_status(200).json["title"], "Buy milk");
}

pub(super) async fn a_change_may_depend_on_a_version(entry: Entry) {
    let fixture = Fixture::new(entry).await;
    let path = fixture.create("Buy milk").await;
    let change = async |tags: &str, title: &str| {
        let request = fixture.request("PATCH", &path).json(&json!({"title": title}));
        request.header("if-match", tags).send().await
    };
    assert_eq!(change("\"1\"", "Oat").await.with_status(200).header("etag"), "\"2\"");
    assert_eq!(change("\"1\"", "Soy").await.problem(412, "version-conflict")["actual"], 2);
    for changed in ["W/\"2\"", "\"2-gzip\""] {
        let problem = change(changed, "Soy").await.problem(412, "version-conflict");
        assert!(problem["detail"].to_string().contains("a proxy"), "{problem}");
    }
    change("2", "Soy").await.problem(400, "invalid-header");
    let delete = fixture.request("DELETE", &path).header("if-match", "\"1\"");
    delete.send().await.problem(412, "version-conflict");
    assert_eq!(fixture.get(&path).await.with_status(200).json["title"], "Oat");
}

pub(super) async fn no_condition_is_ignored(entry: Entry) {
    let fixture = Fixture::new(entry).await;
    let task = fixture.create("Buy milk").await;
    let (complete, reopen) = (format!("{task}/complete"), format!("{task}/reopen"));
    let cancel_path = format!("{task}/cancel");
    let rename = fixture.request("PATCH", &task).json(&json!({"title": "Oat"}));
    rename.header("if-none-match", "*").send().await.problem(400, "invalid-header");

    let stale = async |path: &str, version: i64| {
        let request = fixture.request("POST", path).json(&json!({"expected_version": version}));
        request.send().await
    };
    assert_eq!(stale(&complete, 2).await.problem(412, "version-conflict")["actual"], 1);
    assert_eq!(stale(&complete, 1).await.with_status(200).json["version"], 2);
    stale(&reopen, 1).await.problem(412, "version-conflict");
    fixture.request("POST", &reopen).send().await.with_status(200);
    // To JSON a whole number is an integer, however it is written.
    let cancel = || fixture.request("POST", &cancel_path).json(&json!({"expected_version": 3.0}));
    cancel().header("if-match", "\"2\"").send().await.problem(412, "version-conflict");
    cancel().header("if-match", "\"3\"").send().await.with_status(200);
    let half = fixture.request("POST", &reopen).json(&json!({"expected_version": 1.5}));
    let problem = half.send().await.problem(422, "invalid-body");
    assert_eq!(problem["errors"][0]["pointer"], "/expected_version");
    let unknown = fixture.request("POST", &reopen).json(&json!({"expected": 4}));
    unknown.send().await.problem(422, "invalid-body");
}

pub(super) async fn a_change_must_name_a_version_where_that_is_configured(entry: Entry) {
    let fixture = Fixture::with(entry, &[("REQUIRE_IF_MATCH", "true")]).await;
    let task = fixture.create("Buy milk").await;
    let patch = || fixture.request("PATCH", &task).json(&json!({"title": "Oat"}));
    patch().send().await.problem(428, "precondition-required");
    fixture.request("DELETE", &task).send().await.problem(428, "precondition-required");
    patch().header("if-match", "\"1\"").send().await.with_status(200);
    fixture.request("DELETE", &task).header("if-match", "*").send().await.with_status(204);
}

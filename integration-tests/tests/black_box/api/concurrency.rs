//! Conditional requests.

use serde_json::json;

use super::place::Entry;
use super::stage::Stage;

pub(super) async fn what_the_caller_has_is_not_sent_again(entry: Entry) {
    let stage = Stage::new(entry).await;
    let path = stage.create("Buy milk").await;
    let get =
        async |tags: &str| stage.request("GET", &path).header("if-none-match", tags).send().await;
    for known in ["\"1\"", "W/\"1\"", "\"0\", \"1\"", "*"] {
        let answer = get(known).await.of(304);
        assert_eq!((answer.header("etag"), answer.body.as_slice()), ("\"1\"", &b""[..]));
    }
    assert_eq!(get("\"2\"").await.of(200).json["title"], "Buy milk");
}

pub(super) async fn a_change_may_depend_on_a_version(entry: Entry) {
    let stage = Stage::new(entry).await;
    let path = stage.create("Buy milk").await;
    let change = async |tags: &str, title: &str| {
        let request = stage.request("PATCH", &path).json(&json!({"title": title}));
        request.header("if-match", tags).send().await
    };
    assert_eq!(change("\"1\"", "Oat").await.of(200).header("etag"), "\"2\"");
    assert_eq!(change("\"1\"", "Soy").await.problem(412, "version-conflict")["actual"], 2);
    change("W/\"2\"", "Soy").await.problem(412, "version-conflict");
    change("2", "Soy").await.problem(400, "invalid-header");
    let delete = stage.request("DELETE", &path).header("if-match", "\"1\"");
    delete.send().await.problem(412, "version-conflict");
    assert_eq!(stage.get(&path).await.of(200).json["title"], "Oat");
}

pub(super) async fn a_change_must_name_a_version_where_that_is_configured(entry: Entry) {
    let stage = Stage::with(entry, &[("REQUIRE_IF_MATCH", "true")]).await;
    let task = stage.create("Buy milk").await;
    let patch = || stage.request("PATCH", &task).json(&json!({"title": "Oat"}));
    patch().send().await.problem(428, "precondition-required");
    stage.request("DELETE", &task).send().await.problem(428, "precondition-required");
    patch().header("if-match", "\"1\"").send().await.of(200);
    stage.request("DELETE", &task).header("if-match", "*").send().await.of(204);
}

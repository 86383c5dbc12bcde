//! The gate works: each kind of break, made in a copy of the document, is found and named.

use serde_json::{Value, json};

use crate::committed;
use crate::compatibility::breaks;

/// What is found if the value at `pointer` is replaced; removed, with `None`.
fn found(pointer: &str, value: Option<Value>) -> String {
    let (released, mut current) = (committed(), committed());
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let name = name.replace("~1", "/").replace("~0", "~");
    let parent = current.pointer_mut(parent).unwrap_or_else(|| panic!("nothing at {pointer}"));
    match (parent, value) {
        (Value::Object(parent), Some(value)) => assert!(parent.insert(name, value).is_some()),
        (Value::Object(parent), None) => assert!(parent.remove(&name).is_some(), "{pointer}"),
        (Value::Array(parent), None) => drop(parent.remove(name.parse().unwrap())),
        (parent, _) => panic!("{pointer}: nothing to replace in {parent}"),
    }
    breaks(&released, &current).join("\n")
}

#[track_caller]
fn breaks_by(pointer: &str, value: Option<Value>, expected: &str) {
    let found = found(pointer, value);
    assert!(found.contains(expected), "{pointer}: expected {expected}, found:\n{found}");
}

#[test]
fn an_operation_that_is_gone_or_answers_less_is_named() {
    let list = "/paths/~1v1~1tasks/get";
    breaks_by(list, None, "GET /v1/tasks: the operation is gone");
    breaks_by(
        &format!("{list}/operationId"),
        Some(json!("findTasks")),
        "GET /v1/tasks: `operationId` has changed",
    );
    breaks_by(
        &format!("{list}/security"),
        Some(json!([{"bearer": ["tasks:list"]}])),
        "GET /v1/tasks: `security` has changed",
    );
    breaks_by(&format!("{list}/responses/429"), None, "GET /v1/tasks: the answer 429 is gone");
    let answer = "/paths/~1v1~1tasks~1{id}/get/responses/200";
    breaks_by(
        &format!("{answer}/headers/ETag"),
        None,
        "GET /v1/tasks/{id}: the answer 200: the header ETag is gone",
    );
    breaks_by(
        "/components/headers/ETag/required",
        None,
        "GET /v1/tasks/{id}: the answer 200: the header ETag may now be left out",
    );
    breaks_by(
        &format!("{answer}/content/application~1json"),
        None,
        "GET /v1/tasks/{id}: the answer 200 is no longer application/json",
    );
}

#[test]
fn a_request_that_was_taken_and_is_not_is_named() {
    let create = "/paths/~1v1~1tasks/post";
    breaks_by(
        "/paths/~1v1~1tasks/get/parameters/0",
        None,
        "GET /v1/tasks: the parameter \"query\" \"assignee\" is gone",
    );
    breaks_by(
        "/components/schemas/Sort/enum",
        Some(json!(["created", "-created"])),
        "GET /v1/tasks: the parameter \"query\" \"sort\": ``: \"-due\" is no longer allowed",
    );
    breaks_by(
        "/components/schemas/CreateTask/required",
        Some(json!(["title", "tags"])),
        "POST /v1/tasks: the request's body: `/tags`: the member is now required",
    );
    breaks_by(
        "/components/schemas/NewTitle/maxLength",
        Some(json!(100)),
        "PATCH /v1/tasks/{id}: the request's body: `/title`: maxLength is tighter",
    );
    breaks_by(
        "/components/schemas/CreateTask/properties/priority",
        None,
        "POST /v1/tasks: the request's body: `/priority`: the member is gone",
    );
    breaks_by(
        &format!("{create}/requestBody/content/application~1json"),
        None,
        "POST /v1/tasks: a body may no longer be application/json",
    );
}

#[test]
fn a_parameter_or_body_that_must_be_sent_now_is_named() {
    let (released, mut current) = (committed(), committed());
    let operation = current.pointer_mut("/paths/~1v1~1tasks~1{id}~1complete/post").unwrap();
    operation["parameters"][1]["required"] = json!(true);
    operation["requestBody"] = json!({ "required": true, "content": {} });
    let name = operation["parameters"][1]["name"].clone();
    let found = breaks(&released, &current).join("\n");
    for expected in
        [format!("the parameter \"header\" {name} is now required"), "a body is now".to_owned()]
    {
        assert!(found.contains(&expected), "{expected}: {found}");
    }
}

#[test]
fn an_answer_that_a_client_of_before_cannot_read_is_named() {
    let reads = "GET /v1/tasks/{id}: a client that reads the answer 200";
    let task = "/components/schemas/Task";
    for (pointer, value, expected) in [
        ("/properties/assignee", None, "`/assignee`: the member is gone"),
        ("/properties/version/type", Some(json!("string")), "`/version`: the type string is no"),
        ("/required", Some(json!(["id"])), "`/title`: the member is now required"),
    ] {
        breaks_by(&format!("{task}{pointer}"), value, &format!("{reads}: {expected}"));
    }
    let status = "/components/schemas/Status/enum";
    let more = json!(["open", "completed", "cancelled", "late"]);
    breaks_by(status, Some(more), &format!("{reads}: `/status`: \"late\" is no longer allowed"));
    let fewer = json!(["open", "completed"]);
    breaks_by(status, Some(fewer), &format!("{reads}: `/status`: the value \"cancelled\" is gone"));
}

#[test]
fn a_type_of_problem_may_come_and_may_not_go() {
    let types = "/components/schemas/Problem/properties/type/x-extensible-enum";
    let mut known = committed().pointer(types).unwrap().as_array().unwrap().clone();
    known.push(json!("urn:problem:raining"));
    assert_eq!(found(types, Some(json!(known))), "");
    breaks_by(types, Some(json!(["urn:problem:not-found"])), "the value \"urn:problem:internal\"");
}

#[test]
fn what_is_added_breaks_nothing() {
    let (released, mut current) = (committed(), committed());
    let operation = &mut current["paths"]["/v1/tasks"]["get"];
    operation["responses"]["418"] = json!({ "description": "Out of coffee." });
    operation["parameters"].as_array_mut().unwrap().push(json!({
        "in": "query", "name": "colour", "schema": { "type": "string" },
    }));
    current["paths"]["/v1/teapots"] = json!({ "get": { "operationId": "listTeapots" } });
    let task = &mut current["components"]["schemas"]["Task"]["properties"];
    task["colour"] = json!({ "type": "string" });
    assert_eq!(breaks(&released, &current), Vec::<String>::new());
}

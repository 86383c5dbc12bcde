//! What becomes of a dead letter that is edited.

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, Mutex};

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::IntoResponse;
use axum::routing::get;
use clap::Parser;
use objects::claim_check::Reference;
use serde_json::json;
use tokio::net::TcpListener;

use super::*;

const MOST: usize = 1 << 20;
const MILK: &str = r#"[{"op":"replace","path":"/data/title","value":"Milk"}]"#;
const CREATE: &str = r#"{"specversion":"1.0","id":"milk-1","source":"/shop",
    "type":"dev.task-app.create-task.v1","subject":"0192f1a0-7c3e-7b44-9a53-3a1d0d4f5e10",
    "time":"2026-01-31T09:30:00Z","datacontenttype":"application/json","tenant":"acme",
    "data":{"title":" "}}"#;

#[derive(Parser)]
struct Tool {
    #[command(flatten)]
    edit: EditArguments,
}

fn editor(options: &[&str]) -> Result<Editor, clap::Error> {
    let tool = Tool::try_parse_from([&["tool"], options].concat())?;
    Ok(Editor::from_arguments(&tool.edit).unwrap().unwrap())
}

/// S3 for a test: objects by their path.
async fn s3(objects: Arc<Mutex<BTreeMap<String, Bytes>>>) -> Client {
    type Objects = State<Arc<Mutex<BTreeMap<String, Bytes>>>>;
    async fn read(State(objects): Objects, uri: Uri) -> impl IntoResponse {
        let found = objects.lock().unwrap().get(uri.path()).cloned();
        found.ok_or(StatusCode::NOT_FOUND)
    }
    async fn write(State(objects): Objects, uri: Uri, body: Bytes) {
        objects.lock().unwrap().insert(uri.path().to_owned(), body);
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/{*key}", get(read).put(write)).with_state(objects);
    tokio::spawn(async move { axum::serve(listener, router).await });
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .endpoint_url(format!("http://{address}"))
        .request_checksum_calculation(aws_sdk_s3::config::RequestChecksumCalculation::WhenRequired)
        .force_path_style(true);
    Client::from_conf(config.build())
}

async fn nowhere() -> Client {
    s3(Arc::default()).await
}

async fn edited(options: &[&str], body: &str) -> Result<Option<Edited>, String> {
    let editor = editor(options).unwrap();
    let edited = editor.edit(&DeadLetter::example(body), MOST, &nowhere().await).await;
    edited.map_err(|failure| failure.to_string())
}

#[tokio::test]
async fn an_edited_command_is_a_new_one_that_its_worker_takes() {
    let edited = edited(&["--edit-patch", MILK], CREATE).await.unwrap().unwrap();
    assert_eq!(edited.old_event_id.as_deref(), Some("milk-1"));
    let event = events::decode(&edited.body).unwrap();
    assert_eq!(Some(event.id.to_string()), edited.event_id);
    assert_eq!(edited.original_sha256, sha256(CREATE.as_bytes()));
    let mut sent = DeadLetter::example(CREATE);
    edited.apply_to(&mut sent);
    assert_eq!((&sent.body, sent.body.len()), (&edited.after, sent.summary.body_bytes));
}

#[tokio::test]
async fn what_changes_nothing_is_no_edit() {
    let same = MILK.replace("Milk", " ");
    for patch in ["[]", &same, r#"[{"op":"test","path":"/tenant","value":"acme"}]"#] {
        assert_eq!(edited(&["--edit-patch", patch], CREATE).await, Ok(None), "{patch}");
    }
}

#[tokio::test]
async fn an_edit_that_breaks_the_schema_is_refused() {
    let replace = |path, value| json!([{"op": "replace", "path": path, "value": value}]);
    for (patch, cause) in [
        (replace("/data/title", ""), "schema_violation at /data/title"),
        (replace("/type", "dev.task-app.task.created.v1"), "schema_violation at /data"),
        (json!([{"op": "remove", "path": "/tenant"}]), "`tenant`"),
        (replace("/type", "dev.task-app.create-tsak.v1"), "no schema"),
    ] {
        let failure = edited(&["--edit-patch", &patch.to_string()], CREATE).await.unwrap_err();
        assert!(failure.contains(cause), "{patch}: {failure}");
    }
}

#[tokio::test]
async fn what_is_not_ours_needs_a_schema_or_none() {
    let schema = tempfile::NamedTempFile::new().unwrap();
    let amount = json!({"properties": {"amount": {"type": "number", "minimum": 1}}});
    fs::write(schema.path(), amount.to_string()).unwrap();
    let (file, body) = (schema.path().to_str().unwrap(), "{\"amount\":\"secret\"}");
    let edit = async |path, value: u8, options: &[&str]| {
        let patch = json!([{"op": "add", "path": path, "value": value}]).to_string();
        edited(&[&["--edit-patch", &patch], options].concat(), body).await
    };
    let failure = edit("/amount", 2, &[]).await.unwrap_err();
    assert!(failure.contains("--schema FILE"), "{failure}");
    assert_eq!(edit("/amount", 0, &["--no-schema"]).await.unwrap().unwrap().body, "{\"amount\":0}");
    let valid = edit("/amount", 2, &["--schema", file]).await.unwrap().unwrap();
    assert_eq!((valid.body.as_str(), valid.event_id), ("{\"amount\":2}", None));
    let inline = edit("/amount", 0, &["--schema", &amount.to_string()]).await.unwrap_err();
    assert!(inline.ends_with(", at `/amount`"), "{inline}");
    let failure = edit("/other", 1, &["--schema", file]).await.unwrap_err();
    assert!(failure.ends_with(", at `/amount`") && !failure.contains("secret"), "{failure}");
}

#[test]
fn mistakes_are_found_before_the_first_message() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    fs::write(file.path(), "{\"type\": \"nonsense\"}").unwrap();
    for options in [
        &["--edit-jq", ".a |"][..],
        &["--edit-patch", path],
        &["--edit-patch", "[1]"],
        &["--edit-patch", "/no/such/file"],
        &["--edit-jq", ".", "--edit"],
        &["--edit-jq", ".", "--schema", path],
        &["--edit-jq", ".", "--schema", "/no/such/file"],
        &["--schema", path],
        &["--no-schema"],
    ] {
        let Err(error) = editor(options) else { panic!("{options:?}") };
        assert_eq!(error.exit_code(), 2, "{options:?}");
    }
}

#[tokio::test]
async fn more_than_its_queue_takes_is_not_sent() {
    let longer = r#"[{"op":"replace","path":"/a","value":"1234512345"}]"#;
    let editor = editor(&["--edit-patch", longer, "--no-schema"]).unwrap();
    let failure = editor.edit(&DeadLetter::example(r#"{"a":"12345"}"#), 17, &nowhere().await).await;
    assert!(matches!(failure, Err(EditFailure::TooLarge { size: 18, most: 17 })), "{failure:?}");
}

#[tokio::test]
async fn a_body_in_s3_is_fetched_verified_edited_and_put_beside_the_old_one() {
    let objects = Arc::<Mutex<BTreeMap<String, Bytes>>>::default();
    let s3 = s3(Arc::clone(&objects)).await;
    let data = json!({"title": " ", "description": "x".repeat(300)}).to_string();
    objects.lock().unwrap().insert("/bodies/claims/1".to_owned(), data.clone().into());
    let body = CREATE.replace("\"data\":{\"title\":\" \"}", "\"dataref\":\"s3://bodies/claims/1\"");
    let mut claimed = DeadLetter::example(&body);
    claimed.claim_check = Some(Reference::new("bodies", "claims/1", data.as_bytes()));
    let editor = editor(&["--edit-patch", MILK]).unwrap();

    let inline = editor.edit(&claimed, MOST, &s3).await.unwrap().unwrap();
    assert_eq!(inline.apart, None);
    assert!(events::decode(&inline.body).is_ok(), "{}", inline.body);
    let apart = editor.edit(&claimed, 500, &s3).await.unwrap().unwrap();
    assert_eq!(objects.lock().unwrap().len(), 1, "an edit alone puts nothing");
    apart.apart.as_ref().unwrap().put(&s3).await.unwrap();
    let mut sent = claimed.clone();
    apart.apply_to(&mut sent);
    let reference: Reference = serde_json::from_str(&sent.attributes[ATTRIBUTE].value).unwrap();
    let put = objects.lock().unwrap()[&format!("/bodies/{}", reference.key)].clone();
    assert!(reference.fits(&put));
    let put = String::from_utf8(put.to_vec()).unwrap();
    assert!(events::decode_claimed(&sent.body, &put).is_ok(), "{}", sent.body);

    objects.lock().unwrap().insert("/bodies/claims/1".to_owned(), data.replace('x', "y").into());
    let failure = editor.edit(&claimed, MOST, &s3).await.unwrap_err().to_string();
    assert!(failure.contains("another size or digest"), "{failure}");
    objects.lock().unwrap().clear();
    let failure = editor.edit(&claimed, MOST, &s3).await.unwrap_err().to_string();
    assert!(failure.starts_with("its body is in S3: s3://bodies/claims/1: "), "{failure}");
}

#[test]
fn a_run_that_is_resumed_elsewhere_needs_no_file() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file, format!(" {MILK}\n").as_bytes()).unwrap();
    let path = file.path().to_str().unwrap();
    for (given, schema) in [
        (vec!["--edit-patch", path, "--schema={\"type\": \"object\"}"], true),
        (vec!["--no-schema", &*format!("--edit-patch={path}")], false),
        (vec!["--edit-jq", "."], false),
    ] {
        let tool = Tool::try_parse_from([&["tool"], &given[..]].concat()).unwrap();
        let words: Vec<_> = given.iter().map(|word| (*word).to_owned()).collect();
        let whole = tool.edit.without_files(&words).unwrap();
        assert!(!whole.iter().any(|word| word.contains(path)), "{whole:?}");
        let again: Vec<_> = ["tool"].into_iter().chain(whole.iter().map(String::as_str)).collect();
        let again = Tool::try_parse_from(again).unwrap().edit;
        assert_eq!(again.edit_patch, tool.edit.edit_patch);
        assert_eq!(again.schema.is_some(), schema);
        assert_eq!(again.without_files(&whole).unwrap(), whole);
    }
}

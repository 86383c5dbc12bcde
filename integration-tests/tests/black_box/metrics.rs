//! What operators see: docs/metrics.md lists what functions measure, and answers its questions, as a
//! real Prometheus has it.

use std::collections::BTreeSet;
use std::fs;
use std::process::Stdio;

use local_stack::{Function, ports};
use reqwest::{StatusCode, Url};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};
use uuid::Uuid;

use crate::relay::{facts_queue, relay};
use crate::support::documents::{blocks, document};
use crate::support::system::{Api, TestSystem, event, eventually};

const DOCUMENT: &str = "docs/metrics.md";

/// A Prometheus that scrapes each second, until it is dropped.
struct Prometheus {
    url: String,
    _process: Child,
    _folder: TempDir,
}

impl Prometheus {
    fn of(functions: &[&Function]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let targets: Vec<_> = functions
            .iter()
            .map(|function| function.health_url("metrics").replace("/metrics", ""))
            .map(|url| url.trim_start_matches("http://").to_owned())
            .collect();
        let scrape = json!({
            "job_name": "task-app", "scrape_interval": "1s", "scrape_timeout": "1s",
            "static_configs": [{ "targets": targets }],
        });
        let config = folder.path().join("prometheus.yaml");
        fs::write(&config, json!({ "scrape_configs": [scrape] }).to_string()).expect("a file");
        let address = ports::loopback(ports::free(None).expect("a free port"));
        let process = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("Debian's package prometheus, which .ci/tools installs");
        Self { url: format!("http://{address}/api/v1/query"), _process: process, _folder: folder }
    }

    /// The series that a query has now; none while it starts, when it refuses connections first and
    /// is "Service Unavailable" until its storage is open.
    async fn query(&self, client: &reqwest::Client, query: &str) -> Vec<Value> {
        let url = Url::parse_with_params(&self.url, [("query", query)]).expect("a URL");
        let Ok(answer) = client.get(url).send().await else { return Vec::new() };
        if answer.status() == StatusCode::SERVICE_UNAVAILABLE {
            return Vec::new();
        }
        let answer: Value = answer.json().await.expect("JSON");
        assert_eq!(answer["status"], "success", "{query}: {answer}");
        answer["data"]["result"].as_array().expect("series").clone()
    }
}

async fn scraped(system: &TestSystem, function: &Function) -> String {
    let request = system.client.get(function.health_url("metrics")).send();
    request.await.expect("an answer").text().await.expect("a text")
}

/// Some of everything: reads, writes, a command, one that is a dead letter.
async fn load(system: &TestSystem, reader: &Api, writer: &Api) {
    let token = system.token("acme");
    let created = system.client.post(format!("{}/v1/tasks", writer.url)).bearer_auth(&token);
    let created = created.json(&json!({ "title": "Measured" })).send().await.expect("an answer");
    let task: Value = created.json().await.expect("JSON");
    let url = format!("{}/v1/tasks/{}", reader.url, task["id"].as_str().expect("an id"));
    for _ in 0..3 {
        let read = system.client.get(&url).bearer_auth(&token).send().await.expect("an answer");
        assert_eq!(read.status(), 200);
    }
    let subject = Uuid::now_v7().to_string();
    let command = event(&subject, "create-task", &subject, &json!({ "title": "Queued" }));
    let broken = (subject.clone(), "{}".to_owned());
    system.send(&[(subject, command), broken]).await;
}

#[tokio::test]
async fn each_question_of_the_document_has_an_answer_and_each_metric_is_in_it() {
    let system = TestSystem::new().await;
    let queue = facts_queue(&system).await;
    let (reader, writer) = (system.reader().await, system.writer().await);
    let (worker, relay) = (system.worker().await, relay(&system, "relay", &[&queue.url]).await);
    let functions = [&reader.function, &writer.function, &worker, &relay];

    let before = scraped(&system, &worker).await;
    for begins in ["messages_dead_lettered_total{", "messages_undeleted_total{"] {
        let series = before.lines().find(|line| line.starts_with(begins)).expect(begins);
        assert!(series.ends_with(" 0"), "{series}");
    }
    let prometheus = Prometheus::of(&functions);
    let text = document(DOCUMENT);
    let mut open: BTreeSet<_> = blocks(&text, "promql").into_iter().collect();
    assert_eq!(open.len(), 12);
    eventually("each question has an answer", async || {
        load(&system, &reader, &writer).await;
        for query in open.clone() {
            let series = prometheus.query(&system.client, query).await;
            let is_number = |one: &Value| one["value"][1].as_str() != Some("NaN");
            if series.iter().any(is_number) {
                open.remove(query);
            }
        }
        open.is_empty().then_some(())
    })
    .await;

    for function in functions {
        is_documented(&scraped(&system, function).await).await;
    }
}

/// Each metric that a function shows is in the document, and promtool has nothing against it.
pub(crate) async fn is_documented(scraped: &str) {
    let text = document(DOCUMENT);
    for line in scraped.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let name = line.split(' ').next().expect("a name");
        assert!(text.contains(&format!("| `{name}` |")), "{name} is not in docs/metrics.md");
        assert!(scraped.contains(&format!("# HELP {name} ")), "{name} has no help");
    }
    assert_eq!(complaints(scraped).await, "");
}

/// What promtool has against what a function shows.
async fn complaints(scraped: &str) -> String {
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool");
    let mut input = promtool.stdin.take().expect("its input");
    input.write_all(scraped.as_bytes()).await.expect("written");
    drop(input);
    let output = promtool.wait_with_output().await.expect("an output");
    String::from_utf8(output.stderr).expect("text")
}

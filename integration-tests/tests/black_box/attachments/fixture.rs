//! A system with attachments: a bucket of its own, which notifies a queue of its own.

use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::head_object::HeadObjectError;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use fake_lambda::LambdaApi;
use local_stack::{Environment, Function, Queue, create_bucket, create_queue};
use reqwest::{Method, Response, StatusCode};
use resources::resources;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::event_source_mapping::{Mapping, TIME};
use crate::support::system::{Api, PATIENCE, TestSystem, binary, eventually};

/// The file of most tests, and what is said of it.
pub(crate) const FILE: &[u8] = b"Not much of a picture";
const NAME: &str = "Bild \"1\" für Ä.png";

pub(crate) struct Fixture {
    pub(crate) system: TestSystem,
    pub(crate) bucket: String,
    pub(crate) events: Queue,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) reader: Api,
    pub(crate) writer: Api,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        Self::with(&[]).await
    }

    /// With settings of the writer.
    pub(crate) async fn with(settings: &[(&str, &str)]) -> Self {
        let system = TestSystem::new().await;
        let bucket = format!("files-{}", Uuid::new_v4().simple());
        let events = create_queue(&system.sqs, &bucket, 5).await.expect("a queue");
        let described = &resources().buckets.attachments;
        let created = create_bucket(&system.aws, described, &bucket, |_| &events.url).await;
        created.expect("a bucket");
        let all = [&[("ATTACHMENT_BUCKET", bucket.as_str())], settings].concat();
        let reader = system.api_with("task-reader", &system.database.reader_url, &all[..1]).await;
        let writer = system.api_with("task-writer", &system.database.writer_url, &all).await;
        Self { s3: system.s3(), system, bucket, events, reader, writer }
    }

    /// What the worker finds in its environment.
    pub(crate) fn environment(&self) -> Environment {
        self.system
            .environment(&self.system.database.attachments_url)
            .with("ATTACHMENT_BUCKET", &self.bucket)
            .with("ATTACHMENT_SWEEP_SECONDS", "1")
            .with("QUEUE_URL", &self.events.url)
            .with("QUEUE_WAIT_SECONDS", "1")
            .with("BACKOFF_BASE_MS", "100")
    }

    /// A pod of the worker.
    pub(crate) async fn worker(&self) -> Function {
        self.worker_with(&[]).await
    }

    pub(crate) async fn worker_with(&self, settings: &[(&str, &str)]) -> Function {
        let mut worker = self.start_worker(settings);
        worker.ready(PATIENCE).await.expect("a worker that is ready");
        worker
    }

    /// A pod of the worker that may lack what it depends on.
    pub(crate) fn start_worker(&self, settings: &[(&str, &str)]) -> Function {
        let add = |all: Environment, (name, value): &(&str, &str)| all.with(name, value);
        let environment = settings.iter().fold(self.environment(), add);
        let name = "attachment-worker";
        Function::start(&binary(name), name, &environment, &self.system.state).expect("a process")
    }

    /// The worker as a Lambda that verifies, and what feeds it.
    pub(crate) async fn lambda(&self) -> (Function, Mapping) {
        let api = LambdaApi::start().await;
        let function = self.system.start_lambda("attachment-worker", &self.environment(), &api);
        let (sqs, url) = (self.system.sqs.clone(), self.events.url.clone());
        (function, Mapping::start(sqs, url, api, TIME))
    }

    pub(crate) async fn call(
        &self,
        tenant: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
        key: Option<&str>,
    ) -> Response {
        let api = if method == Method::GET { &self.reader } else { &self.writer };
        let request = self.system.client.request(method, format!("{}{path}", api.url));
        let mut request = request.bearer_auth(self.system.token(tenant));
        if let Some(body) = body {
            request = request.json(body);
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        request.send().await.expect("an answer")
    }

    /// A new task's path.
    pub(crate) async fn task(&self) -> String {
        let body = json!({"title": "With files"});
        let created = self.call("acme", Method::POST, "/v1/tasks", Some(&body), None).await;
        location(&created)
    }

    /// A new attachment: its path, and what the announcement answered.
    pub(crate) async fn announce(&self, task: &str) -> (String, Value) {
        let path = format!("{task}/attachments");
        let announced = self.call("acme", Method::POST, &path, Some(&announcement()), None).await;
        assert_eq!(announced.status(), StatusCode::CREATED);
        (location(&announced), announced.json().await.expect("JSON"))
    }

    /// Waits until the attachment has this status.
    pub(crate) async fn becomes(&self, path: &str, status: &str) -> Value {
        eventually(status, async || {
            let found = self.get(path).await.json::<Value>().await.ok()?;
            (found["status"] == status).then_some(found)
        })
        .await
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.call("acme", Method::GET, path, None, None).await
    }

    pub(crate) async fn delete(&self, path: &str) {
        let deleted = self.call("acme", Method::DELETE, path, None, None).await;
        assert_eq!(deleted.status(), StatusCode::NO_CONTENT);
    }

    /// Sends a file as the announcement says.
    pub(crate) async fn upload(&self, announced: &Value, file: &[u8]) -> Response {
        let upload = &announced["upload"];
        assert_eq!(upload["method"], "PUT");
        let mut request = self.system.client.put(upload["url"].as_str().expect("a URL"));
        for (name, value) in upload["headers"].as_object().expect("headers") {
            // The client itself says how much it sends.
            if name != "content-length" {
                request = request.header(name, value.as_str().expect("text"));
            }
        }
        request.body(file.to_vec()).send().await.expect("an answer")
    }

    /// Puts an object past all signatures, as only operators can.
    pub(crate) async fn put(&self, key: &str, file: &[u8], content_type: &str) {
        let put = self.s3.put_object().bucket(&self.bucket).key(key).content_type(content_type);
        put.body(file.to_vec().into()).send().await.expect("put");
    }

    pub(crate) async fn object_goes(&self, key: &str) {
        eventually("the object goes", async || {
            let head = self.s3.head_object().bucket(&self.bucket).key(key).send().await;
            let error = head.err().map(SdkError::into_service_error);
            error.is_some_and(|error| HeadObjectError::is_not_found(&error)).then_some(())
        })
        .await;
    }

    /// Notifies the worker of an object, as S3 would.
    pub(crate) async fn notify(&self, key: &str) {
        let body = json!({"Records": [{
            "eventSource": "aws:s3",
            "eventName": "ObjectCreated:Put",
            "s3": {"bucket": {"name": self.bucket}, "object": {"key": key}},
        }]});
        self.send(&body.to_string()).await;
    }

    pub(crate) async fn send(&self, body: &str) {
        let send = self.system.sqs.send_message().queue_url(&self.events.url).message_body(body);
        send.send().await.expect("sent");
    }

    pub(crate) async fn rows(&self) -> i64 {
        self.system.count("SELECT count(*) FROM attachments").await
    }
}

pub(crate) fn announcement() -> Value {
    json!({"name": NAME, "content_type": "image/png", "size": FILE.len(), "sha256": digest(FILE)})
}

pub(crate) fn digest(file: &[u8]) -> String {
    BASE64_STANDARD.encode(<sha2::Sha256 as sha2::Digest>::digest(file))
}

pub(crate) fn location(response: &Response) -> String {
    response.headers().get("location").expect("a location").to_str().expect("text").to_owned()
}

/// The object's key of the attachment at `path`, of the tenant `acme`.
pub(crate) fn object_key(path: &str) -> String {
    let parts: Vec<_> = path.split('/').collect();
    format!("attachments/acme/{}/{}", parts[3], parts[5])
}

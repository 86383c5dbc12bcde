//! A system with both HTTP functions behind one entry, and a caller.

use fake_lambda::{Call, LambdaApi, Sender};
use local_stack::Environment;
use secrecy::SecretString;
use serde_json::Value;

use super::running_function::{Entry, Reply, RunningFunction};
use crate::support::system::TestSystem;

pub(super) struct Fixture {
    pub(super) system: TestSystem,
    reader: RunningFunction,
    pub(super) writer: RunningFunction,
}

impl Fixture {
    pub(super) async fn new(entry: Entry) -> Self {
        Self::with(entry, &[]).await
    }

    /// With further settings of both functions.
    pub(super) async fn with(entry: Entry, settings: &[(&str, &str)]) -> Self {
        let system = TestSystem::new().await;
        system.create_tables().await;
        let reader = place(&system, entry, "task-reader", &system.database.reader_url, settings);
        let writer = place(&system, entry, "task-writer", &system.database.writer_url, settings);
        let (reader, writer) = (reader.await, writer.await);
        Self { system, reader, writer }
    }

    /// A request of the tenant `acme`.
    pub(super) fn request<'a>(&'a self, method: &'a str, target: &'a str) -> Request<'a> {
        self.anonymous(method, target).bearer(&self.system.token("acme"))
    }

    /// A request without a token.
    pub(super) fn anonymous<'a>(&'a self, method: &'a str, target: &'a str) -> Request<'a> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Request { fixture: self, call: Call { method, path, query, ..Call::default() } }
    }

    pub(super) async fn get(&self, target: &str) -> Answer {
        self.request("GET", target).send().await
    }

    /// Creates a task with this title, and returns where it is.
    pub(super) async fn create(&self, title: &str) -> String {
        let body = serde_json::json!({ "title": title });
        let created = self.request("POST", "/v1/tasks").json(&body).send().await;
        created.with_status(201).header("location").to_owned()
    }
}

async fn place(
    system: &TestSystem,
    entry: Entry,
    name: &str,
    login: &SecretString,
    settings: &[(&str, &str)],
) -> RunningFunction {
    let add = |all: Environment, (name, value): &(&str, &str)| all.with(name, value);
    let environment = settings.iter().fold(system.api_environment(login), add);
    let sender = match entry {
        Entry::Pod => return RunningFunction::Pod(system.api(name, environment).await),
        Entry::Gateway => Sender::HttpApi,
        Entry::LoadBalancer => Sender::LoadBalancer,
    };
    let api = LambdaApi::start().await;
    let function = system.start_lambda(name, &environment, &api);
    RunningFunction::Lambda(sender, api, function)
}

/// A request that is being put together.
pub(super) struct Request<'a> {
    fixture: &'a Fixture,
    call: Call<'a>,
}

impl<'a> Request<'a> {
    pub(super) fn header(mut self, name: &'a str, value: &str) -> Self {
        self.call.headers.push((name, value.to_owned()));
        self
    }

    /// Instead of whoever it was of.
    pub(super) fn bearer(mut self, token: &str) -> Self {
        self.call.headers.retain(|(name, _)| *name != "authorization");
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub(super) fn json(self, body: &Value) -> Self {
        self.text("application/json", &body.to_string())
    }

    pub(super) fn text(mut self, content_type: &str, body: &str) -> Self {
        self.call.body = body.into();
        self.header("content-type", content_type)
    }

    pub(super) async fn send(self) -> Answer {
        let Self { fixture, call } = self;
        let reads = matches!(call.method, "GET" | "HEAD");
        let place = if reads { &fixture.reader } else { &fixture.writer };
        let request = format!("{} {}?{}", call.method, call.path, call.query);
        let Reply { status, headers, body } = place.call(&fixture.system, &call).await;
        let json = serde_json::from_slice(&body).unwrap_or_default();
        Answer { request, status, headers: headers.into(), body, json }
    }
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    request: String,
    pub(super) status: u16,
    pub(super) headers: Value,
    pub(super) body: Vec<u8>,
    /// The body, if it is JSON.
    pub(super) json: Value,
}

impl Answer {
    /// Itself, if it has this status.
    pub(super) fn with_status(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}: {}", self.request, self.json);
        self
    }

    /// The problem document, if it is one of this status and type.
    pub(super) fn problem(self, status: u16, name: &str) -> Value {
        let answer = self.with_status(status);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(answer.json["type"], format!("urn:problem:{name}"), "{}", answer.request);
        assert_eq!(answer.json["request_id"], answer.headers["x-request-id"]);
        answer.json
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers[name].as_str().expect(name)
    }
}

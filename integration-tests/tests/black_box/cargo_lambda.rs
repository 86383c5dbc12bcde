//! The functions behind the public `cargo lambda`: a Runtime API that others wrote, who need not
//! share what our own takes for granted.

use std::fs;

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use local_stack::{Environment, Function, Process, Program, ports};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use uuid::Uuid;

use crate::support::event_source_mapping::{arn, record};
use crate::support::system::{PATIENCE, TASK_APP, TestSystem, binary, event, eventually};

const INSTALL: &str = "cargo-lambda listens; if it is missing, `.ci/tools` installs it in \
                       .local/cargo-lambda/bin, which belongs on PATH, as in `.ci/test`";
const WORKER: &str = "command-worker";
const READER: &str = "task-reader";

/// The running emulator.
struct Emulator {
    _process: Process,
    port: String,
    url: String,
}

impl Emulator {
    async fn start(system: &TestSystem) -> Self {
        let port = ports::free(None).expect("a free port").to_string();
        let url = format!("http://127.0.0.1:{port}");
        let watch = ["watch", "--only-lambda-apis", "--ignore-changes"];
        let place = ["--invoke-address", "127.0.0.1", "--invoke-port", &port];
        let program = cargo_lambda(system, "cargo-lambda", &[&watch[..], &place].concat());
        let mut process = Process::start(program).expect("a process");
        let address = format!("127.0.0.1:{port}");
        // A request would be an invocation, and wait for its function.
        let listens = || async { TcpStream::connect(&address).await.is_ok() };
        process.ready_when(PATIENCE, listens).await.expect(INSTALL);
        Self { _process: process, port, url }
    }

    /// Starts a function behind it.
    fn function(&self, system: &TestSystem, name: &str, environment: &Environment) -> Function {
        let environment = environment
            .clone()
            .with("_HANDLER", name)
            .with("AWS_LAMBDA_RUNTIME_API", format!("{}/.rt/{name}", self.url))
            .with("AWS_LAMBDA_FUNCTION_NAME", name)
            .with("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .with("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128");
        Function::start(&binary(TASK_APP), name, &environment, &system.state).expect("a process")
    }

    /// What the function answers to `cargo lambda invoke`.
    async fn invoke(&self, system: &TestSystem, name: &str, event: &Value) -> Value {
        let file = system.state.path().join("event.json");
        fs::write(&file, event.to_string()).expect("a file");
        let place = ["--invoke-address", "127.0.0.1", "--invoke-port", &self.port];
        let file = ["--data-file", file.to_str().expect("a path"), name];
        let program = cargo_lambda(system, "invoke", &[&["invoke"][..], &place, &file].concat());
        let log = program.log.clone().expect("a log");
        Process::start(program).expect("a process").success().await.expect("an answer");
        let answer = fs::read_to_string(log).expect("the answer");
        serde_json::from_str(&answer).expect(&answer)
    }
}

/// It invokes binaries of the package in whose folder it starts: one that has them by name will do.
fn cargo_lambda(system: &TestSystem, log: &str, arguments: &[&str]) -> Program {
    let folder = system.state.path();
    let binary = |name: &str| format!("[[bin]]\nname = \"{name}\"\npath = \"none.rs\"\n");
    let binaries = [WORKER, READER].map(binary).concat();
    let manifest = format!("[package]\nname = \"functions\"\n{binaries}");
    fs::write(folder.join("Cargo.toml"), manifest).expect("a file");
    let mut program = Program::new("cargo-lambda", "cargo-lambda", folder);
    program.environment = Environment::whole();
    program.arguments =
        ["lambda"].iter().chain(arguments).map(|argument| (*argument).into()).collect();
    program.log = Some(system.state.log(log));
    program
}

/// Takes `count` messages from the queue, as an event source mapping does.
async fn receive(system: &TestSystem, count: usize) -> Vec<Message> {
    let mut received = Vec::new();
    eventually("the messages are handed out", async || {
        let receive = system.sqs.receive_message().queue_url(&system.queue.url);
        let receive = receive.max_number_of_messages(10).message_attribute_names("All");
        let receive = receive.message_system_attribute_names(MessageSystemAttributeName::All);
        let answer = receive.send().await.expect("an answer");
        received.extend(answer.messages.unwrap_or_default());
        (received.len() >= count).then_some(())
    })
    .await;
    received
}

#[tokio::test]
async fn the_functions_run_behind_cargo_lambda() {
    let system = TestSystem::new().await;
    let emulator = Emulator::start(&system).await;
    let environment = system.environment(&system.database.writer_url);
    let environment = environment.with("QUEUE_URL", &system.queue.url);
    let _worker = emulator.function(&system, WORKER, &environment);
    let environment = system.api_environment(&system.database.reader_url);
    let _reader = emulator.function(&system, READER, &environment);

    let subject = Uuid::now_v7().to_string();
    let good = event("1", "create-task", &subject, &json!({"title": "Emulated"}));
    system.send(&[(subject.clone(), good), ("other".to_owned(), "not JSON".to_owned())]).await;
    let arn = arn(&system.sqs, &system.queue.url).await;
    let received = receive(&system, 2).await;
    let mut records: Vec<_> = received.iter().map(|message| record(message, &arn)).collect();
    // Unlike what is rejected, what is unreadable to the runtime itself is the mapping's to repeat.
    records.push(json!({"messageId": "unreadable"}));
    let answer = emulator.invoke(&system, WORKER, &json!({"Records": records})).await;
    assert_eq!(answer, json!({"batchItemFailures": [{"itemIdentifier": "unreadable"}]}));
    let letters = system.take_dead_letters().await;
    let bodies: Vec<_> = letters.iter().filter_map(Message::body).collect();
    assert_eq!(bodies, ["not JSON"]);

    let url = format!("{}/lambda-url/{READER}/v1/tasks/{subject}", emulator.url);
    let refused = system.client.get(&url).timeout(PATIENCE).send().await.expect("an answer");
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    assert!(refused.headers().contains_key("www-authenticate"));
    let request = system.client.get(&url).bearer_auth(system.token("acme"));
    let found = request.send().await.expect("an answer");
    assert_eq!(
        (found.status(), &found.headers()["etag"]),
        (StatusCode::OK, &"\"1\"".parse().expect("a tag"))
    );
    let task: Value = found.json().await.expect("JSON");
    assert_eq!(task["title"], "Emulated");
}

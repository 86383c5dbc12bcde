//! docs/producers.md: every program in it, run as it is written.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use local_stack::{local_folder, repository};
use uuid::Uuid;

use crate::support::documents::{blocks, document};
use crate::support::system::{TestSystem, binary};

/// The blocks of the guide in this language, one after the other.
fn program(language: &str) -> String {
    let program = blocks(&document("docs/producers.md"), language).join("\n");
    assert!(!program.is_empty(), "no {language} in the guide");
    program
}

/// A system whose worker reads claim checks from the bucket.
async fn system() -> (TestSystem, local_stack::Function, String) {
    let system = TestSystem::new().await;
    let bucket = format!("bodies-{}", Uuid::new_v4().simple());
    system.s3().create_bucket().bucket(&bucket).send().await.expect("a bucket");
    let worker = system.start_worker("command-worker", &[("CLAIM_CHECK_BUCKET", &bucket)]);
    (system, worker, bucket)
}

/// Runs a program with what the guide says that it finds in its environment.
fn run(system: &TestSystem, bucket: &str, command: &mut Command) {
    let environment = system.environment(&system.database.owner_url);
    let region = environment.iter().find(|(name, _)| *name == "AWS_REGION").expect("a region").1;
    let output = command
        .current_dir(repository())
        .envs(environment.iter())
        // AWS's tools in Python know this name only.
        .env("AWS_DEFAULT_REGION", region)
        .env("QUEUE_URL", &system.queue.url)
        .env("CLAIM_CHECK_BUCKET", bucket)
        .output()
        .expect("a process");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn the_guides_command_line_creates_a_task() {
    let (system, _worker, bucket) = system().await;
    // Its first major version does not read the endpoint from its environment.
    let endpoint = "aws() { command aws --endpoint-url \"$AWS_ENDPOINT_URL\" \"$@\"; }\n";
    let program = endpoint.to_owned() + &program("sh");
    run(&system, &bucket, Command::new("bash").args(["-euo", "pipefail", "-c", &program]));
    system.processed(1).await;
    let request = "SELECT count(*) FROM tasks WHERE title = 'Created by the AWS command line'";
    assert_eq!(system.count(request).await, 1);
}

#[tokio::test]
async fn the_guides_python_creates_tasks_in_order_and_apart() {
    let (system, _worker, bucket) = system().await;
    let python = local_folder().join("boto3/bin/python");
    assert!(python.exists(), "boto3 is missing: run `.ci/tools`");
    run(&system, &bucket, Command::new(python).args(["-c", &program("python")]));
    system.processed(3).await;
    let completed = "SELECT count(*) FROM tasks \
        WHERE title = 'Created in Python' AND status = 'completed'";
    assert_eq!(system.count(completed).await, 1);
    let apart = "SELECT count(*) FROM tasks \
        WHERE title = 'Sent apart' AND length(description) = 9900";
    assert_eq!(system.count(apart).await, 1);
}

#[tokio::test]
async fn the_guides_rust_is_the_kits_example_which_creates_a_task() {
    let example = repository().join("events/publish/examples/producer.rs");
    let example = fs::read_to_string(example).expect("the example");
    let (_, code) = example.split_once("\n\n").expect("a comment and the code");
    assert_eq!(program("rust").trim_end(), code.trim_end(), "the guide shows the example");

    let (system, _worker, bucket) = system().await;
    let folder = binary("task-app").parent().map(PathBuf::from).expect("a folder");
    let mut built = Command::new(folder.join("examples/producer"));
    run(&system, &bucket, built.arg(&system.queue.url));
    system.processed(1).await;
    let request = "SELECT count(*) FROM tasks WHERE title = 'Created in Rust'";
    assert_eq!(system.count(request).await, 1);
}

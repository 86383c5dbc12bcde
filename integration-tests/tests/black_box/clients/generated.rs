//! The generators. Two are quick; OpenAPI Generator needs Java, and is for `make test-long`.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::{System, document, empty, run, stories, tool};

/// A program in TypeScript, checked and compiled beside the types of the API; its folder.
pub(super) async fn typescript(name: &str, program: &str) -> PathBuf {
    let packages = tool("clients/node_modules");
    let folder = empty(name);
    symlink(&packages, folder.join("node_modules")).expect("a link");
    for file in ["package.json", "tsconfig.json", program] {
        let from = stories().join("typescript").join(file);
        fs::copy(from, folder.join(file)).expect("copied");
    }
    let tool = |name: &str| {
        let mut command = Command::new(packages.join(".bin").join(name));
        command.current_dir(&folder);
        command
    };
    run(tool("openapi-typescript").arg(document()).args(["--output", "task-app.ts"])).await;
    // It fails for a member that no type has.
    run(tool("tsc").args(["--project", "."])).await;
    folder
}

#[tokio::test]
async fn openapi_typescript() {
    let folder = typescript("openapi-typescript", "story.ts").await;
    let system = System::new().await;
    system.plays(Command::new("node").arg(folder.join("out/story.js"))).await;
}

/// A story in Python, with what a generator needs and the client that it made in this folder.
fn python(generator: &str, folder: &Path, story: &str) -> Command {
    let mut python = Command::new(tool(&format!("{generator}/bin/python")));
    // Without its cache, which would be beside the stories.
    python.arg("-B").env("PYTHONPATH", folder).arg(stories().join(story));
    python
}

#[tokio::test]
async fn openapi_python_client() {
    let folder = empty("openapi-python-client");
    let settings = folder.join("settings.yaml");
    fs::write(&settings, "post_hooks: []\n").expect("written");
    let generate = tool("openapi-python-client/bin/openapi-python-client");
    run(Command::new(generate)
        .args(["generate", "--meta", "none", "--fail-on-warning", "--path"])
        .arg(document())
        .arg("--output-path")
        .arg(folder.join("task_app"))
        .arg("--config")
        .arg(settings))
    .await;
    let system = System::new().await;
    system.plays(&mut python("openapi-python-client", &folder, "openapi_python_client.py")).await;
}

/// Has OpenAPI Generator make a client in this folder.
async fn openapi_generator(settings: &[&str], folder: &Path) {
    let mut generate = Command::new(tool("openapi-generator/bin/openapi-generator-cli"));
    generate.arg("generate").args(settings).arg("--input-spec").arg(document());
    run(generate.arg("--output").arg(folder)).await;
}

#[tokio::test]
#[ignore = "needs Java; `make test-long` runs it"]
async fn openapi_generator_in_python() {
    let folder = empty("openapi-generator-python");
    let settings = ["--generator-name", "python", "--package-name", "task_app"];
    openapi_generator(&settings, &folder).await;
    let system = System::new().await;
    system.plays(&mut python("openapi-generator", &folder, "openapi_generator.py")).await;
}

#[tokio::test]
#[ignore = "needs Java, and compiles for minutes; `make test-long` runs it"]
async fn openapi_generator_in_rust() {
    let folder = empty("openapi-generator-rust");
    // By default it takes each answer for the first one that is good, and the operation for a task.
    let several = "--additional-properties=supportMultipleResponses=true";
    let settings = ["--generator-name", "rust", "--package-name", "task-app-client", several];
    openapi_generator(&settings, &folder.join("client")).await;
    fs::create_dir(folder.join("src")).expect("a folder");
    for file in ["Cargo.toml", "Cargo.lock", "src/main.rs"] {
        fs::copy(stories().join("rust").join(file), folder.join(file)).expect("copied");
    }
    // Of its own, and kept: the next build is of the client only.
    let target = folder.with_file_name("openapi-generator-rust-target");
    let mut build = Command::new("cargo");
    build.args(["build", "--locked", "--quiet"]).current_dir(&folder);
    run(build.env("CARGO_TARGET_DIR", &target)).await;
    let system = System::new().await;
    system.plays(&mut Command::new(target.join("debug/story"))).await;
}

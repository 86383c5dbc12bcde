//! Clients that generators make of the OpenAPI document. With each, one story is played against the
//! whole system: what a caller does, in the types that the generator gives it.
//!
//! The stories are programs of their own in `integration-tests/clients/`, written as the users of each
//! generator write.

mod events;
mod generated;
mod guide;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use local_stack::{Function, Ingress, Queue, local_folder, ports, repository};
use tokio::process::Command;
use tokio::task::JoinHandle;

use crate::attachments::Fixture;
use crate::history::projector;
use crate::relay::{facts_queue, relay};

/// Everything that the story needs, behind one address.
struct System {
    fixture: Fixture,
    url: String,
    _facts: Queue,
    _functions: [Function; 4],
    _ingress: JoinHandle<()>,
}

impl System {
    async fn new() -> Self {
        let fixture = Fixture::new().await;
        let system = &fixture.system;
        system.create_tables().await;
        let facts = facts_queue(system).await;
        let functions = [
            system.worker().await,
            fixture.worker().await,
            relay(system, "relay", &[&facts.url]).await,
            projector(system, &facts.url).await,
        ];
        let address = ports::loopback(ports::free(None).expect("a free port"));
        let ingress = Ingress::new(&fixture.reader.url, &fixture.writer.url).expect("an ingress");
        let ingress = ingress.serve(address).await.expect("a served ingress");
        let url = format!("http://{address}");
        Self { fixture, url, _facts: facts, _functions: functions, _ingress: ingress }
    }

    /// Plays the story with a client; `program` finds the address of the system in its environment.
    /// What it printed.
    async fn plays(&self, program: &mut Command) -> String {
        let token = self.fixture.system.token("acme");
        run(program.env("BASE_URL", &self.url).env("TOKEN", token)).await
    }
}

/// Runs a program to its end, which must be a good one; what it printed.
async fn run(program: &mut Command) -> String {
    let run = program.stdin(Stdio::null()).kill_on_drop(true).output().await;
    let output = run.expect("a process");
    let (said, failed) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{program:?}: {}\n{said}{failed}", output.status);
    said.into_owned()
}

/// The programs of the stories.
fn stories() -> PathBuf {
    repository().join("integration-tests/clients")
}

fn document() -> PathBuf {
    repository().join("shared/http-support/openapi.json")
}

/// An empty folder for what a generator makes.
fn empty(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("removed");
    }
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// A program that `.ci/tools` installs.
fn tool(path: &str) -> PathBuf {
    let tool = local_folder().join(path);
    assert!(tool.exists(), "{} is missing: run .ci/tools", tool.display());
    tool
}

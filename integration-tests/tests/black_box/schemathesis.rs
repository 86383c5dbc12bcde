//! The API against its own description: a tool that is not ours reads the OpenAPI document and sends
//! what fits it, what does not, and sequences of both.

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use local_stack::{ALL_SCOPES, Ingress, local_folder, ports, repository};
use secrecy::ExposeSecret as _;
use tokio::process::Command;

use crate::attachments::Fixture;
use crate::support::system::TestSystem;

/// Cases of each operation and phase in `make test`.
const SOME: &str = "15";
/// And in `make test-long`.
const MANY: &str = "400";

/// Longer than the tool takes.
const LONGEST: Duration = Duration::from_hours(6);

/// The caller.
enum Caller {
    Tenant,
    Nobody,
}

/// Runs the tool to its end against both functions behind one address.
async fn check(caller: Caller, cases: &str) {
    let fixture = Fixture::new().await;
    let system = &fixture.system;
    system.create_tables().await;
    let _workers = (system.worker().await, fixture.worker().await);
    let address = ports::loopback(ports::free(None).expect("a free port"));
    let ingress = Ingress::new(&fixture.reader.url, &fixture.writer.url).expect("an ingress");
    let _ingress = ingress.serve(address).await.expect("a served ingress");

    let mut tool = command(&format!("http://{address}"), cases);
    match caller {
        Caller::Tenant => authorize(&mut tool, system),
        // Whoever does not say who they are is refused whatever they send.
        Caller::Nobody => tool.args(["--exclude-checks", "positive_data_acceptance"]),
    };
    let output = tool.output().await.expect("an end");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    // Its summary, for a run that shows the output of what passed.
    std::io::stdout().write_all(said.as_bytes()).expect("standard output");
}

fn command(url: &str, cases: &str) -> Command {
    let folder = local_folder().join("schemathesis");
    let program = folder.join("bin/schemathesis");
    assert!(program.exists(), "{} is missing: run .ci/tools", program.display());
    let mut command = Command::new(program);
    let tests = repository().join("integration-tests");
    command
        .current_dir(folder)
        .env("SCHEMATHESIS_HOOKS", "schemathesis_hooks")
        .env("PYTHONPATH", &tests)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .arg("--config-file")
        .arg(tests.join("schemathesis.toml"))
        .arg("run")
        .arg(repository().join(Path::new("shared/http-support/openapi.json")))
        .args(["--url", url, "--checks", "all", "--max-examples", cases])
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

fn authorize<'a>(tool: &'a mut Command, system: &TestSystem) -> &'a mut Command {
    let token = system.issuer.token("acme", ALL_SCOPES, LONGEST).expect("a token");
    tool.args(["--header", &format!("Authorization: Bearer {}", token.expose_secret())])
}

#[tokio::test]
async fn what_a_caller_sends_is_answered_as_the_document_says() {
    check(Caller::Tenant, SOME).await;
}

#[tokio::test]
async fn what_nobody_in_particular_sends_is_refused_as_the_document_says() {
    check(Caller::Nobody, SOME).await;
}

#[tokio::test]
#[ignore = "takes some minutes; `make test-long` runs it"]
async fn thousands_of_cases_are_answered_as_the_document_says() {
    check(Caller::Tenant, MANY).await;
}

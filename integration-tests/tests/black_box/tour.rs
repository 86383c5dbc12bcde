//! `make run` and the tour of README.md, command by command, with the stock AWS command line.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use local_stack::{AwsAccess, local_folder, ports, repository};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::described::{consumers_are_as_described, everything_is_as_described};
use crate::support::documents::{blocks, document};
use crate::support::system::{binary, eventually};

/// The shell commands of the tour, with the stack's own ports and this build's binaries.
fn tour(api: u16, aws: u16) -> String {
    let readme = document("README.md");
    let (_, tour) = readme.split_once("\n## Tour\n").expect("a tour");
    let (tour, _) = tour.split_once("\n## ").expect("an end of the tour");
    let commands = blocks(tour, "sh").join("\n");
    let folder = binary("task-app").parent().expect("a folder").display().to_string();
    commands
        .replace("target/local/local-stack token", "target/local/local-stack token $STATE")
        .replace("local-stack operator-url", "local-stack operator-url $STATE")
        .replace("target/local", &folder)
        .replace("127.0.0.1:8080", &format!("127.0.0.1:{api}"))
        .replace("127.0.0.1:4566", &format!("127.0.0.1:{aws}"))
}

/// The shared servers of the other tests are not this one's: `run` starts its own.
fn without_servers(command: &mut Command) -> &mut Command {
    let servers = ["DATABASE_URL", "REDIS_URL", "AWS_ENDPOINT_URL"];
    servers.into_iter().fold(command, |command, name| command.env_remove(name))
}

fn start(state: &Path, [api, aws]: [u16; 2], arguments: &[&str]) -> Child {
    let screen = fs::File::create(state.join("screen")).expect("a file");
    without_servers(&mut Command::new(binary("local-stack")))
        .args(["run", "--bin-dir"])
        .arg(binary("task-app").parent().expect("a folder"))
        .args(["--api-port", &api.to_string(), "--aws-port", &aws.to_string()])
        .args(arguments)
        .arg("--state")
        .arg(state)
        .stdin(Stdio::null())
        .stdout(screen.try_clone().expect("a file"))
        .stderr(screen)
        .spawn()
        .expect("a stack")
}

async fn is_up(stack: &mut Child, state: &Path) {
    eventually("the stack is up", async || {
        let screen = fs::read_to_string(state.join("screen")).expect("the screen");
        assert!(stack.try_wait().expect("a status").is_none(), "{screen}");
        screen.contains("export TOKEN=").then_some(())
    })
    .await;
}

fn stop(stack: &mut Child, state: &Path) {
    let pid = Pid::from_raw(stack.id().try_into().expect("a process id"));
    kill(pid, Signal::SIGINT).expect("Ctrl-C");
    let status = stack.wait().expect("an end");
    let screen = fs::read_to_string(state.join("screen")).expect("the screen");
    assert!(status.success(), "{status}\n{screen}");
    assert_eq!(processes_of(state), Vec::<String>::new(), "nothing is left");
}

/// The command lines of the processes that work on `state`.
fn processes_of(state: &Path) -> Vec<String> {
    let state = state.display().to_string();
    let processes = Command::new("ps").args(["-eo", "args"]).output().expect("ps");
    let lines = String::from_utf8_lossy(&processes.stdout).into_owned();
    lines.lines().filter(|line| line.contains(&state)).map(ToOwned::to_owned).collect()
}

#[tokio::test]
async fn the_tour_works_as_written_and_leaves_no_process() {
    let folder = tempfile::Builder::new().prefix("tour-").tempdir_in(local_folder());
    let folder = folder.expect("a folder");
    let state = folder.path();
    let ports = [(); 2].map(|()| ports::free(None).expect("a free port"));
    let [api, aws] = ports;
    let mut stack = start(state, ports, &["--workers", "2"]);
    is_up(&mut stack, state).await;
    everything_is_as_described(&AwsAccess::private(&format!("http://127.0.0.1:{aws}"))).await;
    consumers_are_as_described(&fs::read_to_string(state.join("screen")).expect("the screen"));

    let toured = without_servers(&mut Command::new("bash"))
        .args(["-euo", "pipefail", "-c", &tour(api, aws)])
        .env("STATE", format!("--state={}", state.display()))
        .current_dir(repository())
        .output()
        .expect("a shell");
    let said = String::from_utf8_lossy(&toured.stdout).into_owned();
    assert!(toured.status.success(), "{said}{}", String::from_utf8_lossy(&toured.stderr));
    for expected in [
        "\"title\":\"Buy oat milk\"",
        "{\"tasks\":[{",
        "\"status\":\"completed\"",
        "urn:problem:task-already-completed",
        "\"status\":\"succeeded\"",
        "dev.task-app.task.reopened.v1",
        "schema_violation at /data/title",
        "24 valid, 0 refused",
        "HELD BACK",
        "exit code 3",
    ] {
        assert!(said.contains(expected), "{expected} is missing in\n{said}");
    }
    stop(&mut stack, state);

    // State survives a restart.
    let mut stack = start(state, ports, &["--workers", "2"]);
    is_up(&mut stack, state).await;
    everything_is_as_described(&AwsAccess::private(&format!("http://127.0.0.1:{aws}"))).await;
    let tokens =
        Command::new(binary("local-stack")).arg("token").arg("--state").arg(state).output();
    let token = String::from_utf8(tokens.expect("a token").stdout).expect("text");
    let url = format!("http://127.0.0.1:{api}/v1/tasks");
    let list = reqwest::Client::new().get(url).bearer_auth(token.trim()).send().await;
    let list = list.expect("an answer").text().await.expect("text");
    assert!(list.contains("Buy oat milk"), "{list}");
    stop(&mut stack, state);
}

/// A program with the environment that `local-stack env` prints, and its log.
fn by_hand(state: &Path, name: &str, program: &str) -> (Child, std::path::PathBuf) {
    let script = format!(
        "eval \"$({} env {name} --state {})\" && exec {program}",
        binary("local-stack").display(),
        state.display()
    );
    let path = state.join(format!("{name}.log"));
    let log = fs::File::create(&path).expect("a file");
    let program = without_servers(&mut Command::new("sh"))
        .args(["-euc", &script])
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("a file"))
        .stderr(log)
        .spawn()
        .expect("a shell");
    (program, path)
}

#[tokio::test]
async fn a_subscriber_and_a_function_are_started_by_hand_beside_the_stack() {
    let folder = tempfile::Builder::new().prefix("tour-").tempdir_in(local_folder());
    let folder = folder.expect("a folder");
    let state = folder.path();
    let ports = [(); 2].map(|()| ports::free(None).expect("a free port"));
    let queues = ["--fact-queue", "billing.fifo", "--fact-queue", "audit"];
    let mut stack = start(state, ports, &queues);
    is_up(&mut stack, state).await;

    let subscriber = binary("examples/subscriber").display().to_string();
    let reader = format!("{} task-reader", binary("task-app").display());
    let mut started = [
        (by_hand(state, "billing.fifo", &subscriber), "a task was completed"),
        (by_hand(state, "audit", &subscriber), "a task was completed"),
        (by_hand(state, "task-reader", &reader), "serving HTTP"),
    ];
    let mut tokens = Command::new(binary("local-stack"));
    let tokens = tokens.args(["token", "--subject", "bob", "--state"]).arg(state).output();
    let token = String::from_utf8(tokens.expect("a token").stdout).expect("text");
    let api = format!("http://127.0.0.1:{}", ports[0]);
    let post = |path: String| {
        reqwest::Client::new().post(format!("{api}{path}")).bearer_auth(token.trim())
    };
    let task = post("/v1/tasks".to_owned()).json(&json!({ "title": "Published" }));
    let created = task.send().await.expect("an answer");
    let task = created.headers()["location"].to_str().expect("text").to_owned();
    let completed = post(format!("{task}/complete")).send().await.expect("an answer");
    assert_eq!(completed.status(), 200);
    let url = format!("{api}{task}/history");
    eventually("the history names who did it", async || {
        let history = reqwest::Client::new().get(&url).bearer_auth(token.trim()).send().await;
        let history: Value = history.expect("an answer").json().await.expect("JSON");
        (history["history"][0]["actor"] == "bob").then_some(())
    })
    .await;
    for ((program, log), expected) in &mut started {
        eventually(expected, async || {
            let log = fs::read_to_string(&*log).expect("a log");
            assert!(program.try_wait().expect("a status").is_none(), "{log}");
            log.contains(*expected).then_some(())
        })
        .await;
        kill(Pid::from_raw(program.id().try_into().expect("a process id")), Signal::SIGINT)
            .expect("Ctrl-C");
        assert!(program.wait().expect("an end").success());
    }
    stop(&mut stack, state);
}

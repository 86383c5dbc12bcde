//! The program itself: exit codes, messages, and that it leaves nothing behind.

#![expect(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panicking")]

use std::net::TcpListener;
use std::process::{Command, Output};

use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_local-stack");

fn local_stack(arguments: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    for name in ["DATABASE_URL", "REDIS_URL", "AWS_ENDPOINT_URL"] {
        command.env_remove(name);
    }
    command.args(arguments).output().unwrap()
}

/// The port of a URL like `redis://default:password@127.0.0.1:1234/0`.
fn port(url: &str) -> u16 {
    let after_host = url.rsplit_once("127.0.0.1:").unwrap().1;
    after_host.split('/').next().unwrap().parse().unwrap()
}

fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}

#[test]
fn exec_gives_a_command_its_servers_and_takes_its_exit_code() {
    let script = "echo $DATABASE_URL; echo $REDIS_URL; echo $AWS_ENDPOINT_URL; exit 7";
    let output = local_stack(&["exec", "--", "sh", "-c", script]);

    assert_eq!(output.status.code(), Some(7), "{output:?}");
    let urls = String::from_utf8(output.stdout).unwrap();
    let ports: Vec<_> = urls.lines().map(port).collect();
    assert_eq!(ports.len(), 3);
    assert!(ports.into_iter().all(is_free), "a server outlived the command");
}

#[tokio::test]
async fn a_supervisor_that_is_killed_leaves_no_process_behind() {
    // The command kills the program that started it.
    let script =
        "echo $DATABASE_URL; echo $REDIS_URL; echo $AWS_ENDPOINT_URL; kill -9 $PPID; exec sleep 60";
    let output = local_stack(&["exec", "--", "sh", "-c", script]);
    assert_eq!(output.status.code(), None, "{output:?}");

    let urls = String::from_utf8(output.stdout).unwrap();
    for port in urls.lines().map(port) {
        let mut free = is_free(port);
        for _ in 0..100 {
            if !free {
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                free = is_free(port);
            }
        }
        assert!(free, "the server on port {port} outlived its supervisor");
    }
}

#[test]
fn a_taken_port_ends_the_start_with_a_message() {
    let folder = TempDir::new().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let state = folder.path().to_str().unwrap();
    let output = local_stack(&["run", "--state", state, "--api-port", &port]);

    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains(&port) && message.contains("the API"), "{message}");
    assert!(message.contains("--api-port"), "{message}");
}

#[test]
fn a_token_needs_a_stack_that_has_run() {
    let folder = TempDir::new().unwrap();
    let output = local_stack(&["token", "--state", folder.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("make run"));
}

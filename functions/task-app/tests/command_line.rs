//! The built binary, called in each way.

#![expect(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panicking")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};

const PROGRAM: &str = env!("CARGO_BIN_EXE_task-app");
const FUNCTIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The names of the crates beside this one, each with its description.
fn functions() -> Vec<(String, String)> {
    let folders = fs::read_dir(FUNCTIONS).unwrap().map(|entry| entry.unwrap().path());
    let manifests = folders.filter_map(|folder| fs::read_to_string(folder.join("Cargo.toml")).ok());
    let functions: Vec<_> = manifests
        .map(|manifest| (value(&manifest, "name"), value(&manifest, "description")))
        .filter(|(name, _)| name != "task-app")
        .collect();
    assert!(functions.len() > 7, "{functions:?}");
    functions
}

fn value(manifest: &str, key: &str) -> String {
    let start = format!("{key} = \"");
    let value = manifest.lines().find_map(|line| line.strip_prefix(&start)?.strip_suffix('"'));
    value.unwrap().to_owned()
}

/// Runs a program with nothing but a handler in its environment.
fn run(program: &Path, arguments: &[&str], handler: Option<&str>) -> Output {
    let handler = handler.map(|name| ("_HANDLER", name));
    Command::new(program).args(arguments).env_clear().envs(handler).output().unwrap()
}

fn task_app(arguments: &[&str]) -> Output {
    run(Path::new(PROGRAM), arguments, None)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_owned()).unwrap()
}

#[test]
fn help_lists_every_function_with_one_line() {
    let help = task_app(&["--help"]);
    assert!(help.status.success());
    let help = text(&help.stdout);
    for (name, about) in functions() {
        let listed = |line: &str| line.contains(&format!("- {name}:")) && line.ends_with(&about);
        assert!(help.lines().any(listed), "{name} is missing in\n{help}");
    }
}

#[test]
fn the_version_is_printed() {
    assert_eq!(text(&task_app(&["--version"]).stdout), "task-app 0.1.0\n");
}

#[test]
fn a_function_is_called_by_the_first_argument_by_the_name_of_a_link_or_by_lambdas_handler() {
    let folder = tempfile::tempdir().unwrap();
    let bootstrap = folder.path().join("bootstrap");
    symlink(PROGRAM, &bootstrap).unwrap();
    for (name, _) in functions() {
        let name = name.as_str();
        let link = folder.path().join(name);
        symlink(PROGRAM, &link).unwrap();

        let version = format!("{name} 0.1.0\n");
        assert_eq!(text(&task_app(&[name, "--version"]).stdout), version);
        assert_eq!(text(&run(&link, &["--version"], None).stdout), version);
        // A link's name counts, whatever else is said.
        assert_eq!(text(&run(&link, &["--version"], Some("other")).stdout), version);

        // Each lacks its settings, and says so as itself.
        for output in [task_app(&[name]), run(&bootstrap, &[], Some(name))] {
            assert_eq!(output.status.code(), Some(2), "{name}");
            let message = text(&output.stderr);
            assert!(message.contains(&format!("Usage: task-app {name} ")), "{message}");
        }
        let message = text(&run(&link, &[], None).stderr);
        assert!(message.contains(&format!("Usage: {name} ")), "{message}");
    }
}

#[test]
fn an_unknown_function_is_refused_with_the_known_ones() {
    let by_argument = task_app(&["command-wroker", "--help"]);
    let by_handler = run(Path::new(PROGRAM), &[], Some("command-wroker"));
    for output in [by_argument, by_handler] {
        assert_eq!(output.status.code(), Some(2));
        let message = text(&output.stderr);
        assert!(message.contains("'command-wroker'"), "{message}");
        for (name, _) in functions() {
            assert!(message.contains(&name), "{name} is missing in\n{message}");
        }
    }
}

#[test]
fn no_function_is_refused_with_the_help() {
    let output = task_app(&[]);
    assert_eq!(output.status.code(), Some(2));
    let message = text(&output.stderr);
    assert!(functions().iter().all(|(name, _)| message.contains(name)), "{message}");
}

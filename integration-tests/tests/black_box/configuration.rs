//! What a function says when it is set up wrongly, before it takes work.

use std::process::{Command, Output};

use crate::support::system::binary;

fn run(function: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    Command::new(binary(function))
        .args(arguments)
        .env_clear()
        .envs(environment.iter().copied())
        .output()
        .expect("an output")
}

#[test]
fn a_missing_setting_is_named() {
    for (function, variable) in [
        ("command-worker", "QUEUE_URL"),
        ("task-reader", "AUTH_ISSUER"),
        ("task-writer", "DATABASE_URL"),
        ("migrate", "DATABASE_URL"),
        ("outbox-relay", "FACT_QUEUE_URLS"),
    ] {
        let output = run(function, &[], &[]);
        assert_eq!(output.status.code(), Some(2), "{function}");
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(message.contains(variable), "{function}: {message}");
    }
}

#[test]
fn a_setting_out_of_range_is_named_and_secrets_are_not_shown() {
    let output = run(
        "command-worker",
        &[],
        &[
            ("DATABASE_URL", "postgres://user:s3cret@127.0.0.1/x"),
            ("QUEUE_URL", "http://127.0.0.1:1/queue"),
            ("QUEUE_BATCH_SIZE", "100000"),
        ],
    );
    assert_eq!(output.status.code(), Some(2));
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(message.contains("QUEUE_BATCH_SIZE") || message.contains("--queue-batch-size"));
    assert!(message.contains("100000") && message.contains("1..=1000"), "{message}");
    assert!(!message.contains("s3cret"));
}

#[test]
fn a_database_on_another_machine_needs_tls() {
    for function in ["command-worker", "migrate"] {
        let settings = [
            ("DATABASE_URL", "postgres://user:s3cret@db.example/x"),
            ("QUEUE_URL", "http://127.0.0.1:1/queue"),
            ("HEALTH_ADDR", "127.0.0.1:0"),
        ];
        let output = run(function, &[], &settings);
        assert!(!output.status.success(), "{function}");
        let shown = [output.stdout, output.stderr].concat();
        let message = String::from_utf8_lossy(&shown);
        assert!(message.contains("DATABASE_URL") && message.contains("sslmode"), "{message}");
        assert!(!message.contains("s3cret"), "{message}");
    }
}

#[test]
fn commands_need_a_queue_that_keeps_their_order() {
    let url = "http://127.0.0.1:1/1/task-commands";
    for (function, variable, settings) in [
        ("command-worker", "QUEUE_URL", vec![("QUEUE_URL", url)]),
        ("task-writer", "COMMAND_QUEUE_URL", vec![("COMMAND_QUEUE_URL", url)]),
    ] {
        let local =
            [("DATABASE_URL", "postgres://user@127.0.0.1/x"), ("HEALTH_ADDR", "127.0.0.1:0")];
        let output = run(function, &[], &[&local[..], &settings].concat());
        assert!(!output.status.success(), "{function}");
        let shown = [output.stdout, output.stderr].concat();
        let message = String::from_utf8_lossy(&shown);
        assert!(message.contains(variable) && message.contains(".fifo"), "{function}: {message}");
    }
}

#[test]
fn help_lists_every_setting_with_its_variable() {
    for function in ["command-worker", "task-reader", "task-writer", "migrate", "outbox-relay"] {
        let output = run(function, &["--help"], &[("DATABASE_URL", "postgres://u:s3cret@h/x")]);
        assert!(output.status.success(), "{function}");
        let help = String::from_utf8_lossy(&output.stdout);
        assert!(help.contains("[env: DATABASE_URL") && help.contains("[env: LOG_LEVEL"), "{help}");
        assert!(!help.contains("s3cret"));
    }
}

#[test]
fn a_log_level_that_is_none_is_refused_by_name() {
    for (function, level) in [("command-worker", "verbose"), ("task-reader", "warning")] {
        let output = run(function, &[], &[("LOG_LEVEL", level)]);
        assert_eq!(output.status.code(), Some(2), "{function}");
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(
            message.contains("log-level") && message.contains("expected off, error"),
            "{message}"
        );
    }
}

#[test]
fn a_database_of_another_kind_is_refused_by_name() {
    for function in ["command-worker", "migrate", "outbox-relay"] {
        let settings = [
            ("DATABASE_URL", "mysql://user:s3cret@127.0.0.1/x"),
            ("QUEUE_URL", "http://127.0.0.1:1/queue.fifo"),
            ("FACT_QUEUE_URLS", "http://127.0.0.1:1/queue.fifo"),
            ("HEALTH_ADDR", "127.0.0.1:0"),
        ];
        let output = run(function, &[], &settings);
        assert!(!output.status.success(), "{function}");
        let shown = [output.stdout, output.stderr].concat();
        let message = String::from_utf8_lossy(&shown);
        assert!(message.contains("DATABASE_URL: expected postgres://"), "{function}: {message}");
        assert!(!message.contains("s3cret"), "{message}");
    }
}

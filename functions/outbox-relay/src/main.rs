//! `outbox-relay` alone. It ships as a part of `task-app`.

use std::process::ExitCode;

fn main() -> ExitCode {
    outbox_relay::run(std::env::args_os())
}

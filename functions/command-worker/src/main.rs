//! `command-worker` alone. It ships as a part of `task-app`.

use std::process::ExitCode;

fn main() -> ExitCode {
    command_worker::run(std::env::args_os())
}

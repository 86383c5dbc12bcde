//! `dead-letters` alone. It ships as a part of `task-app`.

use std::process::ExitCode;

fn main() -> ExitCode {
    dead_letters::run(std::env::args_os())
}

//! `migrate` alone. It ships as a part of `task-app`.

use std::process::ExitCode;

fn main() -> ExitCode {
    migrate::run(std::env::args_os())
}

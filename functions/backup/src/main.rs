//! `backup` alone. It ships as a part of `task-app`.

use std::process::ExitCode;

fn main() -> ExitCode {
    backup::run(std::env::args_os())
}

//! `task-reader` alone. It ships as a part of `task-app`.

use std::process::ExitCode;

fn main() -> ExitCode {
    task_reader::run(std::env::args_os())
}

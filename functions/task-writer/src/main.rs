//! `task-writer` alone. It ships as a part of `task-app`.

use std::process::ExitCode;

fn main() -> ExitCode {
    task_writer::run(std::env::args_os())
}

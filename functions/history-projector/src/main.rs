//! `history-projector` alone. It ships as a part of `task-app`.

use std::process::ExitCode;

fn main() -> ExitCode {
    history_projector::run(std::env::args_os())
}

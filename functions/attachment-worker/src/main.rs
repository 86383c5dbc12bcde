//! `attachment-worker` alone. It ships as a part of `task-app`.

use std::process::ExitCode;

fn main() -> ExitCode {
    attachment_worker::run(std::env::args_os())
}

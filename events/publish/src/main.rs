//! `publish` alone, for producers. It ships as a part of `task-app`, too.

use std::process::ExitCode;

fn main() -> ExitCode {
    publish::cli::run(std::env::args_os())
}

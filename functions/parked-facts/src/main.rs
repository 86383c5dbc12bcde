//! `parked-facts` alone. It ships as a part of `task-app`.

use std::process::ExitCode;

fn main() -> ExitCode {
    parked_facts::run(std::env::args_os())
}

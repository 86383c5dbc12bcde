//! Serves tasks over HTTP.

use std::process::ExitCode;

use runtime::Function;

fn main() -> ExitCode {
    Function::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_DESCRIPTION")).run(task_reader::wire)
}

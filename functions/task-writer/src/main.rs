//! Changes tasks over HTTP, at once or, if the caller prefers, later.

use std::process::ExitCode;

use runtime::Function;

fn main() -> ExitCode {
    Function::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_DESCRIPTION")).run(task_writer::wire)
}

//! `local-stack`: see `--help`, or the library's documentation.

use std::process::ExitCode;

fn main() -> ExitCode {
    local_stack::cli::main()
}

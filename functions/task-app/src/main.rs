//! Every function in one binary: what ships. Each is a crate of its own, and knows of no other.

mod command_line;

use std::{ffi::OsString, process::ExitCode};

/// A request allocates some 50 times, which took an eighth of its time with the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A function, as this binary has it.
struct Function {
    name: &'static str,
    about: &'static str,
    run: fn(Vec<OsString>) -> ExitCode,
}

macro_rules! functions {
    ($($($path:ident)::+),+ $(,)?) => {
        [$(Function {
            name: $($path)::+::NAME,
            about: $($path)::+::ABOUT,
            run: |command_line| $($path)::+::run(command_line),
        }),+]
    };
}

static FUNCTIONS: [Function; 10] = functions![
    attachment_worker,
    backup,
    command_worker,
    dead_letters,
    history_projector,
    migrate,
    outbox_relay,
    publish::cli,
    task_reader,
    task_writer,
];

fn main() -> ExitCode {
    match command_line::parse(std::env::args_os().collect()) {
        Ok((function, command_line)) => (function.run)(command_line),
        Err(error) => error.exit(),
    }
}

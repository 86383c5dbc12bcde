//! Dumps the database to S3, proves that the dump can be restored, and restores it.
//!
//! PostgreSQL's own programs make the dump and read it. What surrounds them is here: the dump goes to S3
//! as it is made and never to a disk, a manifest appears when it is whole and says what it must hold, and
//! a restore is committed only when every byte was the right one.

mod arguments;
mod backups;
mod command;
mod dump;
mod fetch;
mod history;
mod instruments;
mod location;
mod manifest;
mod monitor;
mod program;
mod progress;
mod remedy;
mod restore;
mod unfinished;

use std::{ffi::OsString, process::ExitCode};

use anyhow::Context as _;
use arguments::{Arguments, Command};
use clap::Parser as _;
use command_line::failure;

pub use self::instruments::INSTRUMENTS;

/// Its name.
pub const NAME: &str = env!("CARGO_PKG_NAME");
/// What it is for, in one line.
pub const ABOUT: &str = env!("CARGO_PKG_DESCRIPTION");

/// Parts are sent beside what makes them.
const THREADS: usize = 2;

/// Runs the tool with a command line, whose first argument is the program's name.
#[must_use]
pub fn run(command_line: impl IntoIterator<Item = OsString>) -> ExitCode {
    let command = match Arguments::parse_from(command_line).command {
        // A service with a life of its own.
        Command::Monitor { options } => return monitor::run(options),
        command => command,
    };
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let tokio = builder.worker_threads(THREADS).enable_all().build();
    let tokio = tokio.context("starting the async runtime");
    let done = tokio.and_then(|tokio| tokio.block_on(command::run(command)));
    done.map_or_else(|error| failure(&remedy::added(error)), |()| ExitCode::SUCCESS)
}

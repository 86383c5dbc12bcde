//! Brings the database schema up to date, then exits.

use std::{ffi::OsString, process::ExitCode};

use runtime::{Function, Service};

/// Its name.
pub const NAME: &str = env!("CARGO_PKG_NAME");
/// What it is for, in one line.
pub const ABOUT: &str = env!("CARGO_PKG_DESCRIPTION");

/// Runs the function with a command line, whose first argument is the program's name.
#[must_use]
pub fn run(command_line: impl IntoIterator<Item = OsString>) -> ExitCode {
    Function::new(NAME, ABOUT).run_with(command_line, wire)
}

async fn wire(owner: store::Owner, service: Service) -> anyhow::Result<Service> {
    Ok(service.job(move || {
        let owner = owner.clone();
        async move { store::migrate(&owner).await }
    }))
}

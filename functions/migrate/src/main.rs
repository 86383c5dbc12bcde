//! Brings the database schema up to date, then exits.

use std::process::ExitCode;

use runtime::{Function, Service};

fn main() -> ExitCode {
    Function::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_DESCRIPTION")).run(wire)
}

async fn wire(owner: store::Owner, service: Service) -> anyhow::Result<Service> {
    Ok(service.job(move || {
        let owner = owner.clone();
        async move { store::migrate(&owner).await }
    }))
}

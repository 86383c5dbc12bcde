//! Verifies what was uploaded as attachments, and removes what is to go.

mod config;
mod event;
mod instruments;
mod sweep;
mod verify;

use std::{ffi::OsString, process::ExitCode};

use config::{Config, Part};
pub use instruments::INSTRUMENTS;
use records::AttachmentBucket;
use runtime::{Function, Host, Service, SystemClock, aws, sqs::Each};
use store::Store;
use sweep::Sweep;
use verify::Verifier;

/// Its name.
pub const NAME: &str = env!("CARGO_PKG_NAME");
/// What it is for, in one line.
pub const ABOUT: &str = env!("CARGO_PKG_DESCRIPTION");

/// Runs the function with a command line, whose first argument is the program's name.
#[must_use]
pub fn run(command_line: impl IntoIterator<Item = OsString>) -> ExitCode {
    Function::new(NAME, ABOUT).run_with(command_line, wire)
}

/// A pod does both parts, a Lambda one: what its events are for.
async fn wire(config: Config, service: Service) -> anyhow::Result<Service> {
    let store = Store::for_writes(&config.store).await?;
    let name = config.attachments.attachment_bucket.clone();
    let bucket = AttachmentBucket::new(&aws::client_config().await, name);
    let (host, part) = (service.host(), config.attachments.attachment_part);
    let sweep = Sweep::new(store.clone(), bucket.clone(), config.attachments, SystemClock, host);
    let verifier = Verifier::new(store.clone(), bucket.clone(), SystemClock);

    let mut service = service
        .ready_when("postgresql", move || store.check_writable())
        .depends_on("s3", move || bucket.check());
    let both = part.is_none() && host == Host::Pod;
    if both || part == Some(Part::Sweep) {
        service = service.background("sweep", move |stop| sweep.clone().run(stop));
    }
    if part == Some(Part::Sweep) {
        return Ok(service);
    }
    service.sqs(config.queue, Each::new(verifier)).await
}

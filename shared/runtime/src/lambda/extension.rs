//! An extension, so that the process is notified of its end: Lambda sends SIGTERM to functions that have an extension, and to
//! no others.

use std::time::Duration;

use lambda_extension::{Error, Extension};
use tokio::time::timeout;
use tracing::{info, warn};

const NAME: &str = "drain";
/// The Runtime API is on the same machine, and the function's start waits.
const PATIENCE: Duration = Duration::from_secs(1);

/// Registers an extension inside the process that subscribes to no events. Must happen before the first
/// invocation is fetched.
pub(super) async fn register() {
    let extension = Extension::new().with_events(&[]).with_extension_name(NAME);
    let registered = timeout(PATIENCE, extension.register()).await;
    match registered.unwrap_or_else(|_| Err("no answer in time".into())) {
        Ok(extension) => {
            // Lambda waits until each extension has requested its next event, which never comes.
            tokio::spawn(async move { ended(extension.run().await) });
        }
        Err(error) => {
            warn!(%error, "no extension was registered: the end will come without SIGTERM");
        }
    }
}

fn ended(result: Result<(), Error>) {
    if let Err(error) = result {
        info!(%error, "the extension ended");
    }
}

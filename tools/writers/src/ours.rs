//! The write path that ships.

use anyhow::{Result, ensure};
use clap::Args;
use store::{Config, Incoming, Outcome, Store};

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    store: Config,
}

/// A store, without a cache: the other statements fill none.
#[derive(Clone)]
pub(crate) struct Ours(Store);

impl Ours {
    /// As a worker does, with so many connections.
    pub(crate) async fn connect(arguments: Arguments, connections: u32) -> Result<Self> {
        let config = Config { database_max_connections: connections, ..arguments.store };
        Ok(Self(Store::for_writes(&config).await?))
    }

    pub(crate) async fn write(&self, batch: Vec<Incoming>, are_repeats: bool) -> Result<()> {
        for receipt in self.0.apply(batch, super::now()).await? {
            let is_applied = matches!(receipt.outcome, Outcome::Applied { .. });
            ensure!(is_applied && receipt.repeated == are_repeats, "not as expected: {receipt:?}");
        }
        Ok(())
    }
}

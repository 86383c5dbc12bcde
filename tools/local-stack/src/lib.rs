//! Everything on one machine: what `make run` starts, and what the tests run against.
//!
//! The servers are private: their data lives in a [`State`] folder below the repository's
//! ignored `.local/`, their ports are free ones on the loopback interface, and nothing that
//! already runs on the machine is touched. Every process that is started here is a child that
//! ends with us, whatever ends us. The functions are the very binaries that ship; nothing in
//! them knows that it runs here.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use local_stack::{Durability, Server, State};
//!
//! let folder = tempfile::tempdir()?;
//! let state = State::open(folder.path())?;
//! let mut postgres = Server::postgres(&state, Durability::Throwaway).await?;
//! let mut redis = Server::redis(&state).await?;
//! redis.stop().await?; // what does the system do without it?
//! redis.restart().await?;
//! postgres.kill().await?; // and after a crash of the database?
//! postgres.restart().await?;
//! # Ok(())
//! # }
//! ```

mod access;
mod aws;
pub mod cli;
mod console;
mod database;
mod environment;
mod exec;
mod folder;
mod function;
mod identity;
mod ingress;
mod install;
mod issuer;
pub mod ports;
mod postgres;
mod process;
mod provision;
mod proxy;
mod redis;
mod redis_cluster;
mod run;
mod server;
mod servers;
mod signals;
mod state;
mod test_database;

pub use self::redis::DATABASES as REDIS_DATABASES;
pub use access::{AwsAccess, External};
pub use environment::Environment;
pub use function::{DRAIN_SECONDS, Function};
pub use identity::Identity;
pub use ingress::Ingress;
pub use issuer::{ALL_SCOPES, AUDIENCE, Issuer};
pub use postgres::Durability;
pub use process::{Process, Program};
pub use provision::{
    Queue, create_bucket, create_fifo_queue, create_queue, create_table, create_tables,
};
pub use proxy::Proxy;
pub use redis_cluster::{RedisCluster, RedisNode};
pub use server::Server;
pub use servers::Servers;
pub use state::{Lock, State, local_folder, repository};
pub use test_database::TestDatabase;

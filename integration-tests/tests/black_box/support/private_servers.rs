//! Servers of one test's own, which it may stop. Each comes with its folder, which must outlive it.

use std::time::Duration;

use local_stack::{Durability, REDIS_DATABASES, Server, State};
use redis::AsyncCommands as _;
use secrecy::{ExposeSecret as _, SecretString};
use tempfile::TempDir;
use tokio::time::sleep;

pub(crate) async fn postgres() -> (TempDir, Server) {
    let (folder, state) = place();
    let postgres = Server::postgres(&state, Durability::Throwaway).await.expect("a PostgreSQL");
    (folder, postgres)
}

pub(crate) async fn redis() -> (TempDir, Server) {
    let (folder, state) = place();
    let redis = Server::redis(&state).await.expect("a Redis");
    (folder, redis)
}

/// Another one with the same password.
pub(crate) async fn redis_like(other: &Server) -> (TempDir, Server) {
    let (folder, state) = place();
    let (login, _) = other.url().expose_secret().rsplit_once('@').expect("a login");
    let (_, password) = login.rsplit_once(':').expect("a password");
    state.secret_bytes("redis", || Ok(password.into())).expect("a password");
    (folder, Server::redis(&state).await.expect("a Redis"))
}

/// A database of its own in the Redis of all tests: their tenants have the same names.
pub(crate) async fn database(redis: &SecretString) -> SecretString {
    let redis = redis.expose_secret();
    let client = redis::Client::open(redis).expect("a URL");
    let mut connection = client.get_multiplexed_async_connection().await.expect("a connection");
    let number: u32 = connection.incr("systems", 1).await.expect("a number");
    // The first one holds the number.
    format!("{redis}/{}", 1 + number % (REDIS_DATABASES - 1)).into()
}

/// Restarts it well, and then after a crash.
pub(crate) async fn restart_and_kill(postgres: &mut Server) {
    sleep(Duration::from_millis(500)).await;
    postgres.restart().await.expect("restarted");
    sleep(Duration::from_millis(500)).await;
    postgres.kill().await.expect("killed");
    postgres.restart().await.expect("recovered");
}

fn place() -> (TempDir, State) {
    let folder = tempfile::tempdir().expect("a folder");
    let state = State::open(folder.path()).expect("a state folder");
    (folder, state)
}

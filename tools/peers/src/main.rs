//! What the functions are measured beside: HTTP servers that do the least that one could for the same
//! answer. They have no authentication, no limits, no log and no metrics.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use axum::routing::get;
use clap::{Parser, Subcommand};
use redis::aio::MultiplexedConnection;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::net::TcpListener;

const JSON: [(HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/json")];
const KEY: &str = "peers:body";

#[derive(Parser)]
struct Arguments {
    /// Where to listen
    #[arg(long)]
    listen: SocketAddr,
    #[command(subcommand)]
    peer: Peer,
}

/// Each answers GET on every path.
#[derive(Subcommand)]
enum Peer {
    /// With the content of a file
    Constant { file: PathBuf },
    /// With the content of a file, which it has put into Redis before, by one command
    Redis {
        file: PathBuf,
        #[arg(env = "REDIS_URL", hide_env_values = true)]
        url: String,
    },
    /// With the first column of the first row of a statement
    Select {
        statement: PathBuf,
        #[arg(env = "DATABASE_URL", hide_env_values = true)]
        url: String,
        #[arg(long, default_value_t = 10)]
        connections: u32,
    },
}

#[tokio::main]
async fn main() -> Result<()> {
    let Arguments { listen, peer } = Arguments::parse();
    let listener = TcpListener::bind(listen).await.context("listening")?;
    axum::serve(listener, router(peer).await?).await.context("serving")
}

async fn router(peer: Peer) -> Result<Router> {
    Ok(match peer {
        Peer::Constant { file } => {
            let body = read(&file)?;
            Router::new().fallback(get(async move || (JSON, body.clone())))
        }
        Peer::Redis { file, url } => {
            let mut redis = redis::Client::open(url)?.get_multiplexed_async_connection().await?;
            let set = redis::cmd("SET").arg(KEY).arg(&*read(&file)?).to_owned();
            set.exec_async(&mut redis).await.context("filling Redis")?;
            Router::new().fallback(get(from_redis)).with_state(redis)
        }
        Peer::Select { statement, url, connections } => {
            let statement = String::from_utf8(read(&statement)?.into())?;
            let pool = PgPoolOptions::new().max_connections(connections).connect(&url).await?;
            // For as long as the process runs.
            let statement: &'static str = statement.leak();
            Router::new().fallback(get(from_postgresql)).with_state((pool, statement))
        }
    })
}

fn read(file: &Path) -> Result<Bytes> {
    let content = std::fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    Ok(content.into())
}

type Answer = Result<([(HeaderName, &'static str); 1], Bytes), StatusCode>;

async fn from_redis(State(mut redis): State<MultiplexedConnection>) -> Answer {
    let body: Result<Vec<u8>, _> = redis::cmd("GET").arg(KEY).query_async(&mut redis).await;
    Ok((JSON, body.map_err(|_| StatusCode::BAD_GATEWAY)?.into()))
}

#[expect(clippy::disallowed_methods, reason = "the statement is an argument")]
async fn from_postgresql(State((pool, statement)): State<(PgPool, &'static str)>) -> Answer {
    let body: Result<String, _> = sqlx::query_scalar(statement).fetch_one(&pool).await;
    Ok((JSON, body.map_err(|_| StatusCode::BAD_GATEWAY)?.into()))
}

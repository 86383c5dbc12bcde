//! A dump, decompressed into `pg_restore`, which commits all of it or nothing.
//!
//! `pg_restore` reads from a pipe, so it uses one connection, and one transaction. The last bytes of the dump
//! are passed on when all of it proved to be what was written: without them the last table is not whole and
//! nothing can be committed.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result};
use archives::Decompressor;
use store::DatabaseUrl;
use store::backup::{Contents, Libpq, prepare};
use tokio::io::AsyncWriteExt as _;
use tokio::process::ChildStdin;
use tokio::time::timeout;

use crate::fetch::Fetch;
use crate::program::{Program, Running};
use crate::progress::Progress;

/// Bytes that are passed on at last.
const HELD_BACK: usize = 64 << 10;
/// How long `pg_restore` may read nothing: while it makes tables, or waits for PostgreSQL.
const SILENCE: Duration = Duration::from_mins(10);
/// How long it may take after the last byte: it builds the indexes then.
const END: Duration = Duration::from_hours(12);

/// Restores what `fetch` brings into a database that has no tables.
///
/// # Errors
/// When it is not what was dumped, or PostgreSQL fails. Then the database has no tables.
pub(crate) async fn restore(
    program: &Program,
    database: &DatabaseUrl,
    contents: &Contents,
    fetch: &mut Fetch,
    size: u64,
) -> Result<()> {
    prepare(database, contents).await?;
    let arguments = ["--format=custom", "--single-transaction", "--exit-on-error", "--no-password"];
    let arguments: Vec<String> = arguments.map(str::to_owned).into();
    let libpq = Libpq::new(database).await?;
    let mut running =
        program.start("pg_restore", &arguments, &libpq, Stdio::piped(), Stdio::null())?;
    let mut stdin = running.child.stdin.take().context("pg_restore has no input")?;
    match pass_on(fetch, &mut stdin, size).await {
        Ok(()) => {
            drop(stdin);
            running.end(END).await
        }
        Err(error) => Err(cause(error, fetch, running).await),
    }
}

async fn pass_on(fetch: &mut Fetch, stdin: &mut ChildStdin, size: u64) -> Result<()> {
    let progress = Progress::of(Some(size), "restored")?;
    let (mut decompressor, mut ready) = (None, Vec::new());
    while let Some(bytes) = fetch.next().await? {
        progress.advance(bytes.len());
        let decompressor = match &mut decompressor {
            Some(decompressor) => decompressor,
            None => decompressor.insert(Decompressor::of(&bytes)?),
        };
        let mut bytes = bytes.as_ref();
        while !bytes.is_empty() || decompressor.has_more() {
            let taken = decompressor.step(bytes, &mut ready).context("decompressing the dump")?;
            bytes = bytes.get(taken..).unwrap_or_default();
            let surplus = ready.len().saturating_sub(HELD_BACK);
            if surplus >= HELD_BACK {
                let held_back = ready.split_off(surplus);
                write(stdin, &ready).await?;
                ready = held_back;
            }
        }
    }
    fetch.check()?;
    write(stdin, &ready).await
}

async fn write(stdin: &mut ChildStdin, bytes: &[u8]) -> Result<()> {
    let written = timeout(SILENCE, stdin.write_all(bytes)).await;
    Ok(written.with_context(|| format!("pg_restore read nothing for {SILENCE:?}"))??)
}

/// Why it was not restored. Where `pg_restore` stumbled, the dump may be to blame: then this says so.
async fn cause(error: anyhow::Error, fetch: &mut Fetch, mut running: Running) -> anyhow::Error {
    let has_stopped = error.is::<std::io::Error>();
    if !has_stopped {
        // It must not commit what came so far.
        let _ = running.child.start_kill();
        return error;
    }
    let altered = async {
        while fetch.next().await?.is_some() {}
        fetch.check()
    };
    if let Err(altered) = altered.await {
        return altered;
    }
    match running.child.try_wait() {
        Ok(None) | Err(_) => error,
        Ok(Some(_)) => running.end(END).await.err().unwrap_or(error),
    }
}

/// Reads all of a dump, to know that it is whole before anything is removed for it.
pub(crate) async fn read_all(mut fetch: Fetch, size: u64) -> Result<()> {
    let progress = Progress::of(Some(size), "checked")?;
    while let Some(bytes) = fetch.next().await? {
        progress.advance(bytes.len());
    }
    fetch.check()
}

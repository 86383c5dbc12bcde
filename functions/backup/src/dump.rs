//! `pg_dump`, compressed and sent as it comes.
//!
//! It writes to a pipe, so it cannot use several connections: that takes a folder on a disk as large as the
//! dump. It does not compress either. zstd does so here, in a fraction of the time that version 15 takes
//! with zlib, and beside it on another core.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result};
use archives::{Compressor, Upload};
use aws_lc_rs::digest::{Context as Digest, SHA256};
use store::backup::{Contents, Libpq, Snapshot};
use tokio::io::AsyncReadExt as _;
use tokio::time::timeout;

use crate::program::Program;
use crate::progress::Progress;

/// Bytes that are read at a time.
const BLOCK: usize = 256 << 10;
/// How long `pg_dump` may write nothing: longer than it waits for a lock.
const SILENCE: Duration = Duration::from_mins(5);
/// How long `pg_dump` waits for a lock that a migration holds, in milliseconds.
const LOCK_TIMEOUT: &str = "60000";
/// How long `pg_dump` may take to end.
const END: Duration = Duration::from_mins(5);

/// What was sent.
pub(crate) struct Sent {
    pub(crate) size: u64,
    pub(crate) sha256: String,
    pub(crate) uncompressed: u64,
    pub(crate) contents: Contents,
}

/// Sends the dump of a snapshot to `upload`, and counts what is in the snapshot meanwhile.
pub(crate) async fn send(
    program: &Program,
    database: &Libpq,
    snapshot: &mut Snapshot,
    upload: &mut Upload,
) -> Result<Sent> {
    let arguments = arguments(snapshot.id());
    let sent = stream(program, database, &arguments, upload);
    let ((size, sha256, uncompressed), contents) = tokio::try_join!(sent, snapshot.contents())?;
    Ok(Sent { size, sha256, uncompressed, contents })
}

fn arguments(snapshot: &str) -> Vec<String> {
    let fixed = [
        "--format=custom",
        "--compress=0",
        "--no-password",
        // As a user who is under it, and sees all rows by a policy: `Snapshot::begin` made sure.
        "--enable-row-security",
        // None of these is a part of the schema.
        "--no-comments",
        "--no-publications",
        "--no-security-labels",
        "--no-subscriptions",
        "--no-tablespaces",
    ];
    let mut arguments: Vec<String> = fixed.map(str::to_owned).into();
    arguments.push(format!("--lock-wait-timeout={LOCK_TIMEOUT}"));
    arguments.push(format!("--snapshot={snapshot}"));
    arguments
}

async fn stream(
    program: &Program,
    database: &Libpq,
    arguments: &[String],
    upload: &mut Upload,
) -> Result<(u64, String, u64)> {
    let mut running =
        program.start("pg_dump", arguments, database, Stdio::null(), Stdio::piped())?;
    let mut stdout = running.child.stdout.take().context("pg_dump has no output")?;
    let progress = Progress::of(None, "dumped")?;
    let (mut compressor, mut digest) = (Compressor::new(true)?, Digest::new(&SHA256));
    let (mut size, mut uncompressed) = (0, 0);
    let mut block = vec![0; BLOCK];
    loop {
        let read = timeout(SILENCE, stdout.read(&mut block)).await;
        let read = read.with_context(|| format!("pg_dump wrote nothing for {SILENCE:?}"))??;
        if read == 0 {
            break;
        }
        uncompressed += read as u64;
        progress.advance(read);
        compressor.add(block.get(..read).unwrap_or_default())?;
        let ready = compressor.take();
        digest.update(&ready);
        size += ready.len() as u64;
        upload.write(&ready).await?;
    }
    // Before the object can be whole: what was read may be the beginning only.
    running.end(END).await?;
    let rest = compressor.finish()?;
    digest.update(&rest);
    size += rest.len() as u64;
    upload.write(&rest).await?;
    Ok((size, hex::encode(digest.finish().as_ref()), uncompressed))
}

//! `backup dump`: the database into S3.

use std::time::Instant;

use anyhow::{Result, anyhow};
use archives::{Encryption, Target, Upload};
use causes::with_causes;
use command_line::{json, line, now};
use indicatif::HumanBytes;
use store::backup::{Libpq, Snapshot};

use super::interrupted;
use crate::arguments::DumpArguments;
use crate::backups::Backups;
use crate::dump::{Sent, send};
use crate::location::Id;
use crate::manifest::{Dump, FORMAT, Manifest};
use crate::program::Program;

/// Parts that are sent at the same time; one more is being filled.
const PARALLEL: usize = 3;

pub(super) async fn run(arguments: DumpArguments) -> Result<()> {
    let (begun, interrupted) = (Instant::now(), interrupted()?);
    let id = Id::new(now());
    let libpq = Libpq::new(&arguments.database).await?;
    let backups = Backups::connect(&arguments.place.location).await;
    let mut upload = Upload::new(backups.client.clone(), target(&arguments, &id));
    let sent = async {
        let mut snapshot = Snapshot::begin(&arguments.database).await?;
        let program = Program::pg_dump(snapshot.server_version() / 10_000).await?;
        let sent = send(&program, &libpq, &mut snapshot, &mut upload).await?;
        snapshot.end().await;
        anyhow::Ok((sent, program))
    };
    let sent = tokio::select! {
        sent = sent => sent,
        why = interrupted => Err(why),
    };
    let (sent, program) = match sent {
        Ok(sent) => sent,
        Err(error) => {
            let error = with_causes(error.as_ref());
            return Err(match upload.discard().await {
                Ok(()) => anyhow!("{error}. Nothing was left in S3"),
                Err(left) => anyhow!(
                    "{error}. Parts may be left in S3, which `backup prune` removes: {}",
                    with_causes(&left)
                ),
            });
        }
    };
    let parts = upload.finish().await?;
    let manifest = manifest(&id, &program, sent, parts, begun);
    backups.write_manifest(&id, &manifest).await?;
    print(&manifest, arguments.json)
}

fn target(arguments: &DumpArguments, id: &Id) -> Target {
    let location = &arguments.place.location;
    Target {
        bucket: location.bucket.clone(),
        key: location.dump(id),
        media_type: "application/zstd",
        overwrite: false,
        encryption: arguments.kms_key.clone().map_or(Encryption::OfBucket, Encryption::Kms),
        part: usize::from(arguments.part_mib) << 20,
        parallel: PARALLEL,
    }
}

fn manifest(id: &Id, program: &Program, sent: Sent, parts: usize, begun: Instant) -> Manifest {
    let Sent { size, sha256, uncompressed, contents } = sent;
    Manifest {
        format: FORMAT,
        id: id.to_string(),
        made_by: env!("CARGO_PKG_VERSION").to_owned(),
        pg_dump: program.version.clone(),
        finished_at: now(),
        seconds: begun.elapsed().as_secs_f64(),
        dump: Dump { size, sha256, parts, uncompressed },
        contents,
    }
}

fn print(manifest: &Manifest, as_json: bool) -> Result<()> {
    if as_json {
        return json(manifest);
    }
    let Manifest { id, seconds, dump, contents, .. } = manifest;
    let rows: i64 = contents.tables.values().map(|table| table.rows).sum();
    let (size, tables) = (HumanBytes(dump.size), contents.tables.len());
    line(&format!("{id}: {rows} rows of {tables} tables in {size}, {seconds:.1} s"))
}

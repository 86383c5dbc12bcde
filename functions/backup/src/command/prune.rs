//! `backup prune`: what is deleted, and what must stay.
//!
//! A lifecycle rule of S3 knows only how old an object is: when no backup succeeds any more, it deletes
//! the last good one in the end. This does not.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use archives::url;
use chrono::{DateTime, TimeDelta, Utc};
use command_line::{json as print_json, line, now};
use objects::remove;
use serde_json::json;

use crate::arguments::PruneArguments;
use crate::backups::{Backups, Found};
use crate::location::Id;

pub(super) async fn run(arguments: &PruneArguments) -> Result<()> {
    let (backups, now) = (Backups::connect(&arguments.place.location).await, now());
    let found = backups.list().await?;
    let old = now - TimeDelta::days(arguments.keep_days.into());
    // What is not whole may still be written.
    let unfinished = now - TimeDelta::hours(arguments.unfinished_hours.into());
    let gone = to_delete(&found, old, unfinished, arguments.keep_newest.into());
    let kept = found.len() - gone.len();
    let uploads = backups.unfinished_uploads(unfinished).await?;
    // What is printed may have no reader: that ends no deletion.
    let mut printed = Ok(());
    for backup in found.iter().filter(|backup| gone.contains(&backup.id)) {
        if !arguments.dry_run {
            delete(&backups, backup).await?;
        }
        if !arguments.json {
            let verb = if arguments.dry_run { "would be deleted" } else { "deleted" };
            printed = printed.and(line(&format!("{} {verb}", backup.id)));
        }
    }
    if !arguments.dry_run {
        for (key, upload) in &uploads {
            backups.abort(key, upload).await?;
        }
    }
    if arguments.json {
        let deleted: Vec<String> = gone.iter().map(ToString::to_string).collect();
        let (uploads, dry_run) = (uploads.len(), arguments.dry_run);
        return print_json(&json!({
            "deleted": deleted, "kept": kept, "aborted_uploads": uploads, "dry_run": dry_run,
        }));
    }
    printed?;
    let (deleted, uploads) = (gone.len(), uploads.len());
    line(&format!("{deleted} of {} backups, {uploads} unfinished uploads", found.len()))
}

/// Which backups go: those that are old, but for the newest good ones and the newest verified one; and
/// what is left of those that never became whole.
fn to_delete(
    found: &[Found],
    old: DateTime<Utc>,
    unfinished: DateTime<Utc>,
    newest: usize,
) -> BTreeSet<Id> {
    let good = found.iter().rev().filter(|backup| backup.is_good()).take(newest);
    let verified = found.iter().rev().find(|backup| backup.is_verified());
    let kept: BTreeSet<&Id> = good.chain(verified).map(|backup| &backup.id).collect();
    let is_old = |backup: &&Found| {
        let limit = if backup.manifest.is_some() { old } else { unfinished };
        backup.id.time() < limit
    };
    let gone = found.iter().filter(is_old).filter(|backup| !kept.contains(&backup.id));
    gone.map(|backup| backup.id.clone()).collect()
}

/// The manifest first: there is never one without its dump.
async fn delete(backups: &Backups, backup: &Found) -> Result<()> {
    let (bucket, manifest) = (&backups.location.bucket, backups.location.manifest(&backup.id));
    let others = backup.keys.iter().filter(|key| **key != manifest);
    for key in std::iter::once(&manifest).chain(others) {
        let removed = remove(&backups.client, bucket, key).await;
        removed.with_context(|| format!("deleting {}", url(bucket, key)))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{Dump, FORMAT, Manifest, Verification};
    use store::backup::{Contents, Inbox};

    const NOW: DateTime<Utc> = DateTime::from_timestamp(1_790_000_000, 0).unwrap();

    fn manifest(id: &Id) -> Manifest {
        let contents = Contents {
            taken_at: id.time(),
            database: "d".to_owned(),
            server_version: 150_000,
            schema_version: 1,
            tables: std::collections::BTreeMap::new(),
            last_outbox_sequence: 0,
            inbox: Inbox { oldest: None, newest: None },
            objects: Vec::new(),
            roles: Vec::new(),
        };
        Manifest {
            format: FORMAT,
            id: id.to_string(),
            made_by: String::new(),
            pg_dump: "15.1".to_owned(),
            finished_at: id.time(),
            seconds: 1.0,
            dump: Dump { size: 1, sha256: String::new(), parts: 0, uncompressed: 1 },
            contents,
        }
    }

    fn verification(problems: &[&str]) -> Verification {
        let problems = problems.iter().map(ToString::to_string).collect();
        Verification {
            verified_at: NOW,
            seconds: 1.0,
            server_version: 150_000,
            histories: 0,
            problems,
        }
    }

    /// Backups of so many days ago, each with how it was verified: `w`hole and not verified, `v`erified,
    /// `f`ailed, or `u`nfinished. Returns the ages of those that go.
    fn gone(backups: &[(i64, char)], newest: usize) -> Vec<i64> {
        let found: Vec<_> = backups
            .iter()
            .map(|(age, state)| {
                let id = Id::new(NOW - TimeDelta::days(*age));
                let verification = match state {
                    'v' => Some(verification(&[])),
                    'f' => Some(verification(&["x"])),
                    _ => None,
                };
                let manifest = (*state != 'u').then(|| manifest(&id));
                Found { id, keys: Vec::new(), manifest, verification }
            })
            .collect();
        let (old, unfinished) = (NOW - TimeDelta::days(30), NOW - TimeDelta::hours(24));
        let gone = to_delete(&found, old, unfinished, newest);
        gone.iter().map(|id| (NOW - id.time()).num_days()).collect()
    }

    #[test]
    fn what_is_old_goes_and_the_newest_good_ones_stay() {
        assert_eq!(gone(&[(90, 'w'), (40, 'w'), (29, 'w'), (1, 'w')], 1), [90, 40]);
        assert_eq!(gone(&[(90, 'w'), (60, 'w'), (40, 'w')], 1), [90, 60]);
        assert_eq!(gone(&[(90, 'w'), (60, 'w'), (40, 'w')], 2), [90]);
        // One that is known to be bad is none of them.
        assert_eq!(gone(&[(90, 'w'), (60, 'f'), (40, 'f')], 1), [60, 40]);
    }

    #[test]
    fn the_newest_verified_one_stays() {
        assert_eq!(gone(&[(90, 'v'), (80, 'v'), (60, 'w'), (40, 'w'), (1, 'w')], 1), [90, 60, 40]);
    }

    #[test]
    fn what_never_became_whole_goes_after_a_day() {
        assert_eq!(gone(&[(2, 'u'), (0, 'u'), (0, 'w')], 1), [2]);
    }
}

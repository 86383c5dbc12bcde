//! The command line.

use std::ffi::OsString;

use clap::{Args, Parser, Subcommand};
use records::HistoryConfig;
use secrecy::SecretString;
use store::DatabaseUrl;
use store::backup::CacheConfig;

use crate::location::{Id, Location};

const EXAMPLES: &str = "\
Examples:
  backup dump --location s3://acme-backups/tasks
  backup list
  backup verify --scratch-database-url postgres://owner@localhost/postgres
  backup verify --scratch-database-url postgres://owner@localhost/postgres --history-sample 200
  backup restore 20260131T093000Z-1f2e3d4c
  backup restore 20260131T093000Z-1f2e3d4c --replace task_app
  backup prune --keep-days 35 --dry-run
  backup monitor

Exit codes: 0 done, 1 failed or interrupted, 2 wrong usage.";

/// Dumps the database to S3, proves that the dump can be restored, and restores it.
///
/// Region, endpoint and credentials of S3 are those of every AWS tool: `AWS_REGION`, `AWS_ENDPOINT_URL`,
/// `AWS_PROFILE` and so on. `pg_dump` and `pg_restore` of the server's major version must be installed.
#[derive(Debug, Parser)]
#[command(name = "backup", version, after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Dump(DumpArguments),
    List(ListArguments),
    Verify(VerifyArguments),
    Restore(RestoreArguments),
    Prune(PruneArguments),
    /// Serve metrics of the backups that are there
    #[command(disable_help_flag = true)]
    Monitor {
        /// `--help` lists them
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<OsString>,
    },
}

/// Where backups are.
#[derive(Clone, Debug, Args)]
#[group(skip)]
pub(crate) struct Place {
    /// Where backups are, as `s3://BUCKET/PREFIX`
    #[arg(long, env = "BACKUP_LOCATION", value_name = "URL", value_parser = Location::parse)]
    pub(crate) location: Location,
}

/// Write a dump to S3, and a manifest beside it when the dump is whole
///
/// The database user must be a member of `task_app_backup`. S3 needs `s3:PutObject` and
/// `s3:AbortMultipartUpload` below the prefix, and nothing else.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DumpArguments {
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(flatten)]
    pub(crate) database: DatabaseUrl,
    /// A key of KMS, by its ARN, that S3 encrypts with; else the bucket's encryption is used
    #[arg(long, env = "BACKUP_KMS_KEY", value_name = "ARN")]
    pub(crate) kms_key: Option<String>,
    /// MiB of a part. An object has 10,000 parts at most; four parts are in memory
    #[arg(long, env = "BACKUP_PART_MIB", value_name = "N", default_value_t = 16,
          value_parser = clap::value_parser!(u16).range(5..=1_024))]
    pub(crate) part_mib: u16,
    /// As one JSON object: the manifest
    #[arg(long)]
    pub(crate) json: bool,
}

/// List the backups, the oldest first
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    pub(crate) place: Place,
    /// One JSON object for each backup and line
    #[arg(long)]
    pub(crate) json: bool,
}

/// Restore a backup into a scratch database, and compare it with what was dumped
///
/// The scratch database is new, and is removed in the end. The outcome is written beside the backup. S3 needs
/// `s3:GetObject`, `s3:PutObject` and `s3:ListBucket`; the comparison with the history needs `dynamodb:Query`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct VerifyArguments {
    /// Which backup; without it the newest one
    #[arg(value_parser = Id::parse)]
    pub(crate) backup: Option<Id>,
    #[command(flatten)]
    pub(crate) place: Place,
    /// A server to restore to, as a user that may make databases and roles, and any database there
    #[arg(long, env, hide_env_values = true, value_name = "URL")]
    pub(crate) scratch_database_url: SecretString,
    #[command(flatten)]
    pub(crate) history: HistoryArguments,
    /// As one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// The comparison with the history of tasks in `DynamoDB`.
#[derive(Clone, Debug, Args)]
#[group(skip)]
pub(crate) struct HistoryArguments {
    /// Compare so many tasks, chosen at random, with their history in `DynamoDB`; 0: none
    #[arg(long, env = "BACKUP_HISTORY_SAMPLE", value_name = "TASKS", default_value_t = 0,
          value_parser = clap::value_parser!(u16).range(0..=10_000))]
    pub(crate) history_sample: u16,
    /// Seconds that an entry of the history may take to appear whose fact was published
    #[arg(long, env = "BACKUP_HISTORY_WAIT_SECONDS", value_name = "SECONDS", default_value_t = 60,
          value_parser = clap::value_parser!(u16).range(0..=3_600))]
    pub(crate) history_wait: u16,
    #[command(flatten)]
    pub(crate) table: HistoryConfig,
}

/// Restore a backup into the database that the URL names
///
/// The user must be one that may migrate. A database that holds tasks, or that somebody uses, is refused. What
/// follows a restore is done, and what is left to do is printed.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RestoreArguments {
    /// Which backup
    #[arg(value_parser = Id::parse)]
    pub(crate) backup: Id,
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(flatten)]
    pub(crate) database: DatabaseUrl,
    /// The database's name: what it holds is lost for good
    #[arg(long, value_name = "DATABASE")]
    pub(crate) replace: Option<String>,
    #[command(flatten)]
    pub(crate) cache: CacheConfig,
    /// As one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Delete old backups, and what is left of dumps that never became whole
///
/// The newest good backups stay, however old they are, and so does the newest verified one. In a bucket with
/// versioning every version goes. S3 needs `s3:ListBucket`, `s3:GetObject`, `s3:DeleteObject`,
/// `s3:ListBucketMultipartUploads` and `s3:AbortMultipartUpload`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct PruneArguments {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Keep what is younger than so many days
    #[arg(long, env = "BACKUP_KEEP_DAYS", value_name = "DAYS", default_value_t = 35,
          value_parser = clap::value_parser!(u16).range(1..=3_650))]
    pub(crate) keep_days: u16,
    /// Keep so many of the newest good backups, whatever their age
    #[arg(long, env = "BACKUP_KEEP_NEWEST", value_name = "N", default_value_t = 3,
          value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub(crate) keep_newest: u16,
    /// Delete what is left of a dump that never became whole after so many hours
    #[arg(long, value_name = "HOURS", default_value_t = 24,
          value_parser = clap::value_parser!(u16).range(0..=720))]
    pub(crate) unfinished_hours: u16,
    /// Say what would be deleted, and delete nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// As one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Serve metrics of the backups that are there
///
/// A service, for a pod of its own: `/metrics`, `/livez` and `/readyz` on `HEALTH_ADDR`. S3 needs
/// `s3:ListBucket` and `s3:GetObject`.
#[derive(Debug, Args)]
pub(crate) struct MonitorArguments {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Seconds between two looks
    #[arg(long, env = "BACKUP_MONITOR_SECONDS", value_name = "SECONDS", default_value_t = 60,
          value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub(crate) every: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    fn parse(line: &str) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(["backup"].into_iter().chain(line.split(' ')))
    }

    #[test]
    fn every_example_of_the_help_is_valid() {
        Arguments::command().debug_assert();
        for line in EXAMPLES.lines().filter_map(|line| line.trim().strip_prefix("backup ")) {
            let environment = match line.split(' ').next() {
                Some("dump") => " --database-url postgres://h/d",
                Some("restore") => " --location s3://b --database-url postgres://h/d --redis-url=",
                _ => " --location s3://b",
            };
            let parsed = parse(&format!("{line}{environment}"));
            parsed.unwrap_or_else(|error| panic!("{line}: {error}"));
        }
    }

    #[test]
    fn a_mistake_is_wrong_usage() {
        for line in [
            "dump --database-url postgres://h/d",
            "dump --location b --database-url postgres://h/d",
            "dump --location s3://b --database-url postgres://h/d --part-mib 4",
            "restore --location s3://b --database-url postgres://h/d --redis-url=",
            "restore newest --location s3://b --database-url postgres://h/d --redis-url=",
            "verify --location s3://b",
            "verify --location s3://b --scratch-database-url postgres://h/d --history-sample 10001",
            "prune --location s3://b --keep-days 0",
            "prune --location s3://b --keep-newest 0",
        ] {
            assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
        }
    }
}

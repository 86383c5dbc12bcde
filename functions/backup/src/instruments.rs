//! The metrics of the backups that are there.

use ::instruments::Instrument;

pub(crate) const LAST_GOOD: Instrument = Instrument::gauge(
    "backup_last_good_timestamp_seconds",
    "The moment that the newest good backup holds, in seconds since 1970; 0 if there is none",
);
pub(crate) const LAST_VERIFIED: Instrument = Instrument::gauge(
    "backup_last_verified_timestamp_seconds",
    "When a good backup was last verified, in seconds since 1970; 0 if none was",
);
pub(crate) const LAST_BYTES: Instrument =
    Instrument::gauge("backup_last_good_bytes", "Size of the newest good backup");
pub(crate) const LAST_DURATION: Instrument =
    Instrument::gauge("backup_last_good_duration_seconds", "How long the newest good backup took");
pub(crate) const GOOD: Instrument = Instrument::gauge("backup_good", "Good backups that there are");
pub(crate) const FAILED_VERIFICATIONS: Instrument =
    Instrument::gauge("backup_failed_verifications", "Backups that failed their last verification");
pub(crate) const FAILURES: Instrument =
    Instrument::counter("backup_monitor_failures_total", "Looks at S3 that failed");

/// What `backup monitor` measures.
pub const INSTRUMENTS: &[Instrument] =
    &[LAST_GOOD, LAST_VERIFIED, LAST_BYTES, LAST_DURATION, GOOD, FAILED_VERIFICATIONS, FAILURES];

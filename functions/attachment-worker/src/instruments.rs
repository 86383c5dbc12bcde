//! The metrics of the sweep.

use instruments::Instrument;

pub(crate) const REMOVED: Instrument = Instrument::counter(
    "attachments_removed_total",
    "Objects of deleted attachments that were removed",
);
pub(crate) const FAILED: Instrument = Instrument::counter(
    "attachment_removals_failed_total",
    "Attempts to remove such an object that failed",
);

/// What the worker measures beside its queue and the store.
pub const INSTRUMENTS: &[Instrument] = &[REMOVED, FAILED];

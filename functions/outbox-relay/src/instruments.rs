//! The metrics of the relay.

use instruments::{Instrument, Label};

const QUEUE: Label = Label::any("queue");

pub(crate) const SENT: Instrument =
    Instrument::counter("facts_sent_total", "Facts that the queue took").labelled(&[QUEUE]);
pub(crate) const REFUSED: Instrument = Instrument::counter(
    "facts_refused_total",
    "Facts that the queue did not take, counted at each attempt",
)
.labelled(&[QUEUE]);
pub(crate) const PARKED: Instrument = Instrument::counter(
    "facts_parked_total",
    "Facts that wait for an operator, counted when they were parked",
)
.labelled(&[QUEUE, Label::any("reason")]);
pub(crate) const FAILURES: Instrument =
    Instrument::counter("relay_failures_total", "Failures of publish cycles and of upkeep")
        .labelled(&[Label::of("work", WORK)]);
const WORK: &[&str] = &["publish", "repeat", "measure", "purge"];

/// What the relay measures beside the store.
pub const INSTRUMENTS: &[Instrument] = &[SENT, REFUSED, PARKED, FAILURES];

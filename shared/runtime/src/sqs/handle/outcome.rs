//! What goes through the handling of messages, and what comes of it.

use tracing::Span;

use crate::sqs::{
    Delivery, Retry, Verdict,
    receive::{batch::Batch, heartbeat::VisibilityLease},
};

/// Messages and their leases; in a Lambda there are no leases.
#[derive(Clone, Copy)]
pub(super) struct Messages<'a> {
    pub(super) deliveries: &'a [Delivery],
    pub(super) leases: &'a [VisibilityLease],
}

impl<'a> Messages<'a> {
    pub(super) fn of(batch: &'a Batch) -> Self {
        Self { deliveries: &batch.deliveries, leases: &batch.leases }
    }
}

impl Messages<'_> {
    pub(super) const NONE: Self = Self { deliveries: &[], leases: &[] };

    pub(super) fn split_first(self) -> Option<(Self, Self)> {
        let (first, deliveries) = self.deliveries.split_at_checked(1)?;
        let (lease, leases) = self.leases.split_at_checked(1).unwrap_or_default();
        Some((Self { deliveries: first, leases: lease }, Self { deliveries, leases }))
    }
}

/// What the handling of some messages came to.
pub(super) struct Outcome {
    /// In order, with what decoding found out.
    pub(super) deliveries: Vec<Delivery>,
    /// One for each.
    pub(super) verdicts: Vec<Verdict>,
    /// To settle them in.
    pub(super) span: Span,
}

impl Outcome {
    /// Of messages that were not handled, for a cause that is not theirs.
    pub(super) fn unhandled(deliveries: &[Delivery], retry: Retry) -> Self {
        let verdicts = vec![retry.into(); deliveries.len()];
        Self { deliveries: deliveries.to_vec(), verdicts, span: Span::none() }
    }

    pub(super) fn append(&mut self, mut later: Self) {
        self.deliveries.append(&mut later.deliveries);
        self.verdicts.append(&mut later.verdicts);
        self.span = later.span;
    }
}

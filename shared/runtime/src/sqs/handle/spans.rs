//! The spans of one batch: one for the batch, and one for each message, linked to its sender.

use opentelemetry::trace::SpanContext;
use tracing::{Span, error_span, field::Empty};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::{
    sqs::{Delivery, Verdict},
    trace,
};

/// They last from decoding to the verdicts; the batch's own lasts until it is settled.
pub(crate) struct Spans {
    batch: Span,
    messages: Vec<Span>,
}

impl Spans {
    /// The sender of a batch's only message is the batch's parent; several are linked, for a span
    /// has one parent. If no sender is known, the parent is the invocation, if there is one.
    pub(crate) fn open(queue: &str, deliveries: &[Delivery]) -> Self {
        let batch = error_span!(
            parent: None, "batch", otel.name = format!("process {queue}"), otel.kind = "consumer",
            messages = deliveries.len(), trace_id = Empty, span_id = Empty,
        );
        batch.set_attribute("messaging.system", "aws_sqs");
        batch.set_attribute("messaging.destination.name", queue.to_owned());
        let only = if let [only] = deliveries { only.sender() } else { None };
        let linked = if only.is_none() { deliveries } else { &[] };
        linked.iter().filter_map(Delivery::sender).for_each(|sender| link(&batch, sender));
        let unknown = deliveries.iter().all(|delivery| delivery.sender().is_none());
        let invoker = trace::invoker().filter(|_| unknown);
        let exported = trace::begin(&batch, only.or(invoker.as_ref()));
        let message = |delivery| message(&batch, delivery);
        let messages = deliveries.iter().filter(|_| exported).map(message).collect();
        Self { batch, messages }
    }

    pub(crate) fn batch(&self) -> Span {
        self.batch.clone()
    }

    /// Ends the messages' spans with what was decided.
    pub(crate) fn close(self, verdicts: &[Verdict]) {
        for (span, verdict) in self.messages.iter().zip(verdicts) {
            let (verdict, reason) = match verdict {
                Verdict::Ack => ("ack", ""),
                Verdict::Retry(retry) => ("retry", retry.reason),
                Verdict::Reject(reject) => ("reject", reject.reason),
            };
            span.set_attribute("verdict", verdict);
            span.set_attribute("reason", reason);
        }
    }
}

fn message(batch: &Span, delivery: &Delivery) -> Span {
    let span = error_span!(parent: batch, "message", trace_id = Empty, span_id = Empty);
    span.set_attribute("messaging.message.id", delivery.message_id().to_owned());
    if let Some(sender) = delivery.sender() {
        link(&span, sender);
    }
    trace::begin(&span, None);
    span
}

fn link(span: &Span, sender: &SpanContext) {
    span.add_link(sender.clone());
}

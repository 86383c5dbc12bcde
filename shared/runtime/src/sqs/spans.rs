//! The spans of one batch: one for the batch, and one for each message, linked to its sender.

use opentelemetry::trace::SpanContext;
use tracing::{Span, error_span, field::Empty};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use super::{Record, Verdict};
use crate::trace;

/// They last from decoding to the verdicts; the batch's own lasts until it is settled.
pub(crate) struct Spans {
    batch: Span,
    messages: Vec<Span>,
}

impl Spans {
    /// The sender of a batch's only message is the batch's parent; several are linked, for a span
    /// has one parent. If no sender is known, the parent is the invocation, if there is one.
    pub(crate) fn open(queue: &str, records: &[Record]) -> Self {
        let batch = error_span!(
            parent: None, "batch", otel.name = format!("process {queue}"), otel.kind = "consumer",
            messages = records.len(), trace_id = Empty, span_id = Empty,
        );
        batch.set_attribute("messaging.system", "aws_sqs");
        batch.set_attribute("messaging.destination.name", queue.to_owned());
        let only = if let [only] = records { only.sender() } else { None };
        let linked = if only.is_none() { records } else { &[] };
        linked.iter().filter_map(Record::sender).for_each(|sender| link(&batch, sender));
        let unknown = records.iter().all(|record| record.sender().is_none());
        let invoker = trace::invoker().filter(|_| unknown);
        let exported = trace::begin(&batch, only.or(invoker.as_ref()));
        let message = |record| message(&batch, record);
        let messages = records.iter().filter(|_| exported).map(message).collect();
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

fn message(batch: &Span, record: &Record) -> Span {
    let span = error_span!(parent: batch, "message", trace_id = Empty, span_id = Empty);
    span.set_attribute("messaging.message.id", record.message_id().to_owned());
    if let Some(sender) = record.sender() {
        link(&span, sender);
    }
    trace::begin(&span, None);
    span
}

fn link(span: &Span, sender: &SpanContext) {
    span.add_link(sender.clone());
}

//! Whom a batch belongs to that Lambda brought.

use opentelemetry_proto::tonic::trace::v1::Span;
use tracing::error_span;

use super::{RecordingQueue, handle, record};
use crate::{
    otlp::tests::{Collector, SPAN, TRACE, traceparent},
    trace,
};

const LAMBDA: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";

/// The spans of an invocation and of the batch that it brought, whose first message names its
/// sender by `attribute`.
async fn spans(header: &str, attribute: &str) -> [Span; 2] {
    let collector = Collector::start().await;
    let mut records = [record("1", "a", 1, "body"), record("2", "b", 1, "body")];
    records[0]["messageAttributes"][attribute] = serde_json::json!({
        "dataType": "String", "stringValue": traceparent(SPAN),
    });
    let span = error_span!("invocation");
    let invoker = trace::begin_invocation(&span, Some(header));
    let queue = RecordingQueue::new(true);
    trace::invoked_by(invoker, handle(&queue, &records)).await.unwrap();
    drop(span);
    let spans = collector.spans().await;
    let find = |name: &str| spans.iter().find(|span| span.name == name).cloned().unwrap();
    [find("invocation"), find("process queue")]
}

#[tokio::test]
async fn a_batch_whose_senders_are_unknown_is_a_child_of_its_invocation() {
    let [invocation, batch] = spans(LAMBDA, "other").await;
    assert_eq!(hex::encode(&batch.trace_id), "5759e988bd862e3fe1be46a994272793");
    assert_eq!(batch.parent_span_id, invocation.span_id);
    assert_eq!(hex::encode(&invocation.parent_span_id), "53995c3f42cd8ad8");
}

#[tokio::test]
async fn a_sender_comes_before_the_invocation() {
    let [invocation, batch] = spans(LAMBDA, "traceparent").await;
    assert_ne!(batch.trace_id, invocation.trace_id);
    assert_eq!(hex::encode(&batch.links[0].trace_id), TRACE);
}

#[tokio::test]
async fn a_trace_that_lambda_does_not_sample_silences_nobody() {
    let [invocation, batch] = spans(&LAMBDA.replace("Sampled=1", "Sampled=0"), "other").await;
    assert!(invocation.parent_span_id.is_empty());
    assert_eq!(batch.parent_span_id, invocation.span_id);
}

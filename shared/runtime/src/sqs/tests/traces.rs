//! Whom a batch's spans belong to, as a collector receives them.

use std::collections::HashSet;

use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind};

use super::{Running, acks, standard};
use crate::{
    otlp::tests::{Collector, SPAN, TRACE, traceparent},
    sqs::{Config, simulation::SimulatedQueue},
};

/// The spans of one batch that brought `bodies`: its own, then its messages'.
async fn spans(bodies: &[String]) -> (Span, Vec<Span>) {
    let collector = Collector::start().await;
    let config = Config { queue_batch_wait_ms: 50, ..Config::for_test() };
    let queue = standard(&config);
    for body in bodies {
        queue.send("", body);
    }
    let running = Running::start(&queue, &config, async |batch| acks(&batch));
    running.until(SimulatedQueue::is_empty).await;
    running.stop().await;
    let (batch, messages): (Vec<_>, Vec<_>) =
        collector.spans().await.into_iter().partition(|span| span.name == "process queue");
    assert_eq!((batch.len(), messages.len()), (1, bodies.len()));
    (batch.into_iter().next().unwrap(), messages)
}

fn links(span: &Span) -> HashSet<String> {
    let link = |link: &opentelemetry_proto::tonic::trace::v1::span::Link| {
        assert_eq!(hex::encode(&link.trace_id), TRACE);
        hex::encode(&link.span_id)
    };
    span.links.iter().map(link).collect()
}

#[tokio::test]
async fn a_batch_of_one_is_a_child_of_its_sender() {
    let (batch, messages) = spans(&[traceparent(SPAN)]).await;
    assert_eq!(
        (hex::encode(&batch.trace_id), hex::encode(&batch.parent_span_id)),
        (TRACE.into(), SPAN.into())
    );
    assert_eq!(batch.kind(), SpanKind::Consumer);
    assert!(batch.links.is_empty());
    assert_eq!(messages[0].parent_span_id, batch.span_id);
    assert_eq!(links(&messages[0]), HashSet::from([SPAN.to_owned()]));
}

#[tokio::test]
async fn a_batch_of_several_is_linked_to_each_sender_and_each_message_to_its_own() {
    let senders = ["1111111111111111", "2222222222222222"];
    let bodies: Vec<_> = senders.map(traceparent).into_iter().chain(["no trace".into()]).collect();
    let (batch, messages) = spans(&bodies).await;
    assert!(batch.parent_span_id.is_empty() && hex::encode(&batch.trace_id) != TRACE);
    assert_eq!(links(&batch), HashSet::from(senders.map(str::to_owned)));
    for message in &messages {
        assert_eq!(message.parent_span_id, batch.span_id);
        assert_eq!(message.trace_id, batch.trace_id);
    }
    let links: Vec<_> = messages.iter().map(links).collect();
    let expected = senders.map(|sender| HashSet::from([sender.to_owned()]));
    assert_eq!(links, [expected[0].clone(), expected[1].clone(), HashSet::new()]);
}

#[tokio::test]
async fn a_rejected_message_has_its_span_too() {
    let (batch, messages) = spans(&["bad".to_owned()]).await;
    assert!(batch.parent_span_id.is_empty());
    let verdict = |span: &Span| {
        let attributes = span.attributes.iter();
        let text: Vec<_> = attributes.map(|attribute| format!("{attribute:?}")).collect();
        text.concat()
    };
    let verdict = verdict(&messages[0]);
    assert!(verdict.contains("reject") && verdict.contains("malformed"), "{verdict}");
}

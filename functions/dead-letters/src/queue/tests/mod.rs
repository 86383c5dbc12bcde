//! The bounds of a read, what becomes of messages that SQS does not release, and queues that may not be
//! read: against a server that does what no test can make the real one do.

mod endless;

use std::ops::ControlFlow;
use std::time::Duration;

use super::limits::Limits;
use super::list::list;
use super::peek::peek_within;
use super::*;
use endless::{Endless, Releases};

const LONG: Duration = Duration::from_mins(1);

async fn peeked(sqs: &Endless, limits: Limits) -> anyhow::Result<Peeked> {
    let queue = Queue::new(&sqs.client, &format!("{}/1/dlq", sqs.url), &HashMap::new());
    let mut interrupt = Interrupt::listen()?;
    let mut shown = 0;
    let peeked = peek_within(limits, &queue, &mut interrupt, |_| {
        shown += 1;
        Ok(ControlFlow::Continue(()))
    });
    let peeked = peeked.await?;
    assert_eq!(peeked.read, shown);
    Ok(peeked)
}

#[tokio::test]
async fn no_more_messages_are_in_flight_than_allowed() {
    let sqs = Endless::start(Releases::All).await;
    let peeked = peeked(&sqs, Limits { in_flight: 95, reading: LONG }).await.unwrap();
    assert_eq!(peeked, Peeked { read: 90, end: End::Full });
    assert_eq!((sqs.most_in_flight(), sqs.in_flight()), (90, 0));
}

#[tokio::test]
async fn a_read_ends_after_its_time() {
    let sqs = Endless::start(Releases::All).await;
    let limits = Limits { in_flight: usize::MAX, reading: Duration::from_millis(50) };
    let Peeked { read, end } = peeked(&sqs, limits).await.unwrap();
    assert_eq!((end, sqs.in_flight()), (End::OutOfTime, 0));
    assert_eq!(read, sqs.most_in_flight());
}

#[tokio::test]
async fn what_sqs_does_not_release_is_released_again() {
    let sqs = Endless::start(Releases::AfterOneFailure).await;
    let limits = Limits { in_flight: 35, reading: LONG };
    assert_eq!(peeked(&sqs, limits).await.unwrap().read, 30);
    assert_eq!(sqs.in_flight(), 0);
}

#[tokio::test]
async fn what_cannot_be_released_is_an_error_that_says_how_long_it_lasts() {
    let sqs = Endless::start(Releases::None).await;
    let error = peeked(&sqs, Limits { in_flight: 35, reading: LONG }).await.unwrap_err();
    let error = format!("{error:#}");
    assert!(error.contains("in 5 minutes at the latest"), "{error}");
    assert!(error.contains("does not release 30 of them"), "{error}");
}

#[tokio::test]
async fn a_queue_that_may_not_be_read_hides_no_other() {
    let sqs = Endless::start(Releases::All).await;
    let listed = list(&sqs.client).await.unwrap();
    assert_eq!(listed.denied, 1);
    let found: Vec<_> = listed.found.iter().map(|found| found.queue.name.as_str()).collect();
    assert_eq!(found, ["dlq"]);
    assert_eq!(listed.found[0].sources, ["another", "orders"]);
}

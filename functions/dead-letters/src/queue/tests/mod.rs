//! The bounds of a read, what becomes of messages that SQS does not release, and queues that may not be
//! read: against a server that does what no test can make the real one do.

mod endless;

use std::ops::ControlFlow;
use std::time::Duration;

use tokio::time::sleep;

use super::limits::Limits;
use super::list::list;
use super::peek::peek_within;
use super::*;
use crate::output::Progress;
use endless::{Endless, Releases};

/// A read that takes as long as it takes.
const LONG: Limits = Limits {
    in_flight: usize::MAX,
    reading: Duration::from_mins(1),
    visibility: Duration::from_mins(1),
};

async fn peeked(sqs: &Endless, limits: Limits) -> anyhow::Result<Peeked> {
    let queue = Queue::new(&sqs.client, &format!("{}/1/dlq", sqs.url), &HashMap::new());
    let mut interrupt = Interrupt::listen()?;
    let mut shown = 0;
    let progress = &Progress::hidden();
    let peeked = peek_within(limits, &queue, progress, &mut interrupt, |_| {
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
    let peeked = peeked(&sqs, Limits { in_flight: 95, ..LONG }).await.unwrap();
    assert_eq!(peeked, Peeked { read: 90, end: End::Full });
    assert_eq!((sqs.most_in_flight(), sqs.in_flight()), (90, 0));
}

#[tokio::test]
async fn a_read_ends_after_its_time() {
    let sqs = Endless::start(Releases::All).await;
    let limits = Limits { reading: Duration::from_millis(50), ..LONG };
    let Peeked { read, end } = peeked(&sqs, limits).await.unwrap();
    assert_eq!((end, sqs.in_flight()), (End::OutOfTime, 0));
    assert_eq!(read, sqs.most_in_flight());
}

#[tokio::test]
async fn what_sqs_does_not_release_is_released_again() {
    let sqs = Endless::start(Releases::AfterOneFailure).await;
    let limits = Limits { in_flight: 35, ..LONG };
    assert_eq!(peeked(&sqs, limits).await.unwrap().read, 30);
    assert_eq!(sqs.in_flight(), 0);
}

#[tokio::test]
async fn what_cannot_be_released_is_an_error_that_says_how_long_it_lasts() {
    let sqs = Endless::start(Releases::None).await;
    let error = peeked(&sqs, Limits { in_flight: 35, ..LONG }).await.unwrap_err();
    let error = format!("{error:#}");
    assert!(error.contains("in 1 minutes at the latest"), "{error}");
    assert!(error.contains("does not release 30 of them"), "{error}");
}

#[tokio::test]
async fn a_release_takes_longer_than_messages_are_invisible_and_what_waits_is_held() {
    let sqs = Endless::start(Releases::Slowly(Duration::from_millis(400))).await;
    let limits = Limits { in_flight: 800, visibility: Duration::from_secs(4), ..LONG };
    let peeked = peeked(&sqs, limits).await.unwrap();
    assert_eq!(peeked, Peeked { read: 800, end: End::Full });
    assert_eq!(sqs.taken_back(), 0);
    assert!(sqs.extensions() > 0, "what waits for its release is held");
}

#[tokio::test]
async fn what_is_held_for_long_is_held_still_while_others_are_read() {
    let sqs = Endless::start(Releases::Slowly(Duration::from_millis(300))).await;
    let queue = Queue::new(&sqs.client, &format!("{}/1/dlq", sqs.url), &HashMap::new());
    let limits = Limits { in_flight: 400, visibility: Duration::from_secs(4), ..LONG };
    let mut intake = Intake::new(&queue, limits);
    while !matches!(intake.next(true).await.unwrap(), Page::Full) {}
    let enough = async {
        while sqs.extensions() < 3 * LANES {
            sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        _ = intake.next(false) => panic!("nothing more is received"),
        () = enough => (),
    }
    assert!(sqs.most_changes() <= LANES, "{} at a time", sqs.most_changes());
    intake.release(&Progress::hidden()).await.unwrap();
    assert_eq!(sqs.taken_back(), 0);
}

#[tokio::test]
async fn a_request_without_an_answer_is_repeated() {
    let sqs = Endless::start(Releases::AfterOneError).await;
    let limits = Limits { in_flight: 800, ..LONG };
    assert_eq!(peeked(&sqs, limits).await.unwrap().read, 800);
    assert_eq!((sqs.in_flight(), sqs.releases_begun()), (0, 81));
}

#[tokio::test]
async fn a_release_ends_when_nothing_has_an_answer() {
    let sqs = Endless::start(Releases::Errors).await;
    let error = peeked(&sqs, Limits { in_flight: 800, ..LONG }).await.unwrap_err();
    assert!(format!("{error:#}").contains("AccessDenied"), "{error:?}");
    assert!(sqs.releases_begun() < 40, "{} requests", sqs.releases_begun());
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

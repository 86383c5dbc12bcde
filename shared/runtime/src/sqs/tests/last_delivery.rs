//! What a handler knows of messages at their last delivery, while they are kept and when they are not.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::ensure;
use tokio::time::{Instant, sleep};

use super::{Running, standard};
use crate::{
    health::Dependencies,
    sqs::{BatchHandler, Config, Delivery, Reject, Retry, Verdict, simulation::SimulatedQueue},
};

const OUTAGE: Duration = Duration::from_mins(30);

/// A notification or an end of a message, and when it came.
#[derive(Debug, Clone, PartialEq)]
enum Event {
    LastDelivery { until: Instant },
    Handled,
    DeadLettered,
}

/// Is unavailable until `back`; notes what becomes of the message `followed`.
#[derive(Clone)]
struct Observer {
    back: Instant,
    events: Arc<Mutex<Vec<(Instant, Event)>>>,
}

impl Observer {
    fn note(&self, bodies: impl IntoIterator<Item = String>, event: Event) {
        if bodies.into_iter().any(|body| body == "followed") {
            self.events.lock().unwrap().push((Instant::now(), event));
        }
    }
}

fn bodies(messages: &[Delivery]) -> Vec<String> {
    messages.iter().map(|message| message.body().to_owned()).collect()
}

impl BatchHandler for Observer {
    type Message = String;

    fn decode(&self, delivery: &Delivery) -> Result<String, Reject> {
        Ok(delivery.body().to_owned())
    }

    async fn handle(&self, batch: Vec<String>) -> Vec<Verdict> {
        let count = batch.len();
        self.note(batch, Event::Handled);
        let is_back = Instant::now() >= self.back;
        let verdict = if is_back { Verdict::Ack } else { Retry::unavailable("down", "").into() };
        vec![verdict; count]
    }

    async fn last_delivery(&self, messages: Vec<Delivery>, over: Duration) {
        let until = Instant::now() + over;
        self.note(bodies(&messages), Event::LastDelivery { until });
    }

    async fn dead_lettered(&self, messages: Vec<Delivery>) {
        self.note(bodies(&messages), Event::DeadLettered);
    }
}

/// What is noted of the second of two messages of a group that allows one delivery.
async fn events(back: Instant, is_checked: bool) -> Vec<(Instant, Event)> {
    let config = Config::for_test();
    let queue = SimulatedQueue::new(&config, true, 1);
    queue.send("group", "first");
    queue.send("group", "followed");
    let observer = Observer { back, events: Arc::default() };
    let dependencies = Dependencies::default();
    dependencies.declare("database", false, move || async move {
        ensure!(!is_checked || Instant::now() >= back, "connection refused");
        anyhow::Ok(())
    });
    let running = Running::start_needing(&queue, &config, observer.clone(), dependencies);
    running.until(|queue| queue.receive_counts().is_empty()).await;
    sleep(OUTAGE).await;
    running.stop().await;
    observer.events.lock().unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn while_an_outage_lasts_the_delivery_of_what_is_kept_is_never_over() {
    let begun = Instant::now();
    let events = events(begun + OUTAGE, true).await;
    let (handled, notified): (Vec<_>, Vec<_>) =
        events.into_iter().partition(|(_, event)| *event == Event::Handled);
    let [(handled, _)] = handled[..] else { panic!("{handled:?}") };
    let mut until = begun + Duration::from_secs(1);
    for (at, event) in &notified {
        let Event::LastDelivery { until: next } = event else { panic!("{event:?}") };
        assert!(*at <= until && *at <= handled, "{notified:?}");
        until = *next;
    }
    assert!(begun + OUTAGE <= handled && handled <= until, "{notified:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_given_up_is_a_dead_letter_and_its_delivery_lasts_no_longer() {
    let events = events(Instant::now() + OUTAGE, false).await;
    assert!(matches!(events[0], (_, Event::LastDelivery { .. })), "{events:?}");
    assert!(matches!(events.last(), Some((_, Event::DeadLettered))), "{events:?}");
}

#[tokio::test(start_paused = true)]
async fn of_a_message_that_comes_again_no_handler_is_notified() {
    let config = Config::for_test();
    let queue = standard(&config);
    queue.send("", "followed");
    let observer = Observer { back: Instant::now(), events: Arc::default() };
    let running = Running::start_with(&queue, &config, observer.clone());
    running.until(|queue| queue.receive_counts().is_empty()).await;
    running.stop().await;
    let events = observer.events.lock().unwrap();
    assert!(matches!(events[..], [(_, Event::Handled)]), "{events:?}");
}

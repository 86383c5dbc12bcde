//! The shape of a handler that takes one message at a time.

use std::{
    future::pending,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::sleep;

use super::{Running, standard};
use crate::sqs::{
    Config, Delivery, Each, Handler, Reject, Retry, Verdict, simulation::SimulatedQueue,
};

type Seen = Arc<Mutex<Vec<String>>>;

/// Does what a message says at its first delivery, acks at the second, and keeps a log of the acks.
#[derive(Default)]
struct Obedient {
    begun: Seen,
    acked: Seen,
}

impl Handler for Obedient {
    type Message = (String, u32);

    fn decode(&self, delivery: &Delivery) -> Result<Self::Message, Reject> {
        Ok((delivery.body().to_owned(), delivery.attempt()))
    }

    async fn handle(&self, (body, delivery): Self::Message) -> Verdict {
        self.begun.lock().unwrap().push(body.clone());
        let order = body.split(' ').next().unwrap();
        match order {
            "panic" if delivery == 1 => panic!("as the body says"),
            "hang" if delivery == 1 => pending().await,
            "retry" if delivery == 1 => Retry::new("scripted", "").after(Duration::ZERO).into(),
            "reject" => Reject::new("scripted", "").into(),
            _ => {
                sleep(Duration::from_millis(100)).await;
                self.acked.lock().unwrap().push(body);
                Verdict::Ack
            }
        }
    }
}

fn start(queue: &SimulatedQueue, config: &Config) -> (Running, Seen, Seen) {
    let handler = Obedient::default();
    let (begun, acked) = (Arc::clone(&handler.begun), Arc::clone(&handler.acked));
    (Running::start_with(queue, config, Each::new(handler)), begun, acked)
}

#[tokio::test(start_paused = true)]
async fn what_happens_to_one_message_happens_to_no_other() {
    let config = Config::for_test();
    let queue = standard(&config);
    for body in ["panic", "hang", "retry", "reject", "ack 1", "ack 2"] {
        queue.send("group", body);
    }
    let (running, begun, acked) = start(&queue, &config);
    running.until(|queue| queue.dead_letters().len() == 1).await;
    running.until(SimulatedQueue::is_empty).await;
    assert_eq!(queue.dead_letters(), [("reject".to_owned(), "scripted".to_owned())]);
    let count = |body: &str| begun.lock().unwrap().iter().filter(|begun| *begun == body).count();
    let counts = ["panic", "hang", "retry", "reject", "ack 1", "ack 2"].map(count);
    assert_eq!(counts, [2, 2, 2, 1, 1, 1]);
    assert_eq!(acked.lock().unwrap().len(), 5);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn after_a_retry_the_rest_of_its_group_is_not_begun() {
    for trouble in ["panic", "hang", "retry"] {
        let config = Config::for_test();
        let queue = SimulatedQueue::new(&config, true, 5);
        for body in ["ack 1", trouble, "ack 2", "ack 3"] {
            queue.send("group", body);
        }
        queue.send("other", "ack 4");
        let (running, begun, acked) = start(&queue, &config);
        running.until(SimulatedQueue::is_empty).await;
        let group = |seen: &Seen| -> Vec<String> {
            seen.lock().unwrap().iter().filter(|body| *body != "ack 4").cloned().collect()
        };
        assert_eq!(group(&begun), ["ack 1", trouble, trouble, "ack 2", "ack 3"]);
        assert_eq!(group(&acked), ["ack 1", trouble, "ack 2", "ack 3"]);
        running.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_messages_are_handled_at_a_time_than_allowed() {
    let config = Config { queue_receivers: 1, queue_concurrency: 1, ..Config::for_test() };
    let queue = standard(&config);
    for _ in 0..8 {
        queue.send("", "ack");
    }
    let handler = Obedient::default();
    let begun = Arc::clone(&handler.begun);
    let running = Running::start_with(&queue, &config, Each::new(handler).at_a_time(3));
    sleep(Duration::from_millis(50)).await;
    assert_eq!(begun.lock().unwrap().len(), 3);
    sleep(Duration::from_millis(100)).await;
    assert_eq!(begun.lock().unwrap().len(), 6);
    running.until(SimulatedQueue::is_empty).await;
    running.stop().await;
}

//! What becomes of messages, by verdict and by mishap.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use futures::future::BoxFuture;
use tokio::time::{Instant, sleep};

use super::{Respond, Running, acks, standard};
use crate::sqs::{Config, Reject, Retry, Verdict, simulation::SimulatedQueue};

/// Responds to the first `batches` batches with `first`, then acks.
fn at_first<F>(
    batches: usize,
    first: impl Fn(Vec<String>) -> F + Send + Sync + 'static,
) -> impl Fn(Vec<String>) -> BoxFuture<'static, Vec<Verdict>> + Send + Sync
where
    F: Future<Output = Vec<Verdict>> + Send + 'static,
{
    let calls = AtomicUsize::new(0);
    move |batch| {
        if calls.fetch_add(1, SeqCst) < batches {
            Box::pin(first(batch))
        } else {
            Box::pin(async move { acks(&batch) })
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_bad_record_is_dead_lettered_alone() {
    let config = Config::for_test();
    let queue = standard(&config);
    for body in ["good", "bad", "boom", "better"] {
        queue.send("", body);
    }
    let running = Running::start(&queue, &config, async |batch| {
        assert_eq!(batch, ["good", "better"]);
        acks(&batch)
    });
    running.until(SimulatedQueue::is_empty).await;
    let dead = [("bad", "malformed"), ("boom", "decoder_panicked")];
    assert_eq!(
        queue.dead_letters(),
        dead.map(|(body, reason)| (body.to_owned(), reason.to_owned()))
    );
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_last_delivery_turns_a_retry_into_a_dead_letter_with_its_reason() {
    let config = Config::for_test();
    let queue = standard(&config);
    queue.send("", "never");
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&calls);
    let running = Running::start(&queue, &config, move |batch| {
        counter.fetch_add(1, SeqCst);
        async move { vec![Retry::new("database_unavailable", "").into(); batch.len()] }
    });
    running.until(SimulatedQueue::is_empty).await;
    assert_eq!(queue.dead_letters(), [("never".to_owned(), "database_unavailable".to_owned())]);
    assert_eq!(calls.load(SeqCst), 3, "as often as the queue allows");
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn whatever_a_handler_does_wrong_is_a_retry() {
    let panics = at_first(1, async |_| panic!("oops"));
    let hangs = at_first(1, |_| pending());
    let miscounts = at_first(1, async |_| Vec::new());
    let responses: [Box<Respond>; 3] = [Box::new(panics), Box::new(hangs), Box::new(miscounts)];
    for respond in responses {
        let config = Config::for_test();
        let queue = standard(&config);
        queue.send("", "message");
        let running = Running::start(&queue, &config, respond);
        running.until(SimulatedQueue::is_empty).await;
        assert!(queue.dead_letters().is_empty());
        running.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_batch_spoils_no_other() {
    let config = Config { queue_batch_size: 1, ..Config::for_test() };
    let queue = standard(&config);
    queue.send("", "hangs");
    queue.send("", "works");
    let running = Running::start(&queue, &config, async |batch| {
        if batch == ["hangs"] {
            pending::<()>().await;
        }
        acks(&batch)
    });
    let begun = Instant::now();
    running.until(|queue| queue.invisible() + queue.visible() == 1).await;
    assert!(begun.elapsed() < config.handler_timeout(), "it did not wait for its neighbour");
    running.until(SimulatedQueue::is_empty).await;
    assert_eq!(queue.dead_letters(), [("hangs".to_owned(), "handler_timed_out".to_owned())]);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_failed_delete_is_tried_again() {
    let config = Config::for_test();
    let queue = standard(&config);
    queue.state().failing_deletes.store(2, SeqCst);
    queue.send("", "message");
    let handled = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&handled);
    let running = Running::start(&queue, &config, move |batch| {
        counter.fetch_add(1, SeqCst);
        async move { acks(&batch) }
    });
    running.until(SimulatedQueue::is_empty).await;
    assert_eq!(handled.load(SeqCst), 1);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn while_nothing_can_be_deleted_what_is_done_is_kept_and_costs_no_delivery() {
    for fifo in [false, true] {
        let config = Config::for_test();
        let queue = SimulatedQueue::new(&config, fifo, 3);
        queue.state().failing_deletes.store(usize::MAX, SeqCst);
        (0..1_000).for_each(|number| queue.send(&format!("{}", number % 50), &number.to_string()));
        let handled = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&handled);
        let running = Running::start(&queue, &config, move |batch| {
            counter.fetch_add(batch.len(), SeqCst);
            async move { acks(&batch) }
        });
        sleep(Duration::from_mins(30)).await;
        assert!(queue.receive_counts().iter().all(|count| *count <= 1), "fifo: {fifo}");
        queue.state().failing_deletes.store(0, SeqCst);
        sleep(Duration::from_mins(1)).await;
        assert!(queue.is_empty(), "fifo: {fifo}");
        assert_eq!(handled.load(SeqCst), 1_000, "once each");
        running.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_that_cannot_be_sent_keeps_its_message() {
    let config = Config::for_test();
    let queue = standard(&config);
    queue.state().failing_dead_letters.store(3, SeqCst);
    queue.send("", "bad");
    let running = Running::start(&queue, &config, async |batch| acks(&batch));
    sleep(Duration::from_secs(1)).await;
    assert!(queue.dead_letters().is_empty() && !queue.is_empty());
    running.until(SimulatedQueue::is_empty).await;
    assert_eq!(queue.dead_letters(), [("bad".to_owned(), "malformed".to_owned())]);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_that_cannot_be_sent_holds_its_group_back() {
    let config = Config::for_test();
    let queue = SimulatedQueue::new(&config, true, 3);
    queue.state().failing_dead_letters.store(3, SeqCst);
    queue.send("group", "bad");
    queue.send("group", "next");
    let running = Running::start(&queue, &config, async |batch| acks(&batch));
    running.until(|queue| queue.state().failing_dead_letters.load(SeqCst) == 0).await;
    sleep(Duration::from_millis(100)).await;
    assert_eq!(queue.invisible() + queue.visible(), 2, "the second waits for the first");
    running.until(SimulatedQueue::is_empty).await;
    assert_eq!(queue.dead_letters(), [("bad".to_owned(), "malformed".to_owned())]);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_that_is_refused_for_its_size_says_less_and_harms_no_neighbour() {
    let config = Config { queue_batch_wait_ms: 50, ..Config::for_test() };
    let queue = standard(&config);
    queue.state().longest_dead_letter.store(1_100, SeqCst);
    let (large, larger) = ("x".repeat(1_060), "y".repeat(1_095));
    for body in ["small", &large, &larger] {
        queue.send("", body);
    }
    let running = Running::start(&queue, &config, async |batch| {
        let refused = || Reject::new("refused", "a long explanation".repeat(20)).into();
        batch.iter().map(|_| refused()).collect()
    });
    running.until(SimulatedQueue::is_empty).await;
    running.stop().await;
    let state = queue.state();
    let mut dead = state.dead_letters.lock().unwrap().clone();
    dead.sort_by_key(|dead_letter| dead_letter.body.len());
    let said = dead.iter().map(|dead_letter| {
        let details = dead_letter.attributes.contains_key("DeadLetter");
        let reason =
            dead_letter.attributes.get("DeadLetterReason").and_then(|it| it.string_value());
        (details, reason.or(dead_letter.group_id.as_deref()).unwrap())
    });
    assert_eq!(
        said.collect::<Vec<_>>(),
        [(true, "refused"), (false, "refused"), (false, "refused")]
    );
}

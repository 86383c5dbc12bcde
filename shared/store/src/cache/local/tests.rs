//! Who loads, who waits, and what is kept.

use std::pin::Pin;
use std::sync::atomic::AtomicUsize;

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::join_all;
use tokio::sync::oneshot;
use tokio::task::yield_now;

use super::*;

const TTL: Duration = Duration::from_mins(1);

fn trusted(entries: u32) -> Local {
    let local = Local::new(entries);
    local.trust_until(Instant::now() + Duration::from_hours(1));
    local
}

fn body(version: i64, length: usize) -> TaskBody {
    TaskBody { version, json: Bytes::from(vec![b'x'; length]) }
}

fn version(version: i64) -> Filled {
    Filled { answer: Ok(Some(body(version, 100))), source: Source::Redis, ttl: Some(TTL) }
}

/// What is answered under `key`, if Redis would answer `filled` at once.
async fn get(local: &Local, key: &str, filled: Filled) -> (Option<i64>, Source) {
    let (answer, source) = local.get(key, async { filled }).await;
    (answer.unwrap().map(|task| task.version), source)
}

/// Begins what cannot end yet.
fn begin(future: Pin<&mut impl Future>) {
    assert!(future.now_or_never().is_none());
}

#[tokio::test]
async fn what_was_answered_is_kept_and_is_the_same_bytes() {
    let local = trusted(10);
    let (first, _) = local.get("a", async { version(1) }).await;
    let (second, source) = local.get("a", async { version(2) }).await;
    let (first, second) = (first.unwrap().unwrap(), second.unwrap().unwrap());
    assert_eq!((source, second.version), (Source::Local, 1));
    assert_eq!(first.json.as_ptr(), second.json.as_ptr());
}

#[tokio::test]
async fn a_hundred_concurrent_reads_load_once_with_and_without_room() {
    for local in [trusted(10), Local::new(0)] {
        let loads = AtomicUsize::new(0);
        let load = || async {
            loads.fetch_add(1, Ordering::SeqCst);
            yield_now().await;
            version(1)
        };
        let answers = join_all((0..100).map(|_| local.get("a", load()))).await;
        assert_eq!(loads.into_inner(), 1);
        let local = answers.iter().filter(|(_, source)| *source == Source::Local).count();
        assert_eq!(local, 99);
        assert!(answers.iter().all(|(answer, _)| answer.as_ref().unwrap().is_some()));
    }
}

#[tokio::test]
async fn an_answer_that_is_overtaken_by_word_of_a_change_reaches_who_waits_and_is_not_kept() {
    let local = trusted(10);
    let (answer, answered) = oneshot::channel();
    let mut first = pin!(local.get("a", async { answered.await.unwrap() }));
    begin(first.as_mut());
    let mut waiting = pin!(get(&local, "a", version(9)));
    begin(waiting.as_mut());

    local.remove("a");
    // A reader after the invalidation loads again.
    assert_eq!(get(&local, "a", version(2)).await, (Some(2), Source::Redis));
    answer.send(version(1)).ok().unwrap();
    assert_eq!(first.await.1, Source::Redis);
    assert_eq!(waiting.await, (Some(1), Source::Local));
    assert_eq!(get(&local, "a", version(3)).await, (Some(2), Source::Local), "the later is kept");
}

#[tokio::test]
async fn an_answer_that_is_overtaken_by_a_loss_of_everything_is_not_kept() {
    let lose: [fn(&Local); 2] = [Local::clear, |local| {
        local.distrust();
        local.trust_until(Instant::now() + TTL);
    }];
    for lose in lose {
        let local = trusted(10);
        let (answer, answered) = oneshot::channel();
        let mut first = pin!(local.get("a", async { answered.await.unwrap() }));
        begin(first.as_mut());
        lose(&local);
        answer.send(version(1)).ok().unwrap();
        first.await.0.unwrap();
        assert_eq!(get(&local, "a", version(2)).await, (Some(2), Source::Redis));
    }
}

#[tokio::test]
async fn when_a_loading_reader_gives_up_the_next_loads_and_the_others_wait_on() {
    let local = trusted(10);
    let mut waiting: Vec<_> = {
        let mut first = pin!(local.get("a", std::future::pending()));
        begin(first.as_mut());
        let mut waiting: Vec<_> = (0..3).map(|_| Box::pin(get(&local, "a", version(1)))).collect();
        for one in &mut waiting {
            begin(one.as_mut());
        }
        waiting
    };
    // One that was to take over gives up, too.
    drop(waiting.pop());
    let answers = join_all(waiting).await;
    assert!(answers.iter().all(|(version, _)| *version == Some(1)), "{answers:?}");
}

#[tokio::test]
async fn a_failure_is_everyones_and_nobodys_afterwards() {
    let local = trusted(10);
    let failure = || async {
        yield_now().await;
        let answer = Err(ReadError::from(sqlx::Error::PoolTimedOut));
        Filled { answer, source: Source::Database, ttl: None }
    };
    let answers = join_all((0..3).map(|_| local.get("a", failure()))).await;
    assert!(answers.iter().all(|(answer, _)| answer.is_err()));
    assert_eq!(get(&local, "a", version(1)).await, (Some(1), Source::Redis));
}

#[tokio::test(start_paused = true)]
async fn a_late_reader_of_a_slow_answer_loads_again() {
    let local = trusted(10);
    let (answer, answered) = oneshot::channel();
    let mut first = pin!(local.get("a", async { answered.await.unwrap() }));
    assert!(timeout(JOINABLE + Duration::from_millis(1), &mut first).await.is_err());
    assert_eq!(get(&local, "a", version(2)).await, (Some(2), Source::Redis));
    answer.send(version(1)).ok().unwrap();
    assert_eq!(first.await.0.unwrap().unwrap().version, 1);
    assert_eq!(get(&local, "a", version(3)).await, (Some(2), Source::Local));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_believed_without_a_sign_of_life_and_nothing_for_longer_than_redis_would() {
    let local = Local::new(10);
    assert_eq!(get(&local, "a", version(1)).await.1, Source::Redis);
    assert_eq!(get(&local, "a", version(1)).await.1, Source::Redis, "it was never trusted");

    let second = Duration::from_secs(1);
    local.trust_until(Instant::now() + second);
    assert_eq!(get(&local, "a", version(1)).await.1, Source::Redis);
    assert_eq!(get(&local, "a", version(1)).await.1, Source::Local);
    tokio::time::advance(second).await;
    assert_eq!(get(&local, "a", version(2)).await, (Some(2), Source::Redis));

    local.trust_until(Instant::now() + TTL * 2);
    assert_eq!(get(&local, "a", version(3)).await, (Some(3), Source::Redis));
    assert_eq!(get(&local, "a", version(4)).await, (Some(3), Source::Local));
    tokio::time::advance(TTL).await;
    assert_eq!(get(&local, "a", version(5)).await, (Some(5), Source::Redis));
}

#[tokio::test]
async fn what_redis_did_not_answer_is_not_kept() {
    let local = trusted(10);
    for _ in 0..2 {
        let miss = Filled { source: Source::Database, ttl: None, ..version(1) };
        assert_eq!(get(&local, "a", miss).await, (Some(1), Source::Database));
    }
}

#[tokio::test]
async fn entries_and_bytes_are_bounded() {
    let local = trusted(100);
    for number in 0..1_000 {
        get(&local, &number.to_string(), version(1)).await;
    }
    assert!((50..=100).contains(&local.0.entries.len()), "{local:?}");
    for number in 0..1_000 {
        let large = Filled { answer: Ok(Some(body(1, 20_000))), ..version(1) };
        get(&local, &format!("large {number}"), large).await;
    }
    let kept: usize = local.0.entries.iter().map(|(_, entry)| length(&entry)).sum();
    assert!(kept <= 100 * 2_048, "{kept} bytes");
}

fn length(entry: &Entry) -> usize {
    entry.answer.as_ref().unwrap().as_ref().map_or(0, |task| task.json.len())
}

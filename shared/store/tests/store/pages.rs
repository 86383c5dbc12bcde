//! Pages of lists in Redis: found again until their tenant's tasks change.

use std::time::Duration;

use domain::Status;
use redis::AsyncCommands as _;
use serde_json::Value;
use store::{Filter, Freshness, Sort, Source};

use crate::cached::Cached;
use crate::fixture::{complete, create, incoming, new_task, rename};
use crate::outbox::pending;

const GENERATION: &str = "list:v2:{acme}";

impl Cached {
    /// The titles on the first page, and where it came from.
    async fn titles(&self, filter: &Filter) -> (Vec<String>, Source) {
        self.titles_of(filter, Freshness::Recent).await
    }

    async fn titles_of(&self, filter: &Filter, freshness: Freshness) -> (Vec<String>, Source) {
        let start = Sort::default().into();
        let found = self.fixture.reader.page(&self.tenant, filter, start, 10, freshness).await;
        let (page, source) = found.expect("a page");
        let tasks: Vec<Value> = serde_json::from_str(page.tasks.get()).expect("tasks");
        let title = |task: &Value| task["title"].as_str().expect("a title").to_owned();
        (tasks.iter().map(title).collect(), source)
    }

    /// As [`titles`](Self::titles), from PostgreSQL.
    async fn current_titles(&self, filter: &Filter) -> (Vec<String>, Source) {
        self.titles_of(filter, Freshness::Current).await
    }

    async fn generation(&self) -> Option<String> {
        self.connection().await.get(GENERATION).await.expect("an answer")
    }
}

fn all() -> Filter {
    Filter::default()
}

fn titles(titles: &[&str], source: Source) -> (Vec<String>, Source) {
    (titles.iter().map(ToString::to_string).collect(), source)
}

#[tokio::test]
async fn a_page_is_found_again_until_a_task_changes_and_each_list_has_its_own() {
    let cached = Cached::new().await;
    assert_eq!(cached.titles(&all()).await, titles(&[], Source::Database));
    assert_eq!(cached.titles(&all()).await, titles(&[], Source::Redis));
    cached.apply("1", create("Milk")).await;
    assert_eq!(cached.titles(&all()).await, titles(&["Milk"], Source::Database));
    assert_eq!(cached.titles(&all()).await, titles(&["Milk"], Source::Redis));
    let completed = Filter { status: Some(Status::Completed), ..all() };
    assert_eq!(cached.titles(&completed).await, titles(&[], Source::Database));
    cached.apply("2", complete()).await;
    assert_eq!(cached.titles(&completed).await, titles(&["Milk"], Source::Database));
    cached.apply("3", rename("Oat milk", None)).await;
    assert_eq!(cached.titles(&all()).await, titles(&["Oat milk"], Source::Database));
}

#[tokio::test]
async fn a_page_is_the_same_from_both_and_leads_on_to_the_same_place() {
    let cached = Cached::new().await;
    cached.fixture.create_tasks(5).await;
    let mut pages = Vec::new();
    for _ in 0..2 {
        let (filter, start) = (all(), Sort::default().into());
        let found =
            cached.fixture.reader.page(&cached.tenant, &filter, start, 2, Freshness::Recent).await;
        let (page, _) = found.expect("a page");
        pages.push((page.tasks.get().to_owned(), page.next.expect("a next page")));
    }
    assert_eq!(pages[0], pages[1]);
}

#[tokio::test]
async fn a_page_that_was_read_before_a_write_is_not_found_after_it() {
    let cached = Cached::new().await;
    cached.apply("1", create("Milk")).await;
    let filter = all();
    let lock = cached.fixture.lock_tasks().await;
    let (page, ()) = tokio::join!(cached.titles(&filter), async {
        cached.fixture.are_waiting(1).await;
        // What the writer does, once it has committed.
        let other = new_task().to_string();
        let _: () = cached.connection().await.set(GENERATION, other).await.expect("set");
        lock.rollback().await.expect("unlocked");
    });
    assert_eq!(page.1, Source::Database);
    assert_eq!(cached.titles(&filter).await.1, Source::Database);
    assert_eq!(cached.titles(&filter).await.1, Source::Redis);
}

#[tokio::test]
async fn only_a_change_ends_a_page_and_each_change_once() {
    let cached = Cached::new().await;
    let outbox = cached.fixture.outbox(Duration::from_mins(1));
    let lease = outbox.lease().await.expect("a lease");
    cached.apply("1", create("Milk")).await;
    assert_eq!(cached.titles(&all()).await.1, Source::Database);
    let all_told = async || {
        let facts = pending(&outbox, &lease).await;
        assert!(outbox.published(&facts).await.expect("recorded"));
    };
    let still_there = async |what: &str| {
        assert_eq!(cached.titles(&all()).await.1, Source::Redis, "{what}");
    };
    all_told().await;
    still_there("the relay repeats what Redis has").await;
    cached.apply("1", create("Milk")).await;
    still_there("a repeat").await;
    cached.apply("2", rename("Oat milk", Some(7))).await;
    still_there("a refused command").await;
    cached.apply("3", rename("Milk", None)).await;
    still_there("a command that changes nothing").await;
    cached.evict().await;
    all_told().await;
    cached.read().await;
    still_there("a refused command's fact, and a copy that is filled").await;
    let current = cached.fixture.reader.read(&cached.tenant, cached.task, Freshness::Current);
    current.await.expect("an answer");
    still_there("a read from PostgreSQL").await;
    cached.apply("4", rename("Oat milk", None)).await;
    assert_eq!(cached.titles(&all()).await, titles(&["Oat milk"], Source::Database));
}

#[tokio::test]
async fn a_change_that_redis_missed_ends_a_page_when_it_is_repeated() {
    let cached = Cached::new().await;
    let outbox = cached.fixture.outbox(Duration::from_mins(1));
    let lease = outbox.lease().await.expect("a lease");
    cached.apply("1", create("Milk")).await;
    cached.titles(&all()).await;
    cached.miss("2", rename("Oat milk", None)).await;
    // Whoever reads the task fills its copy, but that ends no page.
    cached.evict().await;
    assert!(cached.read().await.is_some_and(|body| body.contains("Oat milk")));
    assert_eq!(cached.titles(&all()).await, titles(&["Milk"], Source::Redis));
    let facts = pending(&outbox, &lease).await;
    assert!(outbox.published(&facts).await.expect("recorded"));
    assert_eq!(cached.titles(&all()).await, titles(&["Oat milk"], Source::Database));
}

#[tokio::test]
async fn a_generation_never_comes_again_not_even_when_redis_forgot_the_last() {
    let cached = Cached::new().await;
    let mut seen = std::collections::HashSet::new();
    for id in 0..5 {
        cached.fixture.apply(vec![incoming(&id.to_string(), new_task(), create("Milk"))]).await;
        assert!(seen.insert(cached.generation().await.expect("of the write")));
        let _: () = cached.connection().await.del(GENERATION).await.expect("evicted");
        assert_eq!(cached.titles(&all()).await.1, Source::Database);
        assert!(seen.insert(cached.generation().await.expect("of the read")));
    }
}

#[tokio::test]
async fn pages_end_by_themselves_and_their_keys_show_nobody() {
    let cached = Cached::new().await;
    let filter = Filter { assignee: Some("ann".parse().expect("an assignee")), ..all() };
    cached.titles(&filter).await;
    let mut connection = cached.connection().await;
    let keys: Vec<String> = connection.keys("page:v2:{acme}:*").await.expect("keys");
    assert_eq!(keys.len(), 1);
    assert!(!keys[0].contains("ann"));
    let left: i64 = connection.pttl(&keys[0]).await.expect("a time");
    assert!((1..=60_000).contains(&left), "{left} ms");
    let left: i64 = connection.pttl(GENERATION).await.expect("a time");
    assert!(left > 60_000, "{left} ms");
}

#[tokio::test]
async fn who_wants_the_current_page_gets_it_from_postgresql_and_sets_the_copy_right() {
    let cached = Cached::new().await;
    cached.apply("1", create("Milk")).await;
    cached.titles(&all()).await;
    cached.miss("2", rename("Oat milk", None)).await;
    assert_eq!(cached.titles(&all()).await, titles(&["Milk"], Source::Redis), "Redis missed it");
    assert_eq!(cached.current_titles(&all()).await, titles(&["Oat milk"], Source::Database));
    assert_eq!(cached.titles(&all()).await, titles(&["Oat milk"], Source::Redis));
}

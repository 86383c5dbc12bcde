//! Pages of lists in Redis: found again until their tenant's tasks change.

use domain::Status;
use redis::AsyncCommands as _;
use serde_json::Value;
use store::{Filter, Sort, Source};

use crate::cached::Cached;
use crate::fixture::{complete, create, new_task, rename};

const GENERATION: &str = "list:v1:acme";

impl Cached {
    /// The titles on the first page, and where it came from.
    async fn titles(&self, filter: &Filter) -> (Vec<String>, Source) {
        let start = Sort::default().into();
        let found = self.fixture.reader.page(&self.tenant, filter, start, 10).await;
        let (page, source) = found.expect("a page");
        let tasks: Vec<Value> = serde_json::from_str(page.tasks.get()).expect("tasks");
        let title = |task: &Value| task["title"].as_str().expect("a title").to_owned();
        (tasks.iter().map(title).collect(), source)
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
    assert_eq!(cached.titles(&all()).await, titles(&[], Source::Miss));
    assert_eq!(cached.titles(&all()).await, titles(&[], Source::Hit));
    cached.apply("1", create("Milk")).await;
    assert_eq!(cached.titles(&all()).await, titles(&["Milk"], Source::Miss));
    assert_eq!(cached.titles(&all()).await, titles(&["Milk"], Source::Hit));
    let completed = Filter { status: Some(Status::Completed), ..all() };
    assert_eq!(cached.titles(&completed).await, titles(&[], Source::Miss));
    cached.apply("2", complete()).await;
    assert_eq!(cached.titles(&completed).await, titles(&["Milk"], Source::Miss));
    cached.apply("3", rename("Oat milk", None)).await;
    assert_eq!(cached.titles(&all()).await, titles(&["Oat milk"], Source::Miss));
}

#[tokio::test]
async fn a_page_is_the_same_from_both_and_leads_on_to_the_same_place() {
    let cached = Cached::new().await;
    cached.fixture.create_tasks(5).await;
    let mut pages = Vec::new();
    for _ in 0..2 {
        let (filter, start) = (all(), Sort::default().into());
        let found = cached.fixture.reader.page(&cached.tenant, &filter, start, 2).await;
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
    assert_eq!(page.1, Source::Miss);
    assert_eq!(cached.titles(&filter).await.1, Source::Miss);
    assert_eq!(cached.titles(&filter).await.1, Source::Hit);
}

#[tokio::test]
async fn a_generation_never_comes_again_not_even_when_redis_forgot_the_last() {
    let cached = Cached::new().await;
    let mut seen = std::collections::HashSet::new();
    for id in 0..5 {
        cached.apply(&id.to_string(), create("Milk")).await;
        assert!(seen.insert(cached.generation().await.expect("of the write")));
        let _: () = cached.connection().await.del(GENERATION).await.expect("forgotten");
        assert_eq!(cached.titles(&all()).await.1, Source::Miss);
        assert!(seen.insert(cached.generation().await.expect("of the read")));
    }
}

#[tokio::test]
async fn pages_end_by_themselves_and_their_keys_show_nobody() {
    let cached = Cached::new().await;
    let filter = Filter { assignee: Some("ann".parse().expect("an assignee")), ..all() };
    cached.titles(&filter).await;
    let mut connection = cached.connection().await;
    let keys: Vec<String> = connection.keys("page:v1:acme:*").await.expect("keys");
    assert_eq!(keys.len(), 1);
    assert!(!keys[0].contains("ann"));
    let left: i64 = connection.pttl(&keys[0]).await.expect("a time");
    assert!((1..=60_000).contains(&left), "{left} ms");
    let left: i64 = connection.pttl(GENERATION).await.expect("a time");
    assert!(left > 60_000, "{left} ms");
}

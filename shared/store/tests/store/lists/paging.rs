//! Pages are what the model says, while tasks are created, changed and deleted between them.

use domain::{Action, Task, TaskId, TenantId};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use store::{CommandKey, Incoming, Start};

use super::model::{Tasks, compare, fits, list};
use super::random::{Choice, change, choice, new, pick, time};
use crate::fixture::{Fixture, new_task};

/// How many tenants, each with a seed of its own.
const SEEDS: u64 = 25;
/// How many lists are read of each.
const LISTS: usize = 4;

/// A tenant in the database, and what it must have.
struct Tenant<'a> {
    fixture: &'a Fixture,
    id: TenantId,
    random: StdRng,
    tasks: Tasks,
}

impl Tenant<'_> {
    async fn apply(&mut self, task: TaskId, action: Action) {
        let key = CommandKey { source: "/test".to_owned(), id: new_task().to_string() };
        let command = domain::Command { tenant: self.id.clone(), task, action };
        let now = time(&mut self.random);
        let batch = vec![Incoming { key, command, caller: None, traceparent: None, request: None }];
        let receipts = self.fixture.writer.apply(batch, now).await.expect("applied");
        self.tasks.extend(receipts[0].task.clone().map(|task| (task.id, task)));
    }

    async fn create(&mut self) {
        let action = new(&mut self.random);
        self.apply(new_task(), action).await;
    }

    async fn change(&mut self) {
        let mut ids: Vec<_> = self.tasks.keys().copied().collect();
        ids.sort_unstable();
        let task = *pick(&mut self.random, &ids);
        let action = change(&mut self.random);
        self.apply(task, action).await;
    }

    /// Reads a whole list while the tenant changes, and compares each page with the model.
    async fn read(&mut self, choice: &Choice, limit: u16) -> Result<(), String> {
        let mut start: Start = choice.sort.into();
        let mut seen: Vec<Task> = Vec::new();
        let mut steady = list(&self.tasks, choice, None);
        loop {
            let page = self.fixture.reader.tasks(&self.id, &choice.filter, start, limit).await;
            let page = page.expect("a page");
            let mut expected = list(&self.tasks, choice, seen.last());
            let more = expected.len() > limit.into();
            expected.truncate(limit.into());
            if (&page.tasks, page.next.is_some()) != (&expected, more) {
                return Err(format!("{page:#?}\nbut {expected:#?}\nand more: {more}"));
            }
            seen.extend(page.tasks);
            let Some(next) = page.next else { break };
            start = next;
            self.create().await;
            self.change().await;
            steady.retain(|task| keeps_its_place(&self.tasks[&task.id], task, choice));
        }
        let ids = |tasks: &[Task]| tasks.iter().map(|task| task.id).collect::<Vec<_>>();
        seen.retain(|task| steady.iter().any(|one| one.id == task.id));
        if ids(&seen) == ids(&steady) { Ok(()) } else { Err("skipped or repeated".to_owned()) }
    }
}

fn keeps_its_place(now: &Task, before: &Task, choice: &Choice) -> bool {
    fits(choice, now) && compare(choice.sort, now, before).is_eq()
}

#[tokio::test]
async fn no_task_that_keeps_its_place_is_skipped_or_repeated() {
    let fixture = Fixture::new().await;
    for seed in 0..SEEDS {
        let id = format!("tenant-{seed}").parse().expect("a tenant");
        let random = StdRng::seed_from_u64(seed);
        let mut tenant = Tenant { fixture: &fixture, id, random, tasks: Tasks::new() };
        for _ in 0..30 {
            tenant.create().await;
        }
        for _ in 0..LISTS {
            tenant.change().await;
            let choice = choice(&mut tenant.random);
            let limit = tenant.random.random_range(1..=7);
            let read = tenant.read(&choice, limit).await;
            assert_eq!(read, Ok(()), "seed {seed}, {choice:?}, limit {limit}");
        }
    }
}

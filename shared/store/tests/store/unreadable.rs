//! A row that cannot be read is that row's fault only. The rows are broken by the owner, past all
//! checks.

use domain::{Task, TaskId};
use store::{Attached, Filter, Freshness, Outcome, ReadError, RequestKey, Sort, Start};
use uuid::Uuid;

use crate::attachments::key;
use crate::cached::Cached;
use crate::fixture::{Fixture, create, delete, incoming, new_task, now, of_tenant, rename};

const APPLIED_TWICE: Outcome = Outcome::Applied { version: 2 };

impl Fixture {
    /// As many tasks of `acme`, the one in the middle unreadable: that one comes first.
    async fn with_broken(&self, count: usize) -> Vec<TaskId> {
        let mut tasks: Vec<_> = (0..count).map(|_| new_task()).collect();
        let batch = tasks.iter().map(|task| incoming(&task.to_string(), *task, create("Whole")));
        self.apply(batch.collect()).await;
        tasks.swap(0, count / 2);
        self.break_title(tasks[0]).await;
        tasks
    }

    async fn break_title(&self, task: TaskId) {
        self.set("UPDATE tasks SET title = E'two\nlines' WHERE id = $1", task).await;
    }

    async fn set(&self, statement: &'static str, id: TaskId) {
        let set = sqlx::query(statement).bind(id.as_uuid()).execute(&self.owner).await;
        assert_eq!(set.expect("a change").rows_affected(), 1);
    }

    /// Every page of a list of `acme`, and what it says cannot be read.
    async fn list(&self, sort: &str, limit: u16) -> (Vec<Task>, Vec<Uuid>) {
        let (tenant, filter) = ("acme".parse().expect("a tenant"), Filter::default());
        let sort = Sort::try_from(sort.to_owned()).expect("a sort");
        let (mut next, mut tasks, mut unreadable) = (Some(Start::from(sort)), vec![], vec![]);
        while let Some(start) = next.take() {
            let page = self.reader.tasks(&tenant, &filter, start, limit).await.expect("a page");
            tasks.extend(page.tasks);
            unreadable.extend(page.unreadable);
            next = page.next;
        }
        (tasks, unreadable)
    }

    /// Asserts that every list has five tasks, of which only `broken` cannot be read.
    async fn lists_all_but(&self, broken: TaskId) {
        for sort in ["created", "-created", "updated", "-updated", "due", "-due", "priority"] {
            for limit in [1, 2, 5, 10] {
                let (listed, unreadable) = self.list(sort, limit).await;
                assert_eq!(listed.len(), 4, "{sort} by {limit}");
                assert!(listed.iter().all(|task| task.id != broken), "{sort} by {limit}");
                assert_eq!(unreadable, [broken.as_uuid()], "{sort} by {limit}");
            }
        }
    }
}

#[tokio::test]
async fn a_batch_goes_on_without_the_task_that_cannot_be_read() {
    let fixture = Fixture::new().await;
    let tasks = fixture.with_broken(3).await;
    let other = new_task();
    fixture.apply(vec![of_tenant("other", "create", other, create("Theirs"))]).await;
    let change = |task: TaskId| incoming(&format!("rename-{task}"), task, rename("New", None));
    let batch = || {
        let mut batch: Vec<_> = tasks.iter().map(|task| change(*task)).collect();
        batch.push(of_tenant("other", "rename", other, rename("New", None)));
        batch
    };
    let outcomes = |receipts: Vec<store::Receipt>| -> Vec<_> {
        receipts.into_iter().map(|receipt| receipt.outcome).collect()
    };
    let others = [APPLIED_TWICE, APPLIED_TWICE, APPLIED_TWICE];
    let applied = outcomes(fixture.apply(batch()).await);
    assert_eq!((&applied[0], &applied[1..]), (&Outcome::Unreadable, &others[..]));

    // It can be applied once its task is repaired.
    fixture.set("UPDATE tasks SET title = 'One line' WHERE id = $1", tasks[0]).await;
    let applied = outcomes(fixture.apply(batch()).await);
    assert_eq!((&applied[0], &applied[1..]), (&APPLIED_TWICE, &others[..]));
    let repeated = incoming(&tasks[0].to_string(), tasks[0], create("Whole"));
    fixture.break_title(tasks[0]).await;
    let receipts = fixture.apply(vec![repeated]).await;
    assert_eq!(receipts[0].outcome, Outcome::Unreadable, "a repeat would have to show the task");
}

#[tokio::test]
async fn lists_name_the_task_that_cannot_be_read_and_go_on() {
    let fixture = Fixture::new().await;
    let tasks = fixture.with_broken(5).await;
    fixture.lists_all_but(tasks[0]).await;
    // What it is sorted by cannot be read either.
    let unchecked = "ALTER TABLE tasks DROP CONSTRAINT IF EXISTS due_date_known,
        DROP CONSTRAINT IF EXISTS times_known";
    fixture.execute(unchecked).await;
    let far = "UPDATE tasks SET due_date = '0044-03-15 BC', created_at = 'infinity',
        updated_at = '-infinity' WHERE id = $1";
    fixture.set(far, tasks[0]).await;
    fixture.lists_all_but(tasks[0]).await;
}

#[tokio::test]
async fn a_read_of_it_is_an_error_that_is_no_outage() {
    let fixture = Fixture::new().await;
    let tasks = fixture.with_broken(2).await;
    let tenant = "acme".parse().expect("a tenant");
    let read = fixture.reader.read(&tenant, tasks[0], Freshness::Recent).await;
    let Err(error @ ReadError::Unreadable(_)) = read else { panic!("{read:?}") };
    let shown = format!("{:#}", anyhow::Error::from(error));
    assert!(shown.contains("/title") && !shown.contains("two"), "{shown}");
    assert!(fixture.current(&tenant, tasks[1]).await.is_some());
}

#[tokio::test]
async fn what_any_request_recorded_under_a_key_can_be_read_by_a_command() {
    let fixture = Fixture::new().await;
    let (task, neighbour) = (new_task(), new_task());
    fixture.apply(vec![incoming("1", task, create("With a file"))]).await;
    let file = key("acme", task);
    assert!(matches!(fixture.attach(&file).await, Attached::New(_)));
    let command = |id: &str| incoming(id, task, rename("New", None));
    let caller = "ann".parse().expect("a caller");
    let request = RequestKey { key: command("deletion").key, caller };
    fixture.writer.delete_attachment(file, Some(request), now()).await.expect("a deletion");

    let batch = vec![command("deletion"), incoming("2", neighbour, create("Beside it"))];
    let receipts = fixture.apply(batch).await;
    assert_eq!(receipts[0].outcome, Outcome::KeyReused);
    assert_eq!(receipts[1].outcome, Outcome::Applied { version: 1 });

    // What a later version may record.
    fixture.execute(r#"UPDATE inbox SET outcome = '{"split": {}}' WHERE command_id = '2'"#).await;
    let batch = vec![incoming("2", neighbour, create("Beside it")), command("3")];
    let receipts = fixture.apply(batch).await;
    assert_eq!(receipts[0].outcome, Outcome::Unreadable);
    assert_eq!(receipts[1].outcome, APPLIED_TWICE);
}

#[tokio::test]
async fn attachments_go_on_without_the_one_that_cannot_be_read() {
    let fixture = Fixture::new().await;
    let task = new_task();
    fixture.apply(vec![incoming("1", task, create("With files"))]).await;
    let (broken, whole) = (key("acme", task), key("acme", task));
    for key in [&broken, &whole] {
        assert!(matches!(fixture.attach(key).await, Attached::New(_)));
    }
    fixture.execute("ALTER TABLE attachments DROP CONSTRAINT times_known").await;
    for set in ["name = 'a/b'", "name = 'a', created_at = 'infinity'", "created_at = '-infinity'"] {
        let statement = format!("UPDATE attachments SET {set} WHERE id = '{}'", broken.id);
        let change = sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&fixture.owner).await;
        change.expect("a change");
        let found = fixture.reader.attachments(&whole.tenant, task).await.expect("a list");
        let readable: Vec<_> = found.readable.iter().map(|attachment| attachment.id).collect();
        assert_eq!((readable, found.unreadable), (vec![whole.id], vec![broken.id]), "{set}");
        let one = fixture.reader.attachment(&broken).await;
        assert!(matches!(one, Err(ReadError::Unreadable(_))), "{set}: {one:?}");
    }
}

/// The columns of the tables that have times, but for those of leases, which belong to no row of ours.
const ENDLESS: &str = "
    ALTER TABLE tasks DROP CONSTRAINT due_date_known, DROP CONSTRAINT times_known;
    ALTER TABLE attachments DROP CONSTRAINT times_known;
    UPDATE outbox SET occurred_at = 'infinity';
    UPDATE outbox_blocked_tasks SET occurred_at = '-infinity', first_failed_at = '-infinity',
        last_failed_at = 'infinity', retry_at = '-infinity';
    UPDATE inbox SET processed_at = '-infinity' WHERE command_id = 'broken';
    UPDATE attachments SET updated_at = '-infinity', remove_after = '-infinity'";

#[tokio::test]
async fn times_without_end_stop_neither_the_relay_nor_an_operator_nor_a_sweep() {
    let fixture = Fixture::new().await;
    let (outbox, task) = (fixture.outbox(crate::outbox::LONG), new_task());
    let lease = outbox.lease().await.expect("a lease");
    fixture.apply(vec![incoming("broken", task, create("Broken"))]).await;
    assert!(matches!(fixture.attach(&key("acme", task)).await, Attached::New(_)));
    let refused = |facts: Vec<store::PendingFact>| {
        let failure = |fact: &store::PendingFact| store::Failure {
            seq: fact.seq,
            queue: Some("facts".to_owned()),
            reason: "InvalidMessageContents".to_owned(),
            fault: store::Fault::Refused,
        };
        facts.iter().map(failure).collect::<Vec<_>>()
    };
    let facts = crate::outbox::pending(&outbox, &lease).await;
    let held = vec![(facts[0].seq, String::new())];
    outbox.block(&refused(facts), &held, 3).await.expect("blocked");
    fixture.execute(ENDLESS).await;

    // It is due, and is refused again, beside another task's fact.
    fixture.apply(vec![incoming("whole", new_task(), create("Whole"))]).await;
    let outbox = fixture.outbox(crate::outbox::LONG);
    let facts = crate::outbox::pending(&outbox, &lease).await;
    assert_eq!(facts.len(), 2);
    let blocked = outbox.block(&refused(facts), &held, 1).await.expect("blocked");
    assert!(blocked.iter().all(|fact| fact.is_parked), "{blocked:?}");
    fixture.execute("UPDATE outbox_blocked_tasks SET first_failed_at = '-infinity'").await;
    outbox.measure(&lease).await.expect("gauges");
    let years = std::time::Duration::from_hours(3_650 * 24);
    outbox.purge(&lease, years).await.expect("purged");
    assert_eq!(fixture.look("SELECT count(*)::text FROM inbox").await, "1");

    let parked = store::ParkedFacts::new(fixture.operator.clone());
    let listed = parked.list(&store::ParkedFilter::default(), false, 10).await.expect("a list");
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().all(|fact| fact.first_failed_at.is_none()), "{listed:?}");
    let far = now() + chrono::TimeDelta::days(3_650);
    fixture.attachments.expire_attachments(far, far, far).await.expect("a sweep");
    let removals = fixture.attachments.take_removals(far, 10).await.expect("a sweep");
    assert_eq!(removals.len(), 1);
}

#[tokio::test]
async fn the_relay_sets_the_cache_right_for_all_other_tasks() {
    let cached = Cached::new().await;
    let tasks = cached.fixture.with_broken(3).await;
    let outbox = cached.fixture.outbox(crate::outbox::LONG);
    let lease = outbox.lease().await.expect("a lease");
    let facts = crate::outbox::pending(&outbox, &lease).await;
    assert_eq!(facts.len(), tasks.len());
    assert!(outbox.published(&facts).await.expect("an answer"));
    assert_eq!(cached.fixture.look("SELECT count(*)::text FROM outbox").await, "0");
    // A deleted task that cannot be read spoils nothing either.
    let batch = vec![incoming("delete", tasks[1], delete())];
    assert_eq!(cached.fixture.apply(batch).await[0].outcome, APPLIED_TWICE);
}

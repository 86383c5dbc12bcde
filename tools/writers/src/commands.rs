//! What is written: commands as a worker receives them, of many tenants in one batch.

use clap::ValueEnum;
use domain::{
    Action, Command, CreateTask, Priority, Tags, TaskId, TaskPatch, TenantId, UpdateTask,
};
use rand::seq::IndexedRandom as _;
use store::{CommandKey, Incoming};
use uuid::Uuid;

const TENANTS: usize = 50;
/// Tasks that each connection updates.
const OWN: usize = 1_000;
/// Tasks that all connections update at once.
const HOT: usize = 40;
/// Batches that are written again and again.
const REPEATED: usize = 50;

/// What the commands do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Work {
    /// Create tasks
    Creates,
    /// Create tasks that were created: all have taken effect before
    Repeats,
    /// Rename tasks, of which each connection has its own
    Updates,
    /// Rename the same few tasks by all connections
    Hot,
}

/// The batches of one connection.
pub(crate) struct Batches {
    work: Work,
    size: usize,
    /// What is updated.
    tasks: Vec<(TenantId, TaskId)>,
    /// Who of all connections creates those.
    creates_tasks: bool,
    repeated: Vec<Vec<Incoming>>,
    count: usize,
}

impl Batches {
    /// For so many connections.
    pub(crate) fn of(work: Work, size: usize, connections: usize) -> Vec<Self> {
        let hot = tasks(HOT);
        let of_one = |connection| {
            let tasks = match work {
                Work::Creates | Work::Repeats => Vec::new(),
                Work::Updates => tasks(OWN),
                Work::Hot => hot.clone(),
            };
            let mut batches = Self {
                work,
                size,
                tasks,
                creates_tasks: work == Work::Updates || connection == 0,
                repeated: Vec::new(),
                count: connection,
            };
            if work == Work::Repeats {
                batches.repeated = (0..REPEATED).map(|_| batches.creates()).collect();
            }
            batches
        };
        (0..connections).map(of_one).collect()
    }

    /// What must be written before.
    pub(crate) fn before(&self) -> Vec<Vec<Incoming>> {
        let tasks = if self.creates_tasks { self.tasks.as_slice() } else { &[] };
        let creates = tasks.chunks(100).map(|tasks| tasks.iter().cloned().map(create).collect());
        creates.chain(self.repeated.iter().cloned()).collect()
    }

    /// Whether all of what [`Self::next`] gives has taken effect already.
    pub(crate) fn are_repeats(&self) -> bool {
        self.work == Work::Repeats
    }

    pub(crate) fn next(&mut self) -> Vec<Incoming> {
        self.count += 1;
        match self.work {
            Work::Creates => self.creates(),
            Work::Repeats => self.repeated.get(self.count % REPEATED).cloned().unwrap_or_default(),
            Work::Updates | Work::Hot => {
                let chosen = self.tasks.sample(&mut rand::rng(), self.size);
                chosen.cloned().map(rename).collect()
            }
        }
    }

    fn creates(&self) -> Vec<Incoming> {
        tasks(self.size).into_iter().map(create).collect()
    }
}

fn tasks(count: usize) -> Vec<(TenantId, TaskId)> {
    let one = |number: usize| {
        let tenant = format!("tenant-{}", number % TENANTS).parse().ok()?;
        Some((tenant, TaskId::try_from(Uuid::now_v7()).ok()?))
    };
    let first: usize = rand::random_range(0..TENANTS);
    (first..first + count).filter_map(one).collect()
}

fn incoming((tenant, task): (TenantId, TaskId), action: Action) -> Incoming {
    Incoming {
        key: CommandKey { source: "/bench/writers".to_owned(), id: Uuid::now_v7().to_string() },
        command: Command { tenant, task, action },
        caller: None,
        traceparent: None,
        request: None,
    }
}

#[expect(clippy::expect_used, reason = "the values are these")]
fn create(task: (TenantId, TaskId)) -> Incoming {
    let number = rand::random_range(0..1_000_000);
    let assignee = format!("person-{}@example.org", number % 200);
    let tags = ["home", "garden"].map(|tag| tag.parse().expect("a tag")).to_vec();
    incoming(
        task,
        Action::Create(CreateTask {
            title: format!("Water plant {number}").parse().expect("a title"),
            description: Some("Two litres, and not too fast".parse().expect("a description")),
            priority: Priority::Normal,
            assignee: Some(assignee.parse().expect("an assignee")),
            due_date: Some("2026-03-31".parse().expect("a date")),
            tags: Tags::try_from(tags).expect("two tags"),
        }),
    )
}

#[expect(clippy::expect_used, reason = "the value is this")]
fn rename(task: (TenantId, TaskId)) -> Incoming {
    let title = format!("Water plant {}", rand::random_range(0..1_000_000));
    let patch = TaskPatch { title: Some(title.parse().expect("a title")), ..TaskPatch::default() };
    incoming(task, Action::Update(UpdateTask { expected_version: None, patch }))
}

//! A thousand commands on a few tasks, and what they must leave: made here, folded here.

use std::collections::{HashMap, HashSet};

use chrono::DateTime;
use domain::{Command, Decision, Task, TaskId, decide};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use sqlx::types::Json;
use uuid::Uuid;

use crate::support::system::{TestSystem, event};

/// Messages in the order of sending, and what they leave.
pub(crate) struct Load {
    /// Group and body of each message, repeats included.
    pub(crate) messages: Vec<(String, String)>,
    /// How many of them are distinct commands.
    pub(crate) distinct: i64,
    /// The tasks as folding the distinct commands in order leaves them.
    expected: HashMap<TaskId, Task>,
}

impl Load {
    /// `count` distinct commands, about a fifth of them sent again later.
    pub(crate) fn random(seed: u64, count: usize) -> Self {
        Self::on(25, seed, count)
    }

    /// On so many tasks.
    pub(crate) fn on(tasks: usize, seed: u64, count: usize) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let subjects: Vec<_> = (0..tasks).map(|_| Uuid::now_v7().to_string()).collect();
        let mut load = Self { messages: Vec::new(), distinct: 0, expected: HashMap::new() };
        for number in 0..count {
            let subject = &subjects[random.random_range(0..subjects.len())];
            let (kind, data) = command(&mut random, number);
            let body = event(&format!("command-{number}"), kind, subject, &data);
            load.fold(&body);
            load.messages.push((subject.clone(), body));
            if random.random_ratio(1, 5) {
                let repeat = random.random_range(0..load.messages.len());
                load.messages.push(load.messages[repeat].clone());
            }
        }
        load
    }

    /// Those of its commands that have one of these identifiers, each once, in their order.
    pub(crate) fn of(&self, ids: &HashSet<String>) -> Self {
        let mut load = Self { messages: Vec::new(), distinct: 0, expected: HashMap::new() };
        let mut seen = HashSet::new();
        for (subject, body) in &self.messages {
            let event: Value = serde_json::from_str(body).expect("JSON");
            let id = event["id"].as_str().expect("an id");
            if ids.contains(id) && seen.insert(id.to_owned()) {
                load.fold(body);
                load.messages.push((subject.clone(), body.clone()));
            }
        }
        load
    }

    fn fold(&mut self, body: &str) {
        let Command { tenant, task, action } = events::decode(body).expect("a command").command;
        let command = Command { tenant, task, action };
        self.distinct += 1;
        let decision = decide(self.expected.get(&task), &command, DateTime::UNIX_EPOCH);
        if let Ok(Decision::Changed { task: after, .. }) = decision {
            self.expected.insert(task, after);
        }
    }

    /// Fails unless the system's database is as the fold says, with one inbox row per distinct
    /// command and facts without gap or repeat.
    pub(crate) async fn assert_is_what_is_left(&self, system: &TestSystem) {
        let rows: Vec<Json<Task>> = sqlx::query_scalar("SELECT to_jsonb(tasks) FROM tasks")
            .fetch_all(&system.owner)
            .await
            .expect("tasks");
        let left: HashMap<_, _> =
            rows.into_iter().map(|Json(task)| (task.id, without_times(task))).collect();
        let expected: HashMap<_, _> =
            self.expected.iter().map(|(id, task)| (*id, without_times(task.clone()))).collect();
        assert_eq!(left, expected);
        assert_eq!(system.count("SELECT count(*) FROM inbox").await, self.distinct);
        let gaps = "SELECT count(*) FROM (
            SELECT (data->>'version')::bigint AS version,
                   row_number() OVER (PARTITION BY task_id ORDER BY seq) AS place
            FROM outbox WHERE type NOT LIKE '%rejected%') AS facts WHERE version <> place";
        assert_eq!(system.count(gaps).await, 0);
        let published = "SELECT count(*) FROM outbox WHERE type NOT LIKE '%rejected%'";
        assert_eq!(
            system.count(published).await,
            expected.values().map(|task| task.version).sum::<i64>()
        );
    }
}

fn command(random: &mut impl rand::Rng, number: usize) -> (&'static str, Value) {
    let name = json!({"title": format!("Name {number}"), "tags": [format!("t{}", number % 7)]});
    match random.next_u32() % 20 {
        0..6 => ("create-task", name),
        6..15 => ("update-task", json!({"patch": name})),
        15..17 => ("update-task", json!({"patch": name, "expected_version": 3})),
        17..19 => ("complete-task", json!({})),
        _ => ("delete-task", json!({"expected_version": 9})),
    }
}

fn without_times(task: Task) -> Task {
    let epoch = DateTime::UNIX_EPOCH;
    Task {
        created_at: epoch,
        updated_at: epoch,
        completed_at: task.completed_at.map(|_| epoch),
        deleted_at: task.deleted_at.map(|_| epoch),
        ..task
    }
}

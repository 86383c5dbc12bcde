//! Commands that create tasks, each of a task of its own: none waits for another.

use std::collections::HashMap;

use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;
use uuid::Uuid;

const TENANTS: u32 = 50;

/// When something happened to the task that has this identifier.
pub(crate) type Times = HashMap<Uuid, Instant>;

/// Commands of one run, which have a `source` of their own.
pub(crate) struct Commands {
    pub(crate) source: String,
    sent: u32,
}

/// A command as it is sent.
pub(crate) struct Command {
    pub(crate) tenant: String,
    pub(crate) task: Uuid,
    pub(crate) body: String,
}

impl Commands {
    pub(crate) fn new() -> Self {
        Self { source: format!("/bench/latency/{}", Uuid::now_v7()), sent: 0 }
    }

    pub(crate) fn next(&mut self) -> Command {
        self.sent += 1;
        let number = self.sent;
        let (tenant, task) = (format!("tenant-{}", number % TENANTS), Uuid::now_v7());
        let body = json!({
            "specversion": "1.0",
            "id": Uuid::now_v7(),
            "source": self.source,
            "type": "dev.task-app.create-task.v1",
            "subject": task,
            "time": "2026-01-31T09:30:00Z",
            "datacontenttype": "application/json",
            "tenant": tenant,
            "data": {
                "title": format!("Water plant {number}"),
                "description": "Two litres, and not too fast",
                "assignee": format!("person-{}@example.org", number % 200),
                "due_date": "2026-03-31",
                "tags": ["home", "garden"],
            },
        });
        Command { tenant, task, body: body.to_string() }
    }
}

/// The task that a command or a fact is about.
pub(crate) fn task(body: &str) -> Result<Uuid> {
    #[derive(Deserialize)]
    struct Event {
        subject: Uuid,
    }
    let event: Event = serde_json::from_str(body).context("a message is no event")?;
    Ok(event.subject)
}

/// Microseconds from one to the other, which may be before it.
pub(crate) fn micros(from: Instant, to: Instant) -> f64 {
    let seconds = if to < from { -(from - to).as_secs_f64() } else { (to - from).as_secs_f64() };
    seconds * 1e6
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_command_says_which_task_it_is_about() {
        let mut commands = Commands::new();
        let (first, second) = (commands.next(), commands.next());
        assert_eq!(task(&first.body).unwrap(), first.task);
        assert_ne!(first.task, second.task);
        assert_ne!(first.tenant, second.tenant);
        assert!(task("{}").is_err());
    }

    #[test]
    fn a_time_may_be_before_another() {
        let now = Instant::now();
        let later = now + Duration::from_micros(1_500);
        assert_eq!((micros(now, later), micros(later, now)), (1_500.0, -1_500.0));
    }
}

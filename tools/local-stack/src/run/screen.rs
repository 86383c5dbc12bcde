//! The one screen that says what runs where, and what to try.

use std::fmt::{self, Display, Formatter};
use std::fs;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::TENANT;
use crate::access::AwsAccess;
use crate::aws::CREDENTIAL;
use crate::state::repository;

const EXAMPLES: &str = "events/examples/valid";
const EXAMPLE_PREFIX: &str = "dev.task-app.create-task.v1.";

/// A line of the table.
pub(super) struct Row {
    name: String,
    address: String,
    health: String,
    log: String,
}

impl Row {
    pub(super) fn new(name: &str, address: &str, health: &str, log: Option<&Path>) -> Self {
        let log = log.map_or_else(String::new, |log| relative(log).display().to_string());
        Self { name: name.into(), address: address.into(), health: health.into(), log }
    }
}

/// All that is shown.
pub(super) struct Screen {
    pub(super) rows: Vec<Row>,
    pub(super) token: SecretString,
    pub(super) aws: AwsAccess,
    pub(super) queue_url: String,
    pub(super) api: String,
}

impl Display for Screen {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        writeln!(out, "\nThe stack is up. Ctrl-C drains and stops it; its state is kept.\n")?;
        self.table(out)?;
        writeln!(out, "\nA token for the tenant `{TENANT}`, for 24 hours:\n")?;
        writeln!(out, "export TOKEN={}\n", self.token.expose_secret())?;
        writeln!(out, "Three commands to try, in another terminal, in this repository:\n")?;
        self.commands(out)
    }
}

impl Screen {
    fn table(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let heading = Row::new("NAME", "ADDRESS", "HEALTH", Some(Path::new("LOG")));
        let rows = || std::iter::once(&heading).chain(&self.rows);
        let width =
            |column: fn(&Row) -> &str| rows().map(|row| column(row).len()).max().unwrap_or(0);
        let (name, address, health) =
            (width(|row| &row.name), width(|row| &row.address), width(|row| &row.health));
        for row in rows() {
            let line = format!(
                "{:name$}  {:address$}  {:health$}  {}",
                row.name, row.address, row.health, row.log
            );
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }

    fn commands(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let AwsAccess { endpoint, region, key_id, .. } = &self.aws;
        // Other credentials than those of the private server are in the user's environment.
        let private = key_id == CREDENTIAL;
        let login = if private { "AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test " } else { "" };
        let Example { file, id, subject } = example().unwrap_or_default();
        writeln!(
            out,
            "{login}aws --endpoint-url {endpoint} --region {region} sqs send-message \\\n  \
             --queue-url {} \\\n  \
             --message-group-id {subject} --message-deduplication-id {id} \\\n  \
             --message-body file://{}",
            self.queue_url,
            file.display()
        )?;
        let curl = "curl --header \"authorization: Bearer $TOKEN\"";
        writeln!(out, "{curl} {}/v1/tasks/{subject}", self.api)?;
        writeln!(out, "{curl} {}/v1/tasks", self.api)
    }
}

/// An event that creates a task.
#[derive(Deserialize)]
struct Example {
    #[serde(skip)]
    file: PathBuf,
    id: String,
    subject: String,
}

impl Default for Example {
    fn default() -> Self {
        Self { file: "EVENT.json".into(), id: "EVENT_ID".into(), subject: "TASK_ID".into() }
    }
}

/// The first example that creates a task of the local tenant.
fn example() -> Option<Example> {
    let entries = fs::read_dir(repository().join(EXAMPLES)).ok()?;
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    files.iter().find_map(|path| {
        path.file_name()?.to_str()?.strip_prefix(EXAMPLE_PREFIX)?;
        let text = fs::read_to_string(path).ok()?;
        let tenant = serde_json::from_str::<Tenant>(&text).ok()?.tenant;
        let example: Example = serde_json::from_str(&text).ok()?;
        (tenant == TENANT).then(|| Example { file: relative(path).to_owned(), ..example })
    })
}

#[derive(Deserialize)]
struct Tenant {
    tenant: String,
}

fn relative(path: &Path) -> &Path {
    path.strip_prefix(repository()).unwrap_or(path)
}

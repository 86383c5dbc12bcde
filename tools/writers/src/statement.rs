//! The same rows by one statement that commits by itself. It finds no repeats, checks no version, knows no
//! tenant that it must not touch, and loses what it cannot write.

use anyhow::{Result, bail, ensure};
use clap::Args;
use domain::{Action, Decision, Task, Timestamp, Title, decide};
use sqlx::postgres::PgConnection;
use sqlx::query::Query;
use sqlx::types::Uuid;
use sqlx::{Connection as _, Executor as _, Postgres};
use store::{Incoming, fingerprint};

use crate::commands::{Batches, Work};

/// Commands of a batch that fills.
const FILL: usize = 1_000;

#[derive(Args)]
pub(crate) struct Arguments {
    #[arg(env = "DATABASE_URL", hide_env_values = true)]
    pub(crate) url: String,
}

#[derive(Args)]
pub(crate) struct Fill {
    #[command(flatten)]
    arguments: Arguments,
    #[arg(long)]
    tasks: usize,
}

/// Which tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Those of ours.
    Same,
    /// Tables of its own.
    Bare,
}

impl Form {
    fn create(self) -> &'static str {
        match self {
            Self::Same => include_str!("create.sql"),
            Self::Bare => include_str!("create_bare.sql"),
        }
    }
}

/// One connection.
pub(crate) struct Statement {
    connection: PgConnection,
    form: Form,
}

impl Statement {
    pub(crate) async fn connect(url: &str, form: Form) -> Result<Self> {
        let mut connection = PgConnection::connect(url).await?;
        // What any application sets that knows its statements.
        connection.execute("SET plan_cache_mode = force_generic_plan; SET jit = off").await?;
        Ok(Self { connection, form })
    }

    pub(crate) async fn write(&mut self, batch: &[Incoming]) -> Result<()> {
        let now = super::now();
        let statement = match batch.first().map(|first| &first.command.action) {
            Some(Action::Create(_)) => create(self.form, batch, now)?,
            Some(Action::Update(_)) if self.form == Form::Same => update(batch, now)?,
            _ => bail!("no statement for such commands"),
        };
        let written = statement.execute(&mut self.connection).await?.rows_affected();
        ensure!(written == u64::try_from(batch.len())?, "{written} facts of {}", batch.len());
        Ok(())
    }
}

/// Creates tasks in both kinds of tables, and has them analyzed.
pub(crate) async fn fill(Fill { arguments, tasks }: Fill) -> Result<()> {
    let mut owner = PgConnection::connect(&arguments.url).await?;
    owner.execute(include_str!("bare.sql")).await?;
    for form in [Form::Same, Form::Bare] {
        let mut statement = Statement::connect(&arguments.url, form).await?;
        for mut batches in Batches::of(Work::Creates, FILL, 1) {
            for _ in 0..tasks.div_ceil(FILL) {
                statement.write(&batches.next()).await?;
            }
        }
    }
    if tasks > 0 {
        owner.execute("VACUUM ANALYZE").await?;
        owner.execute("CHECKPOINT").await?;
    }
    Ok(())
}

type Prepared = Query<'static, Postgres, sqlx::postgres::PgArguments>;

#[expect(clippy::disallowed_methods, reason = "it is compared, and not what ships")]
fn create(form: Form, batch: &[Incoming], now: Timestamp) -> Result<Prepared> {
    let mut tasks = Vec::new();
    for incoming in batch {
        let Ok(Decision::Changed { task, .. }) = decide(None, &incoming.command, now) else {
            bail!("not created");
        };
        tasks.push(task);
    }
    let facts: Result<Vec<_>, _> = tasks.iter().map(serde_json::to_string).collect();
    let optional = |of: fn(&Task) -> Option<String>| tasks.iter().map(of).collect::<Vec<_>>();
    Ok(with_keys(sqlx::query(form.create()), batch, now)?
        .bind(facts?)
        .bind(tasks.iter().map(|task| task.title.to_string()).collect::<Vec<_>>())
        .bind(optional(|task| task.description.as_ref().map(ToString::to_string)))
        .bind(tasks.iter().map(|task| task.priority.as_str()).collect::<Vec<_>>())
        .bind(optional(|task| task.assignee.as_ref().map(ToString::to_string)))
        .bind(tasks.iter().map(|task| Some(task.due_date?.as_date())).collect::<Vec<_>>())
        .bind(tasks.iter().map(joined_tags).collect::<Vec<_>>()))
}

#[expect(clippy::disallowed_methods, reason = "it is compared, and not what ships")]
fn update(batch: &[Incoming], now: Timestamp) -> Result<Prepared> {
    let title = |incoming: &Incoming| match &incoming.command.action {
        Action::Update(update) => {
            update.patch.title.clone().map(|title| Title::from(title).to_string())
        }
        _ => None,
    };
    let query = with_keys(sqlx::query(include_str!("update.sql")), batch, now)?;
    Ok(query.bind(batch.iter().map(title).collect::<Vec<_>>()))
}

/// What each statement takes first.
fn with_keys(query: Prepared, batch: &[Incoming], now: Timestamp) -> Result<Prepared> {
    let texts = |of: fn(&Incoming) -> String| batch.iter().map(of).collect::<Vec<_>>();
    let digest = |incoming: &Incoming| Ok(fingerprint(&incoming.command)?.to_vec());
    let ids: Vec<Uuid> = batch.iter().map(|one| one.command.task.as_uuid()).collect();
    Ok(query
        .bind(now)
        .bind(texts(|one| one.command.tenant.to_string()))
        .bind(ids)
        .bind(texts(|one| one.key.source.clone()))
        .bind(texts(|one| one.key.id.clone()))
        .bind(batch.iter().map(digest).collect::<Result<Vec<_>>>()?)
        .bind(texts(|_| r#"{"applied": {"version": 1}}"#.to_owned())))
}

fn joined_tags(task: &Task) -> String {
    task.tags.iter().map(domain::Tag::as_str).collect::<Vec<_>>().join(",")
}

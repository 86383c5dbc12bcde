//! Reads over HTTP, with all that a deployment has on: authentication, rate limit, log, metrics.

mod report;

use anyhow::Result;

use crate::part::Run;
use crate::servers::Server;
use crate::show;
use crate::system::{Service, System, TENANT};
use crate::turns::{self, Compared, Effort};
use crate::wrk::Target;

/// Tasks of a page.
const PAGE: usize = 50;
/// What is read.
#[derive(Clone, Copy)]
pub(crate) enum Work {
    /// A task that the process has.
    Local,
    /// A task that Redis has.
    Redis,
    /// The same, beside a service as others would write it.
    RedisBeside(Service),
    /// A page that Redis has.
    CachedList,
    /// A page from PostgreSQL.
    List,
}

/// A comparison, and what it needs to be understood.
pub(crate) struct Row {
    pub(crate) work: Work,
    pub(crate) compared: Compared,
    /// MiB of ours before and after the load.
    pub(crate) resident: (f64, f64),
}

impl Work {
    pub(crate) const ALL: [Self; 6] = [
        Self::Local,
        Self::Redis,
        Self::RedisBeside(Service::Fastify),
        Self::RedisBeside(Service::FastApi),
        Self::CachedList,
        Self::List,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Local => "a task, from the process",
            Self::Redis | Self::RedisBeside(_) => "a task, from Redis",
            Self::CachedList => "a page of 50, from Redis",
            Self::List => "a page of 50, from PostgreSQL",
        }
    }

    pub(crate) fn beside(self) -> &'static str {
        match self {
            Self::Local => "axum with a constant body",
            Self::Redis => "axum with one command of Redis",
            Self::RedisBeside(Service::Fastify) => "Fastify with ioredis",
            Self::RedisBeside(Service::FastApi) => "FastAPI with redis-py",
            Self::CachedList | Self::List => "axum with one SELECT of the same rows as JSON",
        }
    }

    /// The ratio of requests per second that is aimed at.
    pub(crate) fn aim(self) -> f64 {
        match self {
            Self::Local => 0.6,
            Self::Redis => 0.8,
            Self::RedisBeside(Service::Fastify) => 1.6,
            Self::RedisBeside(Service::FastApi) => 12.0,
            Self::CachedList => 0.5,
            Self::List => 0.7,
        }
    }

    fn path(self, system: &System) -> String {
        match self {
            Self::Local | Self::Redis | Self::RedisBeside(_) => {
                format!("/v1/tasks/{}", system.task)
            }
            Self::CachedList | Self::List => format!("/v1/tasks?limit={PAGE}"),
        }
    }

    fn settings(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Redis | Self::RedisBeside(_) => &[("LOCAL_CACHE_ENTRIES", "0")],
            Self::Local | Self::CachedList | Self::List => &[],
        }
    }
}

/// Measures all of them.
pub(crate) async fn measure(run: &Run, effort: Effort) -> Result<String> {
    let system = System::start(&run.bin_dir, &run.services).await?;
    let mut rows = Vec::new();
    for work in Work::ALL {
        show(&format!("  {}, beside {}", work.name(), work.beside()));
        rows.push(compare(&system, work, effort).await?);
    }
    report::table(&rows, effort)
}

/// Measures ours beside the other program that does the same work.
async fn compare(system: &System, work: Work, effort: Effort) -> Result<Row> {
    let (url, ours) = system.reader(work.settings()).await?;
    let target = target(system, work, &url)?;
    let idle = ours.resident()?;
    let (other_url, other) = peer(system, work, &system.get(&target.url).await?).await?;
    let headers = match work {
        Work::RedisBeside(_) => target.headers.clone(),
        _ => Vec::new(),
    };
    let other_target = Target { url: format!("{other_url}/"), headers };
    let pair = ((&ours, &target), (&other, &other_target));
    let compared = turns::compare(pair.0, pair.1, effort).await?;
    Ok(Row { work, compared, resident: (idle, ours.resident()?) })
}

fn target(system: &System, work: Work, url: &str) -> Result<Target> {
    let mut headers = vec![format!("authorization: Bearer {}", system.token()?)];
    if matches!(work, Work::List) {
        headers.push("cache-control: no-cache".to_owned());
    }
    Ok(Target { url: format!("{url}{}", work.path(system)), headers })
}

/// The other program; `body` is what ours answers.
async fn peer(system: &System, work: Work, body: &[u8]) -> Result<(String, Server)> {
    match work {
        Work::Local => system.peer(&["constant", &system.file("body", body)?]).await,
        Work::Redis => system.peer(&["redis", &system.file("body", body)?]).await,
        Work::RedisBeside(service) => system.service(service, &system.file("body", body)?).await,
        Work::CachedList | Work::List => {
            system.peer(&["select", &system.file("select", select().as_bytes())?]).await
        }
    }
}

/// The rows of a page as JSON, in the same order, by the same number of connections.
fn select() -> String {
    format!(
        "SELECT json_build_object('tasks', json_agg(to_jsonb(page)))::text FROM (
            SELECT * FROM tasks WHERE tenant = '{TENANT}' AND deleted_at IS NULL
            ORDER BY created_at DESC, id DESC LIMIT {PAGE}
        ) AS page"
    )
}

//! Requests for replays.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures::{Stream, stream};
use serde::Serialize;
use tokio::time::sleep;

use super::asked::Asked;
use super::{End, Started, begin};
use crate::output::{Observed, Progress};
use crate::queue::find;
use crate::report::{DryRun, Reading, dry_run};
use crate::serve::Site;
use crate::serve::api::Noted;
use crate::serve::problem::Problem;
use crate::serve::selection::queue;

/// Between two events: a browser need not see each message.
const PAUSE: Duration = Duration::from_millis(250);

/// An event of a running replay.
#[derive(Serialize)]
struct Live<'a> {
    #[serde(flatten)]
    seen: &'a Observed,
    /// `None` as long as it runs.
    end: Option<&'a End>,
}

pub(in crate::serve) fn routes() -> Router<Arc<Site>> {
    Router::new()
        .route("/queues/{queue}/dry-run", post(of_dry_run))
        .route("/queues/{queue}/replay", post(of_replay))
        .route("/replay", get(of_events).delete(of_stop))
}

async fn of_dry_run(
    State(site): State<Arc<Site>>,
    Path(name): Path<String>,
    asked: Asked,
) -> Result<Json<Noted<DryRun>>, Problem> {
    let (arguments, _) = asked.command_line(&name, true)?;
    let reference = queue(&name)?;
    let (aws, client, now) = (site.aws.clone(), site.client.clone(), (site.clock)());
    let read = site.reads.run(|mut interrupt| async move {
        let queue = find(&client, &reference).await?;
        let (progress, interrupt) = (&Progress::hidden(), &mut interrupt);
        let reading = Reading { queue: &queue, now, progress, interrupt };
        dry_run(&aws, reading, &arguments).await
    });
    let (result, notes) = read.await?;
    Ok(Json(Noted { result, notes }))
}

async fn of_replay(
    State(site): State<Arc<Site>>,
    Path(name): Path<String>,
    asked: Asked,
) -> Result<StatusCode, Problem> {
    allowed(&site)?;
    let (mut arguments, words) = asked.command_line(&name, false)?;
    arguments.ledger = site.ledger.clone();
    begin(&site, arguments, words)?;
    Ok(StatusCode::ACCEPTED)
}

async fn of_stop(State(site): State<Arc<Site>>) -> Result<StatusCode, Problem> {
    allowed(&site)?;
    if let Some(last) = site.replays.last() {
        last.stop.cancel();
    }
    Ok(StatusCode::NO_CONTENT)
}

/// What the last replay does, until it ended.
async fn of_events(
    State(site): State<Arc<Site>>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let last = site.replays.last().ok_or_else(|| Problem::not_found("no replay was begun"))?;
    let events = stream::unfold(Some(last), async |watched| {
        let last = watched?;
        let end = last.end.borrow().clone();
        let event = event(&last, end.as_deref());
        let next = if end.is_some() { None } else { changed(last).await };
        Some((Ok(event), next))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

fn event(last: &Started, end: Option<&End>) -> Event {
    let seen = last.seen.borrow().clone();
    let event = Event::default().json_data(Live { seen: &seen, end });
    event.unwrap_or_default()
}

async fn changed(mut last: Started) -> Option<Started> {
    sleep(PAUSE).await;
    tokio::select! {
        // The observer leaves a moment before the end is known.
        Ok(()) = last.seen.changed() => (),
        ended = last.end.changed() => ended.ok()?,
        else => (),
    }
    Some(last)
}

fn allowed(site: &Site) -> Result<(), Problem> {
    if site.replays.are_allowed {
        return Ok(());
    }
    Err(Problem::forbidden(
        "this page only reads: `dead-letters serve --allow-replay` lets it replay, too",
    ))
}

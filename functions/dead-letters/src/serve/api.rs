//! What the page reads: the objects of `--json`, and with each what an operator should know of it.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Path, Query, State};
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use super::Site;
use super::depths::History;
use super::problem::{Problem, no_such_page};
use super::replay;
use super::selection::{queue, selection};
use crate::dead_letter::Summary;
use crate::output::{Progress, indented};
use crate::queue::find;
use crate::report::{Grouped, Listing, Reading, Searched, Shown, groups, message, queues};

/// Messages of a list.
const MOST_MESSAGES: usize = 500;
/// Groups of a list.
const MOST_GROUPS: usize = 500;

/// A result, with what the command line would print beside it.
#[derive(Serialize)]
pub(super) struct Noted<T> {
    #[serde(flatten)]
    pub(super) result: T,
    pub(super) notes: Vec<String>,
}

#[derive(Serialize)]
struct Server {
    version: &'static str,
    region: Option<String>,
    /// Seconds between two samples of the depths.
    interval: u64,
    /// Whether it may replay.
    replay: bool,
}

/// Groups and messages of one read: SQS counts each read as a receive.
#[derive(Serialize)]
struct Contents {
    #[serde(flatten)]
    grouped: Grouped,
    messages: Vec<Summary>,
}

#[derive(Serialize)]
struct Message {
    #[serde(flatten)]
    shown: Shown,
    /// The body on several lines, if it is JSON.
    indented_body: Option<String>,
    /// The same of the one in S3.
    indented_claimed_body: Option<String>,
}

#[derive(Default, Deserialize, FromRequestParts)]
#[serde(default, deny_unknown_fields)]
#[from_request(via(Query), rejection(Problem))]
struct Parameters {
    filters: String,
}

pub(super) fn routes(site: Arc<Site>) -> Router {
    Router::new()
        .route("/server", get(of_server))
        .route("/depths", get(of_depths))
        .route("/queues", get(of_queues))
        .route("/queues/{queue}", get(of_queue))
        .route("/queues/{queue}/messages/{id}", get(of_message))
        .merge(replay::routes())
        .fallback(no_such_page)
        .with_state(site)
}

async fn of_server(State(site): State<Arc<Site>>) -> Json<Server> {
    let region = site.client.config().region().map(ToString::to_string);
    let (version, interval) = (env!("CARGO_PKG_VERSION"), site.interval);
    Json(Server { version, region, interval, replay: site.replays.are_allowed })
}

async fn of_depths(State(site): State<Arc<Site>>) -> Json<History> {
    Json(site.depths.history())
}

async fn of_queues(State(site): State<Arc<Site>>) -> Result<Json<Noted<Listing>>, Problem> {
    let client = site.client.clone();
    let listed =
        site.reads.run(|mut interrupt| async move { queues(&client, &mut interrupt, true).await });
    let (result, notes) = listed.await?;
    Ok(Json(Noted { result, notes }))
}

async fn of_queue(
    State(site): State<Arc<Site>>,
    Path(queue): Path<String>,
    Parameters { filters }: Parameters,
) -> Result<Json<Noted<Contents>>, Problem> {
    let selection = selection(&queue, &filters)?;
    let (client, now) = (site.client.clone(), (site.clock)());
    let read = site.reads.run(|mut interrupt| async move {
        let queue = find(&client, &selection.queue).await?;
        let (progress, interrupt) = (&Progress::hidden(), &mut interrupt);
        let reading = Reading { queue: &queue, now, progress, interrupt };
        let mut messages = Vec::new();
        let counted = groups(reading, &selection.which, |dead_letter| {
            if messages.len() < MOST_MESSAGES {
                messages.push(dead_letter.clone());
            }
        });
        let (grouped, notes) = counted.await?;
        Ok((Contents { grouped, messages }, notes))
    });
    let (mut result, mut notes) = read.await?;
    let more = result.grouped.groups.len().saturating_sub(MOST_GROUPS);
    if more > 0 {
        result.grouped.groups.truncate(MOST_GROUPS);
        notes.push(format!("{more} smaller groups are not listed"));
    }
    let (listed, matched) = (result.messages.len(), result.grouped.matched);
    if listed == MOST_MESSAGES && matched > listed as u64 {
        notes.push(format!("{listed} messages of the {matched} that fit are listed"));
    }
    Ok(Json(Noted { result, notes }))
}

async fn of_message(
    State(site): State<Arc<Site>>,
    Path((name, id)): Path<(String, String)>,
) -> Result<Json<Message>, Problem> {
    let reference = queue(&name)?;
    let (client, now) = (site.client.clone(), (site.clock)());
    let wanted = id.clone();
    let searched = site.reads.run(|mut interrupt| async move {
        let queue = find(&client, &reference).await?;
        let (progress, interrupt) = (&Progress::hidden(), &mut interrupt);
        message(Reading { queue: &queue, now, progress, interrupt }, &wanted).await
    });
    match searched.await? {
        Searched::Found(dead_letter) => {
            let indented_body = indented(&dead_letter.body);
            let shown = Shown::new(*dead_letter, &site.ledger, &site.aws, true).await?;
            let indented_claimed_body = shown.claimed_body.as_deref().and_then(indented);
            Ok(Json(Message { shown, indented_body, indented_claimed_body }))
        }
        Searched::NotAmong(read, note) => {
            let note = note.map(|note| format!("; {note}")).unwrap_or_default();
            Err(Problem::not_found(format!(
                "none of the {read} messages of {name} that were read is {id}{note}"
            )))
        }
    }
}

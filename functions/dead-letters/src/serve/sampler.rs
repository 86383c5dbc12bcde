//! Samples the depths as long as the tool runs: SQS has them only of now.

use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::Site;
use super::depths::Sample;
use crate::queue::{LANES, Queue, list};

/// How long the queues that were found are known: to find them takes a request for each queue of the
/// account.
const KNOWN: Duration = Duration::from_mins(5);
/// Queues that are sampled.
const MOST_QUEUES: usize = 1_000;

/// Samples until `stop`.
pub(super) async fn sample(site: Arc<Site>, stop: CancellationToken) {
    let mut ticks = interval(Duration::from_secs(site.interval));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut known: Option<(Instant, Vec<Queue>)> = None;
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let is_recent = known.as_ref().is_some_and(|(since, _)| since.elapsed() < KNOWN);
        let sampled = stop.run_until_cancelled(async {
            match known.take().filter(|_| is_recent) {
                Some((since, queues)) => anyhow::Ok((since, again(queues).await?)),
                None => Ok((Instant::now(), find(&site).await?)),
            }
        });
        match sampled.await {
            None => break,
            Some(Err(error)) => site.depths.fail(&error),
            Some(Ok((since, queues))) => {
                site.depths.add((site.clock)(), queues.iter().map(sample_of).collect());
                known = Some((since, queues));
            }
        }
    }
}

async fn find(site: &Site) -> anyhow::Result<Vec<Queue>> {
    let found = list(&site.client).await?.found.into_iter().map(|found| found.queue);
    Ok(found.take(MOST_QUEUES).collect())
}

/// The same queues as they are now. If one was deleted, they are found anew the next time.
async fn again(queues: Vec<Queue>) -> anyhow::Result<Vec<Queue>> {
    let now = stream::iter(queues).map(|queue| async move { queue.refreshed().await });
    now.buffered(LANES).try_collect().await
}

fn sample_of(queue: &Queue) -> Sample {
    let Queue { url, name, depth, .. } = queue;
    Sample { url: url.clone(), name: name.clone(), depth: depth.total() }
}

//! To which queue a dead letter goes back.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context as _, bail};

use crate::arguments::ReplayArguments;
use crate::dead_letter::Summary;
use crate::queue::{Queue, sources, target};

/// The queues that a run may send to.
pub(crate) enum Targets {
    /// All messages go there.
    One(Arc<Queue>),
    /// Each goes back to the queue that it was in, by its name: to one whose dead-letter queue this is.
    Sources(BTreeMap<String, Arc<Queue>>),
}

impl Targets {
    pub(crate) async fn find(queue: &Queue, arguments: &ReplayArguments) -> anyhow::Result<Self> {
        if let Some(to) = &arguments.to {
            let target = target(&queue.client, to).await?;
            if target.url == queue.url {
                bail!("{} is the queue that is replayed", queue.name);
            }
            return Ok(Self::One(Arc::new(target)));
        }
        let sources = sources(queue).await?;
        if sources.is_empty() {
            bail!(
                "no queue has {} as its dead-letter queue: name the queue with `--to`",
                queue.name
            );
        }
        let by_name = sources.into_iter().map(|source| (source.name.clone(), Arc::new(source)));
        Ok(Self::Sources(by_name.collect()))
    }

    /// Where a dead letter goes.
    ///
    /// # Errors
    /// When that is not known, for people.
    pub(crate) fn of(&self, summary: &Summary) -> Result<Arc<Queue>, String> {
        let sources = match self {
            Self::One(queue) => return Ok(Arc::clone(queue)),
            Self::Sources(sources) => sources,
        };
        match &summary.source_queue {
            Some(name) => sources.get(name).cloned().ok_or_else(|| {
                format!(
                    "its queue {name} has another dead-letter queue now, or is gone: use `--to`"
                )
            }),
            None => match sources.values().collect::<Vec<_>>()[..] {
                [only] => Ok(Arc::clone(only)),
                _ => Err("it does not say which queue it was in: use `--to`".to_owned()),
            },
        }
    }

    /// The queues themselves.
    pub(super) fn queues(&self) -> Vec<Arc<Queue>> {
        match self {
            Self::One(queue) => vec![Arc::clone(queue)],
            Self::Sources(sources) => sources.values().cloned().collect(),
        }
    }

    /// How many messages these queues have now, as SQS estimates it.
    pub(super) async fn depth(&self) -> anyhow::Result<u64> {
        let mut depth = 0_u64;
        for queue in self.queues() {
            let now = queue.refreshed().await.context("reading the depth of the target queue")?;
            depth = depth.saturating_add(now.depth.total());
        }
        Ok(depth)
    }
}

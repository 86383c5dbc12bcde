//! Queues on a server of the run's own: `queue-server`, which costs little beside what it serves.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName as Name;
use local_stack::{AwsAccess, Program, create_fifo_queue, ports};
use tokio::time::{Instant, sleep};

use crate::functions::Functions;
use crate::servers::{Server, listening};

/// As deployed queues have it.
const MAX_RECEIVE_COUNT: u8 = 10;
const POLL: Duration = Duration::from_millis(10);

/// Dropped, it ends, and forgets its messages.
pub(crate) struct Queues {
    server: Server,
    /// What a program finds it by: `AWS_ENDPOINT_URL_SQS`.
    pub(crate) endpoint: String,
    pub(crate) client: Client,
}

impl Queues {
    pub(crate) async fn start(functions: &Functions) -> Result<Self> {
        let address = ports::loopback(ports::free(None)?);
        let executable = functions.bin_dir.join("queue-server");
        let mut program = Program::new("queue-server", executable, functions.folder());
        program.arguments = ["--listen".into(), address.to_string().into()].into();
        program.log = Some(functions.state.log("queue-server"));
        let server = listening(program, address).await?;
        let endpoint = format!("http://{address}");
        let client = AwsAccess::private(&endpoint).sqs();
        Ok(Self { server, endpoint, client })
    }

    /// Creates the FIFO queue `{name}.fifo`, with the attributes of the queue of commands; returns its URL.
    pub(crate) async fn create(&self, name: &str) -> Result<String> {
        Ok(create_fifo_queue(&self.client, name, MAX_RECEIVE_COUNT).await?.url)
    }

    /// Messages that can be received, and those that were and are not deleted.
    pub(crate) async fn counts(&self, url: &str) -> Result<(usize, usize)> {
        let names =
            [Name::ApproximateNumberOfMessages, Name::ApproximateNumberOfMessagesNotVisible];
        let request = self.client.get_queue_attributes().queue_url(url);
        let request = request.set_attribute_names(Some(names.clone().into()));
        let attributes = request.send().await?.attributes.unwrap_or_default();
        let [waiting, in_flight] = names.map(|name| attributes.get(&name)?.parse().ok());
        waiting.zip(in_flight).context("a queue does not say how many messages it has")
    }

    /// Waits until all its messages are deleted; fails at once if one of its consumers ends.
    pub(crate) async fn emptied(
        &self,
        url: &str,
        consumers: &mut [Server],
        limit: Duration,
    ) -> Result<()> {
        let end = Instant::now() + limit;
        loop {
            let (waiting, in_flight) = self.counts(url).await?;
            if waiting + in_flight == 0 {
                return Ok(());
            }
            consumers.iter_mut().try_for_each(Server::assert_runs)?;
            if Instant::now() > end {
                let logs: String = consumers.iter_mut().map(Server::last_log_lines).collect();
                bail!(
                    "after {limit:?} {waiting} messages wait, and {in_flight} are in flight{logs}"
                );
            }
            sleep(POLL).await;
        }
    }

    /// What the server has spent.
    pub(crate) fn processor_time(&self) -> Result<Duration> {
        self.server.processor_time()
    }
}

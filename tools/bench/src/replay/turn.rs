//! One turn: a queue is filled, emptied by a program, and what arrived is checked.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use local_stack::{Environment, Process, Program, Queue, create_fifo_queue, create_queue};
use tempfile::TempDir;
use tokio::time::{Instant, sleep, timeout};

use super::Measured;
use super::mover::Mover;
use crate::functions::Functions;
use crate::part::Run;
use crate::queues::Queues;
use crate::servers::processor_time;

/// Between looks whether all were moved.
const LOOK: Duration = Duration::from_millis(20);
/// For a program to empty a queue, to fill or to check one.
const PATIENCE: Duration = Duration::from_mins(5);
/// For a program to end once nothing is left to do.
const TO_END: Duration = Duration::from_secs(30);
/// Of a message, before it is a dead letter.
const MOST_RECEIVES: u8 = 10;

/// What programs are measured with.
pub(super) struct Bench {
    pub(super) functions: Functions,
    pub(super) services: PathBuf,
    /// For the ledger; on a disk.
    pub(super) journal: TempDir,
    queues: Queues,
    fifo: Queue,
    standard: Queue,
}

impl Bench {
    pub(super) async fn start(run: &Run) -> Result<Self> {
        let functions = Functions::of(&run.bin_dir)?;
        let queues = Queues::start(&functions).await?;
        let fifo = create_fifo_queue(&queues.client, "task-commands", MOST_RECEIVES).await?;
        let standard = create_queue(&queues.client, "commands", MOST_RECEIVES).await?;
        let journal = tempfile::tempdir_in(&run.folder)?;
        local_stack::create_tables(&functions.aws).await?;
        let services = run.services.clone();
        Ok(Self { functions, services, journal, queues, fifo, standard })
    }

    /// A program of ours that finds SQS at the queue server, and the rest of AWS where it is.
    pub(super) fn program(&self, name: &str, arguments: &[&str]) -> Program {
        let executable = self.functions.bin_dir.join(name);
        let mut program = Program::new(name, executable, self.functions.folder());
        program.arguments = arguments.iter().map(Into::into).collect();
        program.log = Some(self.functions.state.log(name));
        program.environment = Environment::inherited()
            .and(&self.functions.aws.environment())
            .with("AWS_ENDPOINT_URL_SQS", &self.queues.endpoint);
        program
    }

    /// Measures a program once.
    pub(super) async fn turn(
        &self,
        mover: Mover,
        measured: &mut Measured,
        messages: usize,
    ) -> Result<()> {
        let queue = if mover.is_fifo() { &self.fifo } else { &self.standard };
        let messages = mover.messages(messages);
        let (count, source) = (messages.to_string(), name(&queue.url));
        let dead_letters = &*queue.dead_letter_url;
        self.done(&["fill", dead_letters, "--source", source, "--messages", &count]).await?;
        let before = self.queues.processor_time()?;
        let begun = Instant::now();
        let mut process = Process::start(mover.program(self, queue, &count)?)?;
        let own = self.moved(&mut process, dead_letters).await?;
        let (time, after) = (begun.elapsed(), self.queues.processor_time()?);
        let ended = timeout(TO_END, process.success()).await;
        ended.with_context(|| format!("{} does not end", mover.name()))??;
        let check = ["check", &queue.url, "--messages", &count, mover.arrives()];
        self.done(&check).await.with_context(|| format!("what {} moved", mover.name()))?;
        #[expect(clippy::cast_precision_loss, reason = "no turn has 2^52 messages")]
        let messages = messages as f64;
        measured.rates.push(messages / time.as_secs_f64());
        measured.own.push(own.as_secs_f64() * 10_000.0 / messages);
        let server = after.saturating_sub(before);
        measured.server.push(server.as_secs_f64() * 10_000.0 / messages);
        Ok(())
    }

    /// Waits until no dead letter is left. Returns the processor time that the program had spent by then, or
    /// shortly before it ended.
    async fn moved(&self, process: &mut Process, dead_letters: &str) -> Result<Duration> {
        let end = Instant::now() + PATIENCE;
        let mut spent = Duration::ZERO;
        loop {
            let now = process.id().and_then(|id| processor_time(id).ok());
            spent = spent.max(now.unwrap_or_default());
            let ended = process.assert_runs();
            let (waiting, in_flight) = self.queues.counts(dead_letters).await?;
            if waiting + in_flight == 0 {
                return Ok(spent);
            }
            let left = || format!("{waiting} dead letters are left, and {in_flight} in flight");
            ended.with_context(left)?;
            ensure!(Instant::now() < end, "{} after {PATIENCE:?}", left());
            sleep(LOOK).await;
        }
    }

    /// Runs `movers` to its end.
    async fn done(&self, arguments: &[&str]) -> Result<()> {
        let mut process = Process::start(self.program("movers", arguments))?;
        timeout(PATIENCE, process.success()).await.context("movers does not end")?
    }
}

/// A queue's, by its URL.
pub(super) fn name(url: &str) -> &str {
    url.rsplit('/').next().unwrap_or(url)
}

//! The SQS host's configuration.

use std::time::Duration;

use anyhow::ensure;
use clap::{Args, value_parser};

use crate::sqs::queue::{claim_check, delivery::LARGEST_MESSAGE};

/// What one receive can return, by SQS.
const RECEIVE_LIMIT: u16 = 10;

/// A handler may take nearly six hours, and a message stays invisible for twelve at most: there is
/// no room for six of such timeouts.
const LONGEST_RETRY_WINDOW: Duration = Duration::from_mins(30);

/// Which queue to consume and how. Flatten it into a function's configuration.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "SQS")]
#[group(skip)]
pub struct Config {
    /// URL of the queue; it needs a redrive policy with a dead-letter queue
    #[arg(long, env = "QUEUE_URL", value_parser = queue_url)]
    pub queue_url: String,

    /// Most messages that the handler is given at once. A message at its last delivery is handled
    /// alone
    #[arg(long, env = "QUEUE_BATCH_SIZE", default_value_t = 100,
        value_parser = value_parser!(u16).range(1..=1_000))]
    pub queue_batch_size: u16,

    /// Longest time that a batch waits to fill up while another is handled, in milliseconds
    #[arg(long, env = "QUEUE_BATCH_WAIT_MS", default_value_t = 5,
        value_parser = value_parser!(u16).range(0..=10_000))]
    pub queue_batch_wait_ms: u16,

    /// Batches that are handled at a time; a FIFO queue keeps each group's order all the same
    #[arg(long, env = "QUEUE_CONCURRENCY", default_value_t = 4,
        value_parser = value_parser!(u16).range(1..=100))]
    pub queue_concurrency: u16,

    /// Long polls that run at a time
    #[arg(long, env = "QUEUE_RECEIVERS", default_value_t = 2,
        value_parser = value_parser!(u16).range(1..=32))]
    pub queue_receivers: u16,

    /// Seconds that an empty long poll lasts
    #[arg(long, env = "QUEUE_WAIT_SECONDS", default_value_t = 20,
        value_parser = value_parser!(u16).range(0..=20))]
    pub queue_wait_seconds: u16,

    /// Seconds for which a received message is invisible to others; renewed at half time while it
    /// waits or is handled
    #[arg(long, env = "QUEUE_VISIBILITY_SECONDS", default_value_t = 60,
        value_parser = value_parser!(u16).range(2..=43_200))]
    pub queue_visibility_seconds: u16,

    /// Bytes of messages to hold, of 1 MiB at least; nothing is received while they have no room for
    /// the largest message of 1 MiB
    #[arg(long, env = "QUEUE_MEMORY_BYTES", default_value_t = 64 * LARGEST_MESSAGE,
        value_parser = value_parser!(u32).range(i64::from(LARGEST_MESSAGE)..))]
    pub queue_memory_bytes: u32,

    /// Seconds after which a handler is cut off and its batch retried; may exceed
    /// `QUEUE_VISIBILITY_SECONDS`
    #[arg(long, env = "HANDLER_TIMEOUT_SECONDS", default_value_t = 30,
        value_parser = value_parser!(u16).range(1..=20_000))]
    pub handler_timeout_seconds: u16,

    /// Longest wait before a message's first retry, in milliseconds; it doubles with each
    #[arg(long, env = "BACKOFF_BASE_MS", default_value_t = 1_000,
        value_parser = value_parser!(u32).range(1..=3_600_000))]
    pub backoff_base_ms: u32,

    /// Longest wait before any retry, in seconds
    #[arg(long, env = "BACKOFF_MAX_SECONDS", default_value_t = 300,
        value_parser = value_parser!(u16).range(1..=39_600))]
    pub backoff_max_seconds: u16,

    /// Bodies that are too large for the queue
    #[command(flatten)]
    pub claim_check: claim_check::Config,
}

impl Config {
    /// The same, for a handler that relies on the order of a group's messages.
    ///
    /// # Errors
    /// When the queue is a standard one, which keeps no order.
    pub fn require_fifo(self) -> anyhow::Result<Self> {
        ensure!(
            self.queue_url.strip_suffix(".fifo").is_some(),
            "QUEUE_URL {} names a standard queue, which keeps no order: expected a FIFO queue, whose \
             name ends with .fifo",
            self.queue_url
        );
        Ok(self)
    }

    /// What one setting's range cannot say.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        let (base, longest) = (self.backoff_base_ms, self.backoff_max_seconds);
        ensure!(
            base <= u32::from(longest) * 1_000,
            "BACKOFF_BASE_MS is {base} and must not exceed BACKOFF_MAX_SECONDS, which is {longest}: \
             no wait is longer than that"
        );
        self.claim_check.check()
    }

    /// Most messages to receive at once: a receive is never split over batches (that keeps a FIFO
    /// group's order), so it must fit into one.
    pub(crate) fn receive_size(&self) -> u16 {
        self.queue_batch_size.min(RECEIVE_LIMIT)
    }

    /// Most messages to hold: as many as are handled at a time.
    pub(crate) fn slots(&self, messages_at_a_time: Option<usize>) -> usize {
        let batch = usize::from(self.queue_batch_size);
        let at_a_time = messages_at_a_time.map_or(batch, |count| count.clamp(1, batch));
        usize::from(self.queue_concurrency) * at_a_time
    }

    pub(crate) fn batch_wait(&self) -> Duration {
        Duration::from_millis(self.queue_batch_wait_ms.into())
    }

    pub(crate) fn wait(&self) -> Duration {
        Duration::from_secs(self.queue_wait_seconds.into())
    }

    pub(crate) fn visibility(&self) -> Duration {
        Duration::from_secs(self.queue_visibility_seconds.into())
    }

    /// For how long a message is kept and handled again while a dependency is unavailable. Ten
    /// deliveries of six default timeouts are half an hour, even where no check sees the fault.
    pub(crate) fn retry_window(&self) -> Duration {
        (self.handler_timeout() * 6).min(LONGEST_RETRY_WINDOW)
    }

    pub(crate) fn handler_timeout(&self) -> Duration {
        Duration::from_secs(self.handler_timeout_seconds.into())
    }
}

fn queue_url(url: &str) -> Result<String, &'static str> {
    let path = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    match path.and_then(|path| path.rsplit_once('/')) {
        Some((_, name)) if !name.is_empty() => Ok(url.to_owned()),
        _ => Err("expected a URL such as https://sqs.REGION.amazonaws.com/ACCOUNT/QUEUE"),
    }
}

#[cfg(test)]
mod tests {
    use clap::{Command, FromArgMatches as _};

    use super::*;

    impl Config {
        /// The defaults, on a queue that does not exist.
        pub(crate) fn for_test() -> Self {
            parse(&["--queue-url", "https://sqs.region.amazonaws.com/1/queue"]).unwrap()
        }
    }

    fn parse(arguments: &[&str]) -> Result<Config, clap::Error> {
        let command = Config::augment_args(Command::new("test").no_binary_name(true));
        Config::from_arg_matches(&command.try_get_matches_from(arguments)?)
    }

    #[test]
    fn an_error_names_the_variable() {
        let url = ["--queue-url", "https://host/1/queue"];
        let wrong: [(&[&str], &str); 4] = [
            (&[], "QUEUE_URL"),
            (&["--queue-url", "task-commands"], "QUEUE_URL"),
            (&[url[0], url[1], "--queue-batch-size", "0"], "QUEUE_BATCH_SIZE"),
            (&[url[0], url[1], "--queue-wait-seconds", "21"], "QUEUE_WAIT_SECONDS"),
        ];
        for (arguments, variable) in wrong {
            let error = parse(arguments).unwrap_err().to_string();
            assert!(error.contains(variable), "{error}");
        }
    }

    #[test]
    fn a_first_backoff_must_not_exceed_the_longest() {
        let config =
            Config { backoff_base_ms: 5_001, backoff_max_seconds: 5, ..Config::for_test() };
        let error = config.check().unwrap_err().to_string();
        assert!(error.contains("BACKOFF_BASE_MS") && error.contains("BACKOFF_MAX_SECONDS"));
        Config::for_test().check().unwrap();
    }

    #[test]
    fn a_handler_may_need_the_order_of_a_fifo_queue() {
        let error = Config::for_test().require_fifo().unwrap_err().to_string();
        assert!(error.contains("QUEUE_URL") && error.contains("expected a FIFO queue"), "{error}");
        let ordered = parse(&["--queue-url", "https://sqs.region.amazonaws.com/1/queue.fifo"]);
        ordered.unwrap().require_fifo().unwrap();
    }

    #[test]
    fn the_largest_body_must_have_room() {
        let mut config = Config::for_test();
        config.claim_check.claim_check_memory_bytes = 1_000;
        let error = config.check().unwrap_err().to_string();
        assert!(error.contains("CLAIM_CHECK_MEMORY_BYTES is 1000"), "{error}");
        assert!(error.contains("CLAIM_CHECK_MAX_BYTES"), "{error}");
    }
}

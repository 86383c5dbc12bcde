//! The relay's settings.

use std::time::Duration;

use clap::{Args, value_parser};

/// Where facts go, how many at a time, and how long what is done is remembered.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Relay")]
#[group(skip)]
pub(crate) struct Config {
    /// URLs of the queues that every fact is sent to, separated by commas; those that end in
    /// `.fifo` keep the order of each task's facts
    #[arg(long, env, required = true, value_delimiter = ',', value_parser = queue_url)]
    pub(crate) fact_queue_urls: Vec<String>,

    /// Facts read and published at a time, about
    #[arg(long, env, default_value_t = 500, value_parser = value_parser!(u16).range(1..=5_000))]
    pub(crate) relay_batch_size: u16,

    /// Requests to each queue at a time
    #[arg(long, env, default_value_t = 8, value_parser = value_parser!(u8).range(1..=64))]
    pub(crate) relay_concurrency: u8,

    /// Refusals of a fact by a queue after which it is parked, until an operator retries or skips it
    /// (`dead-letters facts`). The first ten take about three minutes; outages do not count
    #[arg(long, env, default_value_t = 10, value_parser = value_parser!(u16).range(1..=1_000))]
    pub(crate) relay_max_attempts: u16,

    /// Seconds after which another replica takes over from one that is gone
    #[arg(long, env, default_value_t = 5, value_parser = value_parser!(u8).range(2..=60))]
    relay_lease_seconds: u8,

    /// Days for which a repeated command is known as such. SQS keeps a message for up to 14 days
    /// in its queue, and for 14 more as a dead letter
    #[arg(long, env, default_value_t = 30, value_parser = value_parser!(u16).range(28..=3_650))]
    inbox_retention_days: u16,
}

impl Config {
    pub(crate) fn lease(&self) -> Duration {
        Duration::from_secs(self.relay_lease_seconds.into())
    }

    pub(crate) fn inbox_retention(&self) -> Duration {
        Duration::from_hours(u64::from(self.inbox_retention_days) * 24)
    }
}

fn queue_url(text: &str) -> Result<String, &'static str> {
    let url = text.trim();
    if url.starts_with("http://") || url.starts_with("https://") {
        Ok(url.to_owned())
    } else {
        Err(
            "expected the URL of a queue, such as https://sqs.us-east-1.amazonaws.com/1234/facts.fifo",
        )
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Arguments {
        #[command(flatten)]
        config: Config,
    }

    fn parse(arguments: &[&str]) -> Result<Config, String> {
        let parsed = Arguments::try_parse_from(["test"].iter().chain(arguments));
        parsed.map(|arguments| arguments.config).map_err(|error| error.to_string())
    }

    #[test]
    fn queues_are_separated_by_commas() {
        let config = parse(&["--fact-queue-urls", "http://h/1/a.fifo, https://h/1/b"]).unwrap();
        assert_eq!(config.fact_queue_urls, ["http://h/1/a.fifo", "https://h/1/b"]);
    }

    #[test]
    fn no_queue_or_what_is_none_is_an_error_that_names_the_setting() {
        for arguments in [&[][..], &["--fact-queue-urls", ""], &["--fact-queue-urls", "facts"]] {
            let error = parse(arguments).unwrap_err();
            assert!(error.contains("FACT_QUEUE_URLS"), "{error}");
        }
    }

    #[test]
    fn commands_are_remembered_for_as_long_as_a_message_can_come_again() {
        let days = ["--fact-queue-urls", "http://h/1/a", "--inbox-retention-days", "27"];
        let error = parse(&days).unwrap_err();
        assert!(error.contains("28..=3650"), "{error}");
    }
}

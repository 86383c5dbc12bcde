//! What the queue itself says about its configuration, read once at start.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use aws_sdk_sqs::{Client, types::QueueAttributeName};
use serde::{Deserialize, Deserializer, de::Error as _};
use tracing::warn;

use crate::{
    Host,
    sqs::{Config, MAX_RECEIVE_COUNT, queue::rules::Rules},
};

/// How to get a queue that can be consumed, for the reader of the error.
const ADVICE: &str = "create a dead-letter queue and set the queue's RedrivePolicy \
                      (deadLetterTargetArn, maxReceiveCount)";

/// A queue's name, its rules, and where its dead letters go.
#[derive(Debug, Clone)]
pub(crate) struct QueueAttributes {
    pub(crate) arn: String,
    pub(crate) rules: Rules,
    pub(crate) dead_letter_url: String,
}

/// An SQS redrive policy.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RedrivePolicy {
    dead_letter_target_arn: String,
    #[serde(deserialize_with = "number_or_text")]
    max_receive_count: u32,
}

impl QueueAttributes {
    /// Reads them from the queue. One without a dead-letter queue is an error: a poison message would be
    /// handed out until it expires, and then be lost. So is one that hands a Lambda's messages out while
    /// they are handled.
    pub(crate) async fn read(client: &Client, config: &Config, host: Host) -> anyhow::Result<Self> {
        let url = &config.queue_url;
        let answer = client
            .get_queue_attributes()
            .queue_url(url)
            .attribute_names(QueueAttributeName::QueueArn)
            .attribute_names(QueueAttributeName::RedrivePolicy)
            .attribute_names(QueueAttributeName::VisibilityTimeout)
            .send()
            .await
            .with_context(|| format!("cannot read the attributes of QUEUE_URL {url}"))?;
        let attributes = answer.attributes.unwrap_or_default();
        let policy = attributes.get(&QueueAttributeName::RedrivePolicy).map(String::as_str);
        let policy = redrive_policy(policy).with_context(|| format!("QUEUE_URL {url}"))?;
        let arn = attributes.get(&QueueAttributeName::QueueArn).context("a queue without ARN")?;
        // A pod says itself for how long what it receives is invisible.
        if host == Host::Lambda {
            let visibility = attributes.get(&QueueAttributeName::VisibilityTimeout);
            check_visibility(visibility.map(String::as_str), config.handler_timeout())
                .with_context(|| format!("QUEUE_URL {url}"))?;
        }
        if policy.max_receive_count < u32::from(MAX_RECEIVE_COUNT) {
            let (found, expected) = (policy.max_receive_count, MAX_RECEIVE_COUNT);
            warn!(
                found,
                expected, "the queue's maxReceiveCount is low: an outage may cost messages"
            );
        }
        Ok(Self {
            dead_letter_url: queue_url(client, &policy.dead_letter_target_arn).await?,
            rules: Rules {
                max_receive_count: policy.max_receive_count,
                fifo: arn.rsplit_once('.').is_some_and(|(_, suffix)| suffix == "fifo"),
            },
            arn: arn.clone(),
        })
    }

    /// The queue's name: a metric's label.
    pub(crate) fn name(&self) -> &str {
        self.arn.rsplit(':').next().unwrap_or(&self.arn)
    }
}

fn redrive_policy(policy: Option<&str>) -> anyhow::Result<RedrivePolicy> {
    let policy = policy.with_context(|| format!("the queue has no dead-letter queue: {ADVICE}"))?;
    let policy: RedrivePolicy = serde_json::from_str(policy)
        .with_context(|| format!("the queue's redrive policy is unreadable: {ADVICE}"))?;
    ensure!(policy.max_receive_count > 0, "the queue's maxReceiveCount is 0: {ADVICE}");
    Ok(policy)
}

fn check_visibility(visibility: Option<&str>, handler_timeout: Duration) -> anyhow::Result<()> {
    let visibility = visibility.context("a queue without VisibilityTimeout")?;
    let seconds = visibility.parse().context("the queue's VisibilityTimeout is unreadable")?;
    ensure!(
        Duration::from_secs(seconds) >= handler_timeout,
        "the queue's VisibilityTimeout is {seconds} seconds, and HANDLER_TIMEOUT_SECONDS is {}: messages \
         would be delivered again while they are handled. Set VisibilityTimeout to six times the \
         function's timeout",
        handler_timeout.as_secs()
    );
    Ok(())
}

/// `arn:PARTITION:sqs:REGION:ACCOUNT:NAME` to a URL.
async fn queue_url(client: &Client, arn: &str) -> anyhow::Result<String> {
    let mut parts = arn.rsplit(':');
    let (name, account) = (parts.next(), parts.next());
    let answer = client
        .get_queue_url()
        .set_queue_name(name.map(str::to_owned))
        .set_queue_owner_aws_account_id(account.map(str::to_owned))
        .send()
        .await
        .with_context(|| format!("cannot find the dead-letter queue {arn}"))?;
    answer.queue_url.with_context(|| format!("the dead-letter queue {arn} has no URL"))
}

/// AWS answers with a number, whatever was set; others with what was set.
fn number_or_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Count {
        Number(u32),
        Text(String),
    }
    match Count::deserialize(deserializer)? {
        Count::Number(count) => Ok(count),
        Count::Text(count) => count.parse().map_err(D::Error::custom),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_count_in_either_form() {
        for count in ["5", "\"5\""] {
            let policy = format!(
                r#"{{"deadLetterTargetArn":"arn:aws:sqs:r:1:q","maxReceiveCount":{count}}}"#
            );
            let expected = RedrivePolicy {
                dead_letter_target_arn: "arn:aws:sqs:r:1:q".to_owned(),
                max_receive_count: 5,
            };
            assert_eq!(redrive_policy(Some(&policy)).unwrap(), expected);
        }
    }

    #[test]
    fn a_message_must_be_invisible_for_as_long_as_it_is_handled() {
        let check = |visibility| check_visibility(visibility, Duration::from_secs(30));
        check(Some("30")).unwrap();
        let error = check(Some("29")).unwrap_err().to_string();
        assert!(error.contains("VisibilityTimeout is 29 seconds"), "{error}");
        assert!(error.contains("HANDLER_TIMEOUT_SECONDS is 30"), "{error}");
        for unreadable in [None, Some("long")] {
            check(unreadable).unwrap_err();
        }
    }

    #[test]
    fn says_what_to_configure() {
        let zero = r#"{"deadLetterTargetArn":"a","maxReceiveCount":0}"#;
        for policy in [None, Some("{}"), Some(zero)] {
            let error = format!("{:#}", redrive_policy(policy).unwrap_err());
            assert!(error.contains("set the queue's RedrivePolicy"), "{error}");
        }
    }
}

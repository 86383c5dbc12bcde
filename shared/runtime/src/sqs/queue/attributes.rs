//! What the queue itself says about its configuration, read once at start.

use anyhow::{Context as _, ensure};
use aws_sdk_sqs::{Client, types::QueueAttributeName};
use serde::{Deserialize, Deserializer, de::Error as _};

use crate::sqs::queue::rules::Rules;

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
    /// handed out until it expires, and then be lost.
    pub(crate) async fn read(client: &Client, url: &str) -> anyhow::Result<Self> {
        let answer = client
            .get_queue_attributes()
            .queue_url(url)
            .attribute_names(QueueAttributeName::QueueArn)
            .attribute_names(QueueAttributeName::RedrivePolicy)
            .send()
            .await
            .with_context(|| format!("cannot read the attributes of QUEUE_URL {url}"))?;
        let attributes = answer.attributes.unwrap_or_default();
        let policy = attributes.get(&QueueAttributeName::RedrivePolicy).map(String::as_str);
        let policy = redrive_policy(policy).with_context(|| format!("QUEUE_URL {url}"))?;
        let arn = attributes.get(&QueueAttributeName::QueueArn).context("a queue without ARN")?;
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
    fn says_what_to_configure() {
        let zero = r#"{"deadLetterTargetArn":"a","maxReceiveCount":0}"#;
        for policy in [None, Some("{}"), Some(zero)] {
            let error = format!("{:#}", redrive_policy(policy).unwrap_err());
            assert!(error.contains("set the queue's RedrivePolicy"), "{error}");
        }
    }
}

//! The bucket of attachments, which notifies a queue of uploads.
//!
//! At AWS the queue's policy must let S3 send to it; the local server needs none.

use anyhow::{Context, Result};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use aws_sdk_s3::types::{
    Event, FilterRule, FilterRuleName, NotificationConfiguration, NotificationConfigurationFilter,
    QueueConfiguration, S3KeyFilter,
};

use crate::access::AwsAccess;
use crate::queues::arn;

const PREFIX: &str = "attachments/";

/// Creates the bucket `name`, unless it exists, and has it notify the queue at `queue_url` of each
/// object that is created under `attachments/`.
pub async fn create_attachment_bucket(aws: &AwsAccess, name: &str, queue_url: &str) -> Result<()> {
    // Path style, for an endpoint that is no AWS has no name for each bucket.
    let config = Builder::from(&aws.config()).force_path_style(true);
    let client = Client::from_conf(config.build());
    if client.head_bucket().bucket(name).send().await.is_err() {
        let created = client.create_bucket().bucket(name).send().await;
        created.with_context(|| format!("creating the bucket {name}"))?;
    }
    let queue = arn(&aws.sqs(), queue_url).await?;
    client
        .put_bucket_notification_configuration()
        .bucket(name)
        .notification_configuration(notifications(queue)?)
        .send()
        .await
        .with_context(|| format!("having the bucket {name} notify of its objects"))?;
    Ok(())
}

fn notifications(queue_arn: String) -> Result<NotificationConfiguration> {
    let prefix = FilterRule::builder().name(FilterRuleName::Prefix).value(PREFIX).build();
    let key = S3KeyFilter::builder().filter_rules(prefix).build();
    let queue = QueueConfiguration::builder()
        .queue_arn(queue_arn)
        .events(Event::S3ObjectCreated)
        .filter(NotificationConfigurationFilter::builder().key(key).build())
        .build()?;
    Ok(NotificationConfiguration::builder().queue_configurations(queue).build())
}

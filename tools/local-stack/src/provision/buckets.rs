//! Buckets of S3, and whom they notify.

use anyhow::{Context, Result};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, BucketLifecycleConfiguration, BucketVersioningStatus, Event,
    ExpirationStatus, FilterRule, FilterRuleName, LifecycleExpiration, LifecycleRule,
    LifecycleRuleFilter, NoncurrentVersionExpiration, NotificationConfiguration,
    NotificationConfigurationFilter, QueueConfiguration, S3KeyFilter, ServerSideEncryption,
    ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
    VersioningConfiguration,
};
use resources::{Bucket, BucketEncryption, Lifecycle, Notification, QueueKey};

use super::queues::arn;
use crate::access::AwsAccess;

/// Creates the described bucket under `name`, or brings it up to date. It notifies the queues whose
/// URLs `queue_url` knows.
pub async fn create_bucket<'a>(
    aws: &AwsAccess,
    described: &Bucket,
    name: &str,
    queue_url: impl Fn(QueueKey) -> &'a str,
) -> Result<()> {
    // Path style, for an endpoint that is no AWS has no name for each bucket.
    let config = Builder::from(&aws.config()).force_path_style(true);
    let client = Client::from_conf(config.build());
    if client.head_bucket().bucket(name).send().await.is_err() {
        let created = client.create_bucket().bucket(name).send().await;
        created.with_context(|| format!("creating the bucket {name}"))?;
    }
    keep(&client, described, name).await.with_context(|| format!("updating the bucket {name}"))?;

    let mut notifications = Vec::new();
    for notification in &described.notifications {
        let arn = arn(&aws.sqs(), queue_url(notification.queue)).await?;
        notifications.push(to_queue(notification, arn)?);
    }
    let configuration = NotificationConfiguration::builder();
    let configuration = configuration.set_queue_configurations(Some(notifications)).build();
    let request = client.put_bucket_notification_configuration().bucket(name);
    let request = request.notification_configuration(configuration);
    request.send().await.with_context(|| format!("having the bucket {name} notify"))?;
    Ok(())
}

/// How the bucket keeps its objects.
async fn keep(client: &Client, described: &Bucket, name: &str) -> Result<()> {
    // A bucket that had versions can only suspend them, and one that never had any needs nothing.
    if described.versioned {
        let status = BucketVersioningStatus::Enabled;
        let versioning = VersioningConfiguration::builder().status(status).build();
        let request = client.put_bucket_versioning().bucket(name);
        request.versioning_configuration(versioning).send().await?;
    }
    let request = client.put_bucket_encryption().bucket(name);
    let encryption = encryption(described.encryption)?;
    request.server_side_encryption_configuration(encryption).send().await?;
    let request = client.put_bucket_lifecycle_configuration().bucket(name);
    request.lifecycle_configuration(lifecycle(described.lifecycle)?).send().await?;
    Ok(())
}

fn encryption(encryption: BucketEncryption) -> Result<ServerSideEncryptionConfiguration> {
    let algorithm = match encryption {
        BucketEncryption::SseS3 => ServerSideEncryption::Aes256,
    };
    let default = ServerSideEncryptionByDefault::builder().sse_algorithm(algorithm).build()?;
    let rule = ServerSideEncryptionRule::builder().apply_server_side_encryption_by_default(default);
    Ok(ServerSideEncryptionConfiguration::builder().rules(rule.build()).build()?)
}

fn lifecycle(described: Lifecycle) -> Result<BucketLifecycleConfiguration> {
    let versions = NoncurrentVersionExpiration::builder()
        .noncurrent_days(described.expire_noncurrent_after_days.into());
    let uploads = AbortIncompleteMultipartUpload::builder()
        .days_after_initiation(described.abort_uploads_after_days.into());
    let expiration = described
        .expire_after_days
        .map(|days| LifecycleExpiration::builder().days(days.into()).build());
    let rule = LifecycleRule::builder()
        .id("everything")
        .status(ExpirationStatus::Enabled)
        .filter(LifecycleRuleFilter::builder().prefix("").build())
        .noncurrent_version_expiration(versions.build())
        .abort_incomplete_multipart_upload(uploads.build())
        .set_expiration(expiration);
    Ok(BucketLifecycleConfiguration::builder().rules(rule.build()?).build()?)
}

fn to_queue(notification: &Notification, queue_arn: String) -> Result<QueueConfiguration> {
    let prefix = FilterRule::builder().name(FilterRuleName::Prefix).value(&notification.prefix);
    let key = S3KeyFilter::builder().filter_rules(prefix.build()).build();
    let events = notification.events.iter().map(|event| Event::from(event.as_str())).collect();
    let queue = QueueConfiguration::builder()
        .queue_arn(queue_arn)
        .set_events(Some(events))
        .filter(NotificationConfigurationFilter::builder().key(key).build());
    Ok(queue.build()?)
}

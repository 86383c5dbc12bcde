//! The buckets of the account.

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, BucketVersioningStatus, Event, ExpirationStatus,
    FilterRuleName, LifecycleExpiration, LifecycleRuleFilter, NoncurrentVersionExpiration,
    NotificationConfigurationFilter,
};
use serde_json::{Value, json};

use super::{ByName, named, present};

/// All buckets; `key` is the key of a queue by its name.
pub(super) async fn created(s3: &Client, key: impl Fn(&str) -> String) -> ByName {
    let mut all = ByName::new();
    let listed = s3.list_buckets().send().await.expect("buckets");
    for bucket in listed.buckets() {
        let name = bucket.name().expect("a name");
        let versioning = s3.get_bucket_versioning().bucket(name).send().await.expect("an answer");
        let described = present(&json!({
            "name": name,
            "versioned": versioning.status() == Some(&BucketVersioningStatus::Enabled),
            "encryption": encryption(s3, name).await,
            "lifecycle": lifecycle(s3, name).await,
            "notifications": notifications(s3, name, &key).await,
        }));
        let (name, bucket) = named(described.into());
        all.insert(name, bucket);
    }
    all
}

async fn encryption(s3: &Client, name: &str) -> Option<&'static str> {
    let answer = s3.get_bucket_encryption().bucket(name).send().await.expect("an answer");
    let rules = answer.server_side_encryption_configuration.expect("a configuration").rules;
    let default = rules.first()?.apply_server_side_encryption_by_default()?;
    (default.sse_algorithm().as_str() == "AES256").then_some("SSE-S3")
}

/// The one rule, which is for all objects.
async fn lifecycle(s3: &Client, name: &str) -> Value {
    let request = s3.get_bucket_lifecycle_configuration().bucket(name);
    let answer = request.send().await.expect("an answer");
    assert_eq!(answer.rules().len(), 1, "{name}");
    let rule = &answer.rules()[0];
    assert_eq!(rule.status(), &ExpirationStatus::Enabled);
    assert_eq!(rule.filter().and_then(LifecycleRuleFilter::prefix), Some(""));
    let noncurrent = rule.noncurrent_version_expiration();
    let uploads = rule.abort_incomplete_multipart_upload();
    present(&json!({
        "expireAfterDays": rule.expiration().and_then(LifecycleExpiration::days),
        "expireNoncurrentAfterDays": noncurrent.and_then(NoncurrentVersionExpiration::noncurrent_days),
        "abortUploadsAfterDays": uploads.and_then(AbortIncompleteMultipartUpload::days_after_initiation),
    }))
    .into()
}

async fn notifications(s3: &Client, name: &str, key: impl Fn(&str) -> String) -> Option<Value> {
    let request = s3.get_bucket_notification_configuration().bucket(name);
    let answer = request.send().await.expect("an answer");
    assert_eq!(
        (answer.topic_configurations(), answer.lambda_function_configurations()),
        (&[][..], &[][..])
    );
    let queues = answer.queue_configurations().iter().map(|notification| {
        let queue = notification.queue_arn().rsplit(':').next().expect("a name");
        let events: Vec<_> = notification.events().iter().map(Event::as_str).collect();
        let rules = notification.filter().and_then(NotificationConfigurationFilter::key);
        let rules = rules.expect("a filter").filter_rules();
        assert_eq!(rules.len(), 1, "{name}");
        let rule = &rules[0];
        // S3 answers `Prefix` to who wrote `prefix`.
        let is_prefix = rule.name().is_some_and(|name| {
            name.as_str().eq_ignore_ascii_case(FilterRuleName::Prefix.as_str())
        });
        assert!(is_prefix, "{rule:?}");
        json!({"queue": key(queue), "events": events, "prefix": rule.value()})
    });
    let queues: Vec<_> = queues.collect();
    (!queues.is_empty()).then(|| queues.into())
}

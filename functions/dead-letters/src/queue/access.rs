//! Access to AWS, by the settings that every AWS tool reads.

use std::time::Duration;

use anyhow::Context as _;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};

/// Time of one attempt, the wait of a receive with it: A service may hang, but not the command line with it.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);

/// The region, the endpoint and the credentials of the environment.
pub(crate) async fn aws() -> anyhow::Result<SdkConfig> {
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT_TIMEOUT).build();
    let defaults = aws_config::defaults(BehaviorVersion::latest());
    let sdk = defaults.timeout_config(timeouts).load().await;
    sdk.region().context("no region is set: AWS_REGION, or `region` in the AWS configuration")?;
    Ok(sdk)
}

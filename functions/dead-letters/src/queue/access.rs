//! The client, by the settings that every AWS tool reads.

use std::time::Duration;

use anyhow::Context as _;
use aws_config::BehaviorVersion;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_sqs::Client;

/// Time of one attempt, the wait of a receive with it: SQS may hang, but not the command line with it.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);

/// A client for the region, the endpoint and the credentials of the environment.
pub(crate) async fn client() -> anyhow::Result<Client> {
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT_TIMEOUT).build();
    let defaults = aws_config::defaults(BehaviorVersion::latest());
    let sdk = defaults.timeout_config(timeouts).load().await;
    sdk.region().context("no region is set: AWS_REGION, or `region` in the AWS configuration")?;
    Ok(Client::new(&sdk))
}

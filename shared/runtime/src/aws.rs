//! How this system talks to AWS: the official SDK, with every time bounded.

use std::time::Duration;

use aws_config::{BehaviorVersion, SdkConfig, timeout::TimeoutConfig};
use tokio::sync::OnceCell;

/// Time to a connection. A healthy endpoint answers within milliseconds.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Time to the first byte of an answer. A long poll needs more and sets its own.
const READ_TIMEOUT: Duration = Duration::from_secs(5);
/// Time of one attempt, its answer read.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(6);
/// Time of a call with all of the SDK's retries.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(15);

/// Found once: clients share credentials and what keeps them fresh.
static CONFIG: OnceCell<SdkConfig> = OnceCell::const_new();

/// The configuration that every SDK client is built from: credentials, region and endpoint
/// (`AWS_ENDPOINT_URL`) as the SDK finds them in the environment, and our timeouts.
pub async fn client_config() -> SdkConfig {
    CONFIG.get_or_init(load).await.clone()
}

async fn load() -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build();
    aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts).load().await
}

//! How Secrets Manager is called: a Lambda has ten seconds to start, and a request that finds its
//! password changed waits for the new one.

use std::time::Duration;

use anyhow::{Context as _, anyhow};
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use secrecy::SecretString;
use tokio::sync::OnceCell;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);
const ATTEMPTS: u32 = 3;
/// Of all attempts and the pauses between them.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(6);

/// Made once: the calls share its connections and credentials.
static CLIENT: OnceCell<Client> = OnceCell::const_new();

/// The current value of the secret.
pub(crate) async fn fetch(arn: &str) -> anyhow::Result<SecretString> {
    let client = CLIENT.get_or_init(async || Client::new(&config().await)).await;
    let answer = client.get_secret_value().secret_id(arn).send().await;
    let answer = answer.map_err(|error| refused(&error))?;
    answer.secret_string.map(SecretString::from).context("is bytes: expected text")
}

async fn config() -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(ATTEMPT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build();
    aws_config::defaults(BehaviorVersion::latest())
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .load()
        .await
}

fn refused(error: &SdkError<GetSecretValueError>) -> anyhow::Error {
    let what_to_do = match error.code() {
        Some("ResourceNotFoundException") => {
            "no such secret, or it has no value: compare the ARN, its region and account with the \
             secret"
        }
        Some("InvalidRequestException") => "it may be scheduled for deletion: restore it",
        Some("AccessDeniedException") => {
            "the role of this function needs secretsmanager:GetSecretValue on the secret, and \
             kms:Decrypt on its key"
        }
        Some("DecryptionFailure") => {
            "the role of this function needs kms:Decrypt on the key of the secret"
        }
        Some(_) => "Secrets Manager refuses it",
        None => {
            "Secrets Manager does not answer: see that its endpoint is reachable from this network, \
             and that there are credentials and a region"
        }
    };
    anyhow!("cannot be read: {what_to_do} ({})", causes::with_causes(error))
}

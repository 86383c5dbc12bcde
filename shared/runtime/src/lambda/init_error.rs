//! Reports a failed start to Lambda, which shows it to the caller.

use std::time::Duration;

use anyhow::{Context as _, anyhow, ensure};
use lambda_runtime::Diagnostic;
use lambda_runtime_api_client::{PooledClient, body::Body, build_request};
use tokio::time::timeout;
use tracing::warn;

const PATH: &str = "/2018-06-01/runtime/init/error";
const TYPE: &str = "Function.InitFailed";
/// The Runtime API is on the same machine.
const TIMEOUT: Duration = Duration::from_secs(1);

/// Reports it. A failure of the report is only logged, for the process ends with the error itself.
pub(crate) async fn report(error: &anyhow::Error) {
    if let Err(unreported) = post(error).await {
        warn!(error = format!("{unreported:#}"), "the failed start could not be reported");
    }
}

async fn post(error: &anyhow::Error) -> anyhow::Result<()> {
    let diagnostic =
        Diagnostic { error_type: TYPE.to_owned(), error_message: format!("{error:#}") };
    let request = build_request()
        .method("POST")
        .uri(PATH)
        .header("lambda-runtime-function-error-type", TYPE)
        .body(Body::from(serde_json::to_string(&diagnostic)?))
        .context("not a request")?;
    let answer = timeout(TIMEOUT, PooledClient::builder().build().call(request)).await;
    let answer = answer.context("no answer in time")?.map_err(|error| anyhow!("{error}"))?;
    let status = answer.status();
    ensure!(status.is_success(), "the Lambda Runtime API answered {status}");
    Ok(())
}

//! One bounded fetch of the issuer's keys.

use std::time::Duration;

use jsonwebtoken::Validation;
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode, Url};

use super::keys::KeySet;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const TIMEOUT: Duration = Duration::from_secs(5);
const MAX_BYTES: usize = 256 * 1024;

/// Why the keys could not be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("the request failed")]
    Http(#[source] reqwest::Error),
    #[error("the issuer answered with {0}")]
    Status(StatusCode),
    #[error("the answer is larger than {MAX_BYTES} bytes")]
    TooLarge,
    #[error("the answer is not a JWK Set")]
    Malformed(#[from] serde_json::Error),
    #[error("the answer has no key that can verify a token")]
    NoKeys,
}

impl From<reqwest::Error> for FetchError {
    /// Without the address, which may hold credentials.
    fn from(error: reqwest::Error) -> Self {
        Self::Http(error.without_url())
    }
}

/// Fetches and reads the keys, of which there is one at least.
///
/// The client is built for this one request: no connection is worth keeping for the minutes until
/// the next, and a process that starts does not pay for setting up TLS.
pub(super) async fn fetch(url: &Url, rules: &Validation) -> Result<KeySet, FetchError> {
    let client = Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TIMEOUT)
        .redirect(Policy::none())
        .build()?;
    let response = client.get(url.clone()).send().await?;
    if response.status() != StatusCode::OK {
        return Err(FetchError::Status(response.status()));
    }
    let keys = KeySet::parse(&bounded(response).await?, rules)?;
    if keys.len() == 0 { Err(FetchError::NoKeys) } else { Ok(keys) }
}

async fn bounded(mut response: Response) -> Result<Vec<u8>, FetchError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > MAX_BYTES {
            return Err(FetchError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

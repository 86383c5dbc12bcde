//! Settings that are never shown.

use std::convert::Infallible;

use secrecy::SecretString;

/// Never fails, so that clap never prints a password beside an error.
#[expect(clippy::unnecessary_wraps, reason = "clap's signature")]
pub(crate) fn secret(text: &str) -> Result<SecretString, Infallible> {
    Ok(SecretString::from(text))
}

//! Pages of a list: how many elements, from where on, and where the next page is.
//!
//! A cursor names a position by the value of the last element, not by a number, so a list that
//! grows between two pages neither repeats nor skips. To callers it is opaque. It is signed,
//! together with its tenant and its list: what comes back is what we gave, to the same tenant and
//! for the same path and filters, so that whoever reads on need not check it again.

mod cursor;
mod limit;

use std::sync::Arc;

use anyhow::Context as _;
use aws_lc_rs::hmac::{HMAC_SHA256, Key};
use axum::http::{HeaderName, HeaderValue, Uri, header};
use clap::Args;
use domain::TenantId;
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use secrets::SecretArn;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use self::cursor::Cursor;
pub use self::limit::Limit;
use crate::Problem;

/// Shortest key, in bytes: as long as the signature.
const KEY_MIN: usize = 32;

/// What cursors are signed with. Flatten it into a function's configuration.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Pages")]
#[group(skip)]
pub struct Config {
    /// Key that signs the cursors of lists: at least 32 random bytes as text, the same in all
    /// replicas. With another key, lists that are being read must be begun again
    #[arg(long, env, hide_env_values = true, required_unless_present = "cursor_key_secret_arn")]
    pub cursor_key: Option<SecretString>,

    /// ARN of a secret of AWS Secrets Manager with that key as its `key`, in place of `CURSOR_KEY`
    #[arg(long, env, conflicts_with = "cursor_key")]
    pub cursor_key_secret_arn: Option<SecretArn>,
}

/// Signs cursors and knows its own again. Clones share the key.
#[derive(Clone, Debug)]
pub struct Cursors(Arc<Key>);

impl Cursors {
    /// # Errors
    /// When the key is too short, or cannot be read; the error names the variable, not its value.
    pub async fn new(config: &Config) -> anyhow::Result<Self> {
        let key = match &config.cursor_key_secret_arn {
            Some(arn) => {
                let [key] = arn.members("CURSOR_KEY_SECRET_ARN", ["key"]).await?;
                key
            }
            None => config.cursor_key.clone().context("CURSOR_KEY is missing")?,
        };
        Self::signed_with(&key)
    }

    fn signed_with(key: &SecretString) -> anyhow::Result<Self> {
        let key = key.expose_secret().as_bytes();
        anyhow::ensure!(key.len() >= KEY_MIN, "CURSOR_KEY: expected at least {KEY_MIN} bytes");
        Ok(Self(Arc::new(Key::new(HMAC_SHA256, key))))
    }

    /// The list that `tenant` requests with `uri`.
    #[must_use]
    pub fn list<'a>(&'a self, tenant: &TenantId, uri: &'a Uri) -> List<'a> {
        let mut pairs: Vec<_> = pairs(uri).filter(|(name, _)| name != "limit").collect();
        pairs.sort_unstable();
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        // None of the three has a line break.
        List { key: &self.0, uri, name: format!("{tenant}\n{}\n{query}\n", uri.path()) }
    }
}

/// A list of a tenant: what a cursor belongs to. The order of the parameters does not matter, and
/// `limit` may change from page to page.
#[derive(Debug)]
pub struct List<'a> {
    key: &'a Key,
    uri: &'a Uri,
    name: String,
}

impl List<'_> {
    /// The position that `cursor` names: one that was given to [`Self::next`] of the same list.
    pub fn position<T: DeserializeOwned>(&self, cursor: &Cursor) -> Result<T, Problem> {
        cursor.open(self.key, &self.name).ok_or_else(|| Problem::InvalidParameter {
            name: "cursor".to_owned(),
            detail: "expected the one that a page of this very list gave".to_owned(),
        })
    }

    /// The page after `position`: the same request with another cursor.
    pub fn next<T: Serialize>(&self, position: &T) -> Result<Next, Problem> {
        let position = serde_json::to_vec(position).map_err(anyhow::Error::from)?;
        let cursor = Cursor::seal(self.key, &self.name, &position);
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs(self.uri))
            .append_pair("cursor", cursor.as_str())
            .finish();
        Ok(Next(format!("{}?{query}", self.uri.path())))
    }
}

/// The parameters but the cursor.
fn pairs(
    uri: &Uri,
) -> impl Iterator<Item = (std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)> {
    let query = uri.query().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != "cursor")
}

/// Where the next page is: a path with a query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Next(String);

impl Next {
    /// The header that leads there (RFC 8288).
    pub fn link(&self) -> Result<(HeaderName, HeaderValue), Problem> {
        let link = format!("<{}>; rel=\"next\"", self.0);
        Ok((header::LINK, link.try_into().map_err(anyhow::Error::from)?))
    }
}

#[cfg(test)]
mod tests;

//! Servers that the user has already, and the addresses of those that the stack uses.

use std::convert::Infallible;

use anyhow::{Context, Result};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sqs::config::{Credentials, SharedCredentialsProvider};
use clap::Args;
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};

use crate::aws::CREDENTIAL;
use crate::environment::Environment;

const REGION: &str = "us-east-1";

/// Servers to use instead of private ones.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Servers to use instead of starting private ones")]
pub struct External {
    /// PostgreSQL database, as a role that may create roles and tables
    #[arg(long, value_name = "URL", env = "DATABASE_URL", hide_env_values = true, value_parser = secret)]
    pub database_url: Option<SecretString>,
    /// Redis
    #[arg(long, value_name = "URL", env = "REDIS_URL", hide_env_values = true, value_parser = secret)]
    pub redis_url: Option<SecretString>,
    /// AWS-compatible endpoint
    #[arg(long, value_name = "URL", env = "AWS_ENDPOINT_URL")]
    pub aws_endpoint_url: Option<String>,
    /// Region at that endpoint
    #[arg(long, value_name = "NAME", env = "AWS_REGION", default_value = REGION)]
    pub aws_region: String,
    /// Access key id for that endpoint
    #[arg(long, value_name = "ID", env = "AWS_ACCESS_KEY_ID", hide_env_values = true,
          default_value = CREDENTIAL)]
    pub aws_access_key_id: String,
    /// Secret access key for that endpoint
    #[arg(long, value_name = "KEY", env = "AWS_SECRET_ACCESS_KEY", hide_env_values = true,
          default_value = CREDENTIAL, value_parser = secret)]
    pub aws_secret_access_key: SecretString,
}

/// A parser that cannot fail, so that no message ever quotes the value.
#[expect(clippy::unnecessary_wraps, reason = "clap wants a Result")]
pub(crate) fn secret(value: &str) -> Result<SecretString, Infallible> {
    Ok(value.into())
}

/// How to reach AWS, or what stands in for it.
#[derive(Debug, Clone)]
pub struct AwsAccess {
    /// The endpoint of every service.
    pub endpoint: String,
    /// The region that requests are signed for.
    pub region: String,
    /// The access key id.
    pub key_id: String,
    /// The secret access key.
    pub secret_key: SecretString,
}

impl AwsAccess {
    /// A private server at `endpoint`.
    #[must_use]
    pub fn private(endpoint: &str) -> Self {
        Self {
            endpoint: endpoint.to_owned(),
            region: REGION.to_owned(),
            key_id: CREDENTIAL.to_owned(),
            secret_key: CREDENTIAL.into(),
        }
    }

    /// The server that the user named, if any.
    #[must_use]
    pub fn external(external: &External) -> Option<Self> {
        let endpoint = external.aws_endpoint_url.clone().filter(|url| !url.is_empty())?;
        Some(Self {
            endpoint,
            region: external.aws_region.clone(),
            key_id: external.aws_access_key_id.clone(),
            secret_key: external.aws_secret_access_key.clone(),
        })
    }

    /// The variables that the official SDKs and command line read.
    #[must_use]
    pub fn environment(&self) -> Environment {
        Environment::default()
            .with("AWS_ENDPOINT_URL", &self.endpoint)
            .with("AWS_REGION", &self.region)
            .with("AWS_ACCESS_KEY_ID", &self.key_id)
            .with_secret("AWS_SECRET_ACCESS_KEY", &self.secret_key)
    }

    /// What a client of any service is made from.
    #[must_use]
    pub fn config(&self) -> SdkConfig {
        let secret = self.secret_key.expose_secret();
        let credentials = Credentials::new(&self.key_id, secret, None, None, "local-stack");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.region.clone()))
            .endpoint_url(&self.endpoint)
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build()
    }

    /// A client of SQS.
    #[must_use]
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.config())
    }
}

/// Treats an empty URL as none: `DATABASE_URL= make run` starts a private server.
pub(crate) fn given(url: Option<&SecretString>) -> Option<SecretString> {
    url.filter(|url| !url.expose_secret().is_empty()).cloned()
}

/// `url` with another database.
pub(crate) fn with_database(url: &SecretString, name: &str) -> Result<SecretString> {
    let mut url = parse(url)?;
    url.set_path(name);
    Ok(url.as_str().into())
}

/// `url` with another user.
pub(crate) fn with_login(
    url: &SecretString,
    user: &str,
    password: &SecretString,
) -> Result<SecretString> {
    let mut url = parse(url)?;
    url.set_username(user)
        .and_then(|()| url.set_password(Some(password.expose_secret())))
        .ok()
        .context("DATABASE_URL has no host")?;
    Ok(url.as_str().into())
}

/// The host and port of `url`, which may be shown.
pub(crate) fn address(url: &SecretString) -> String {
    let Ok(url) = parse(url) else { return "(not a URL)".to_owned() };
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}{port}", url.host_str().unwrap_or_default())
}

fn parse(url: &SecretString) -> Result<Url> {
    // The cause could quote the URL, and with it the password.
    Url::parse(url.expose_secret()).ok().context("not a URL: see --help for what is expected")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_change_in_one_place_only() {
        let owner = SecretString::from("postgres://o:p@h:1/postgres?sslmode=require");
        let other = with_database(&owner, "task_app").unwrap();
        assert_eq!(other.expose_secret(), "postgres://o:p@h:1/task_app?sslmode=require");
        let login = with_login(&other, "reader", &"x_-y".into()).unwrap();
        assert_eq!(login.expose_secret(), "postgres://reader:x_-y@h:1/task_app?sslmode=require");
        assert_eq!(address(&login), "h:1");
    }

    #[test]
    fn a_bad_url_is_never_quoted() {
        let error = with_database(&"secret stuff".into(), "x").unwrap_err();
        assert!(!format!("{error:?}").contains("secret stuff"));
    }

    #[test]
    fn an_empty_url_is_none() {
        assert!(given(Some(&"".into())).is_none());
        assert!(given(Some(&"redis://h".into())).is_some());
    }
}

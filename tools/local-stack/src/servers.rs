//! PostgreSQL, Redis and the AWS-compatible server, each private or given by the user.

use anyhow::{Context, Result, bail};
use secrecy::{ExposeSecret as _, SecretString};

use crate::access::{AwsAccess, External, given};
use crate::environment::Environment;
use crate::postgres::Durability;
use crate::process::Process;
use crate::server::Server;
use crate::state::State;

/// The servers; each is there once it has been started, or is not ours.
#[derive(Debug, Default)]
pub struct Servers {
    external: External,
    postgres: Option<Server>,
    redis: Option<Server>,
    aws: Option<Server>,
}

impl Servers {
    /// No server yet; those of `external` will not be started.
    #[must_use]
    pub fn new(external: External) -> Self {
        Self { external, ..Self::default() }
    }

    /// Starts those that the user did not give, all at once; the AWS-compatible one on
    /// `aws_port`. After a failure, or when the future is dropped, [`Self::stop`] ends those
    /// that had come up.
    pub async fn start(
        &mut self,
        state: &State,
        durability: Durability,
        aws_port: u16,
    ) -> Result<()> {
        let Self { external, postgres, redis, aws } = self;
        tokio::try_join!(
            async {
                if given(external.database_url.as_ref()).is_none() {
                    *postgres = Some(Server::postgres(state, durability).await?);
                }
                anyhow::Ok(())
            },
            async {
                if given(external.redis_url.as_ref()).is_none() {
                    *redis = Some(Server::redis(state).await?);
                }
                Ok(())
            },
            async {
                if AwsAccess::external(external).is_none() {
                    *aws = Some(Server::aws(state, aws_port).await?);
                }
                Ok(())
            },
        )?;
        Ok(())
    }

    /// Whether PostgreSQL is private, and thus empty at its first start.
    #[must_use]
    pub fn owns_postgres(&self) -> bool {
        self.postgres.is_some()
    }

    /// The owner's URL: of the database that the user gave, or of `postgres` on the private
    /// server.
    pub fn database_url(&self) -> Result<SecretString> {
        let private = self.postgres.as_ref().map(|postgres| postgres.url().clone());
        private.or_else(|| given(self.external.database_url.as_ref())).context("no PostgreSQL")
    }

    /// The URL of Redis.
    pub fn redis_url(&self) -> Result<SecretString> {
        let private = self.redis.as_ref().map(|redis| redis.url().clone());
        private.or_else(|| given(self.external.redis_url.as_ref())).context("no Redis")
    }

    /// How to reach AWS.
    pub fn aws(&self) -> Result<AwsAccess> {
        let private = self.aws.as_ref().map(|aws| AwsAccess::private(aws.url().expose_secret()));
        private.or_else(|| AwsAccess::external(&self.external)).context("no AWS endpoint")
    }

    /// `REDIS_URL` and the `AWS_*` variables.
    pub fn environment(&self) -> Result<Environment> {
        Ok(self.aws()?.environment().with_secret("REDIS_URL", &self.redis_url()?))
    }

    /// The processes that are ours.
    pub fn processes(&mut self) -> impl Iterator<Item = &mut Process> {
        let servers = [&mut self.aws, &mut self.redis, &mut self.postgres];
        servers.into_iter().flatten().map(Server::process)
    }

    /// Stops what is ours, PostgreSQL last. Tries all before it reports what did not stop well.
    pub async fn stop(&mut self) -> Result<()> {
        let mut unwell = Vec::new();
        for process in self.processes() {
            let ended_before = process.id().is_none();
            match process.stop().await {
                Ok(status) if status.success() || ended_before => {}
                Ok(status) => unwell.push(format!("{}: {status}", process.name())),
                Err(error) => unwell.push(format!("{}: {error:#}", process.name())),
            }
        }
        if unwell.is_empty() { Ok(()) } else { bail!("did not stop well: {}", unwell.join(", ")) }
    }
}

//! Starts our functions as they are deployed, on the servers of `local-stack exec`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Parser;
use local_stack::{AwsAccess, Environment, External, Function, State};
use secrecy::SecretString;
use tempfile::TempDir;

use crate::servers::{Running, Server};

/// How long a program may take to start.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

#[derive(Parser)]
struct Settings {
    #[command(flatten)]
    servers: External,
}

/// What functions share.
pub(crate) struct Functions {
    /// Where the release build is; absolute.
    pub(crate) bin_dir: PathBuf,
    pub(crate) aws: AwsAccess,
    pub(crate) redis_url: SecretString,
    pub(crate) state: State,
    folder: TempDir,
}

impl Functions {
    pub(crate) fn of(bin_dir: &Path) -> Result<Self> {
        let servers = Settings::parse_from(["bench"]).servers;
        let by = "run it by `local-stack exec`";
        let folder = tempfile::tempdir()?;
        Ok(Self {
            bin_dir: std::path::absolute(bin_dir)?,
            aws: AwsAccess::external(&servers).context(by)?,
            redis_url: servers.redis_url.context(by)?,
            state: State::open(folder.path())?,
            folder,
        })
    }

    /// What every function has in its environment.
    pub(crate) fn environment(&self) -> Environment {
        self.aws.environment().with_secret("REDIS_URL", &self.redis_url)
    }

    /// Starts a function, and waits until it is ready to work. Several of it have different names.
    pub(crate) async fn start(
        &self,
        function: &str,
        name: &str,
        environment: &Environment,
    ) -> Result<Server> {
        Self::ready(self.spawn(function, name, environment)?).await
    }

    /// As [`Self::start`], of another program on the runtime of ours.
    pub(crate) async fn start_other(
        &self,
        program: &str,
        environment: &Environment,
    ) -> Result<Server> {
        let binary = self.bin_dir.join(program);
        Self::ready(Function::start(&binary, program, environment, &self.state)?).await
    }

    /// Starts a function, and waits for nothing.
    pub(crate) fn spawn(
        &self,
        function: &str,
        name: &str,
        environment: &Environment,
    ) -> Result<Function> {
        let binary = self.bin_dir.join("task-app");
        Function::start_with(&binary, &[function], name, environment, &self.state)
    }

    async fn ready(mut function: Function) -> Result<Server> {
        function.ready(PATIENCE).await?;
        Server::new(Running::Ours(function))
    }

    /// For files that last as long as this value.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

//! The tool as a process. Whatever it prints with `--json` is checked against its schemas, and no error says how the
//! AWS SDK is made.

use std::ffi::OsStr;
use std::io;
use std::ops::{Deref, DerefMut};
use std::process::{ExitStatus, Output, Stdio};

use tokio::process::{Child, Command};

use super::schemas::check_printed;
use crate::support::system::binary;

/// What shows a type of the SDK, as in `ServiceError(ServiceError { source: Unhandled(…) })`.
const INTERNALS: [&str; 4] = ["Error {", "Error(", "Failure(", "Unhandled("];

/// A command line of the tool.
pub(crate) struct Tool(Command);

/// The tool while it runs.
pub(crate) struct Running {
    child: Child,
    arguments: Vec<String>,
}

impl Tool {
    /// With an empty environment.
    pub(crate) fn new(arguments: &[&str]) -> Self {
        let mut command = Command::new(binary("dead-letters"));
        command
            .args(arguments)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self(command)
    }

    pub(crate) fn env(&mut self, name: &str, value: impl AsRef<OsStr>) -> &mut Self {
        self.0.env(name, value);
        self
    }

    pub(crate) fn envs<K: AsRef<OsStr>, V: AsRef<OsStr>>(
        &mut self,
        variables: impl IntoIterator<Item = (K, V)>,
    ) -> &mut Self {
        self.0.envs(variables);
        self
    }

    pub(crate) fn kill_on_drop(&mut self) -> &mut Self {
        self.0.kill_on_drop(true);
        self
    }

    pub(crate) fn spawn(&mut self) -> io::Result<Running> {
        let arguments = self.0.as_std().get_args();
        let arguments = arguments.map(|word| word.to_string_lossy().into_owned()).collect();
        Ok(Running { child: self.0.spawn()?, arguments })
    }

    pub(crate) async fn output(&mut self) -> io::Result<Output> {
        self.spawn()?.wait_with_output().await
    }

    pub(crate) async fn status(&mut self) -> io::Result<ExitStatus> {
        Ok(self.output().await?.status)
    }
}

impl Running {
    pub(crate) async fn wait_with_output(self) -> io::Result<Output> {
        let output = self.child.wait_with_output().await?;
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!INTERNALS.iter().any(|internal| said.contains(internal)), "{said}");
        if self.arguments.iter().any(|word| word == "--json") {
            check_printed(&self.arguments, &String::from_utf8_lossy(&output.stdout));
        }
        Ok(output)
    }
}

impl Deref for Running {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.child
    }
}

impl DerefMut for Running {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.child
    }
}

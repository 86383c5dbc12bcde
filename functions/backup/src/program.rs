//! PostgreSQL's own programs: where they are, of which version, and how they are run.

use std::env::{split_paths, var_os};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use secrecy::ExposeSecret as _;
use store::backup::Libpq;
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, ChildStderr, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// The variable that names a folder with the programs to use.
const SETTING: &str = "POSTGRES_BIN_DIR";
/// Where Debian has a folder for each version.
const VERSIONED: &str = "/usr/lib/postgresql";
/// How long a program may take to say its version.
const VERSION_TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of what a program complains that are kept: the first ones, which say the cause.
const MOST_COMPLAINTS: usize = 8 * 1_024;

/// A program that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Program {
    path: PathBuf,
    /// As it prints it, such as `15.18`.
    pub(crate) version: String,
    pub(crate) major: i32,
}

/// A program that runs. It ends when this is dropped.
pub(crate) struct Running {
    pub(crate) child: Child,
    name: &'static str,
    complaints: JoinHandle<String>,
}

impl Program {
    /// `pg_dump` for a server of this major version.
    ///
    /// # Errors
    /// When there is none. An older one cannot read the server, and what a newer one writes need not be
    /// read by the server that it came from.
    pub(crate) async fn pg_dump(server: i32) -> Result<Self> {
        Self::find("pg_dump", server, |found| found.major == server).await
    }

    /// `pg_restore` that reads what a `pg_dump` of this version wrote; best one of the server's version.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) async fn pg_restore(dumped_by: i32, server: i32) -> Result<Self> {
        let best = Self::find("pg_restore", server, |found| {
            found.major == server && found.major >= dumped_by
        });
        match best.await {
            Ok(found) => Ok(found),
            Err(_) => Self::find("pg_restore", dumped_by, |found| found.major >= dumped_by).await,
        }
    }

    async fn find(name: &'static str, wanted: i32, fits: impl Fn(&Self) -> bool) -> Result<Self> {
        let mut seen = Vec::new();
        for folder in folders(wanted) {
            let path = folder.join(name);
            if !path.is_file() {
                continue;
            }
            let found = Self::at(path).await?;
            if fits(&found) {
                return Ok(found);
            }
            seen.push(format!("{} is of version {}", found.path.display(), found.version));
        }
        let seen = if seen.is_empty() { "none was found".to_owned() } else { seen.join(", ") };
        bail!(
            "{name} of PostgreSQL {wanted} is needed, and {seen}: install postgresql-client-{wanted}, or \
             set {SETTING} to the folder of its programs"
        )
    }

    async fn at(path: PathBuf) -> Result<Self> {
        let output = Command::new(&path).arg("--version").kill_on_drop(true).output();
        let output = timeout(VERSION_TIMEOUT, output).await.map_err(anyhow::Error::from);
        let output = output.and_then(|output| Ok(output?));
        let output = output.with_context(|| format!("running {} --version", path.display()))?;
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let (version, major) = version(&printed)
            .with_context(|| format!("{} --version printed {printed:?}", path.display()))?;
        Ok(Self { path, version, major })
    }

    /// Starts it. The password is in its environment, and nothing else of ours but the way to programs.
    pub(crate) fn start(
        &self,
        name: &'static str,
        arguments: &[String],
        database: &Libpq,
        stdin: Stdio,
        stdout: Stdio,
    ) -> Result<Running> {
        let mut command = Command::new(&self.path);
        command.args(arguments).arg(format!("--dbname={}", database.url)).env_clear();
        let kept = ["PATH", "HOME", "TMPDIR", "LANG"];
        command.envs(kept.into_iter().filter_map(|name| Some((name, var_os(name)?))));
        if let Some(password) = &database.password {
            command.env("PGPASSWORD", password.expose_secret());
        }
        // A server that does not answer is not waited for without bound.
        command.env("PGCONNECT_TIMEOUT", "30").env("PGAPPNAME", "backup");
        command.stdin(stdin).stdout(stdout).stderr(Stdio::piped()).kill_on_drop(true);
        let child = command.spawn();
        let mut child = child.with_context(|| format!("starting {}", self.path.display()))?;
        let complaints = tokio::spawn(complaints(child.stderr.take()));
        Ok(Running { child, name, complaints })
    }
}

impl Running {
    /// Waits for its end, for so long.
    ///
    /// # Errors
    /// When it did not end well: with what it complained.
    pub(crate) async fn end(mut self, limit: Duration) -> Result<()> {
        let Self { child, name, complaints } = &mut self;
        let status = timeout(limit, child.wait()).await;
        let status = status.with_context(|| format!("{name} does not end"))??;
        let complaints = complaints.await.unwrap_or_default();
        // One line, as every error is.
        let complaints: Vec<_> = complaints.lines().map(str::trim).collect();
        ensure!(status.success(), "{} ({status})", said(name, &complaints.join("; ")));
        Ok(())
    }
}

/// What it complained, with its name: most of its lines begin with it.
fn said(name: &str, complaints: &str) -> String {
    let has_name = complaints.starts_with(name);
    if has_name { complaints.to_owned() } else { format!("{name}: {complaints}") }
}

/// The first of what it complains; the rest is read, so that it does not wait.
async fn complaints(stderr: Option<ChildStderr>) -> String {
    let Some(mut stderr) = stderr else { return String::new() };
    let (mut kept, mut block) = (Vec::new(), [0; 1_024]);
    while let Ok(read) = stderr.read(&mut block).await {
        if read == 0 {
            break;
        }
        let room = MOST_COMPLAINTS - kept.len();
        kept.extend_from_slice(block.get(..read.min(room)).unwrap_or_default());
    }
    String::from_utf8_lossy(&kept).into_owned()
}

fn folders(wanted: i32) -> Vec<PathBuf> {
    if let Some(folder) = var_os(SETTING).filter(|folder| !folder.is_empty()) {
        return vec![folder.into()];
    }
    let path = var_os("PATH").unwrap_or_default();
    let versioned = Path::new(VERSIONED).join(wanted.to_string()).join("bin");
    std::iter::once(versioned).chain(split_paths(&path)).collect()
}

/// The version and its major one, of `pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
fn version(printed: &str) -> Option<(String, i32)> {
    let is_version = |word: &&str| word.starts_with(|first: char| first.is_ascii_digit());
    let version = printed.split_whitespace().find(is_version)?;
    let major: String = version.chars().take_while(char::is_ascii_digit).collect();
    Some((version.to_owned(), major.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_what_programs_print() {
        let debian = "pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)";
        assert_eq!(version(debian), Some(("15.18".to_owned(), 15)));
        let beta = "pg_restore (PostgreSQL) 19beta1";
        assert_eq!(version(beta), Some(("19beta1".to_owned(), 19)));
        assert_eq!(version("command not found"), None);
    }
}

//! Whom a child process runs as, and that it dies with us.
//!
//! Both would need `unsafe` between fork and exec, so that `setpriv` (util-linux) does it.

use std::os::unix::fs::chown;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use nix::sys::signal::Signal;
use nix::unistd::{Uid, User, geteuid};

/// The one capability that lets an unprivileged user pass through folders of ours.
const ENTER_FOLDERS: &str = "-all,+dac_override";

/// The user of a child process.
#[derive(Debug, Clone)]
pub enum Identity {
    /// The same as ours.
    Ours,
    /// Another one, to which root steps down.
    Other {
        /// That user.
        user: User,
        /// Whether a folder on its way is closed to it, so that it needs a capability.
        enters_folders: bool,
    },
}

impl Identity {
    /// `name` where we are root and its programs refuse to run as root, else ourselves.
    /// Hands `folder` over to it.
    pub fn unprivileged(name: &str, folder: &Path) -> Result<Self> {
        if geteuid() != Uid::from_raw(0) {
            return Ok(Self::Ours);
        }
        let user = User::from_name(name)?
            .with_context(|| format!("the system has no user `{name}`: install its package"))?;
        chown(folder, Some(user.uid.as_raw()), Some(user.gid.as_raw()))?;
        let plain = Self::Other { user: user.clone(), enters_folders: false };
        let reaches = plain
            .command(Path::new("test"), Signal::SIGTERM)
            .arg("-x")
            .arg(folder)
            .current_dir("/")
            .stderr(Stdio::null())
            .status()
            .context("running setpriv (package util-linux)")?
            .success();
        Ok(Self::Other { user, enters_folders: !reaches })
    }

    /// Hands a file over to the user.
    pub fn own(&self, path: &Path) -> Result<()> {
        if let Self::Other { user, .. } = self {
            chown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw()))
                .with_context(|| format!("handing {} over to {}", path.display(), user.name))?;
        }
        Ok(())
    }

    /// The start of a command for `executable`, which gets `signal` when this thread ends.
    #[must_use]
    pub fn command(&self, executable: &Path, signal: Signal) -> Command {
        if !cfg!(target_os = "linux") {
            return Command::new(executable);
        }
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", signal.as_str()]);
        if let Self::Other { user, enters_folders } = self {
            command.arg(format!("--reuid={}", user.uid)).arg(format!("--regid={}", user.gid));
            command.arg("--init-groups");
            if *enters_folders {
                command.arg(format!("--inh-caps={ENTER_FOLDERS}"));
                command.arg(format!("--ambient-caps={ENTER_FOLDERS}"));
            }
        }
        command.arg("--").arg(executable);
        command
    }
}

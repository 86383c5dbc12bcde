//! The system's packages: installed by apt, or named for Homebrew.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use nix::unistd::{Uid, geteuid};

use crate::{postgres, redis};

/// Installs packages without starting their services or creating their databases.
const SCRIPT: &str = include_str!("packages.sh");

const PYTHON_CHECK: &str = "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))";

/// Something that a package brings.
struct Need {
    what: &'static str,
    apt: &'static [&'static str],
    brew: &'static str,
    is_there: fn() -> bool,
}

const NEEDS: [Need; 4] = [
    Need {
        what: "PostgreSQL server",
        apt: &["postgresql"],
        brew: "postgresql@17",
        is_there: postgres::is_installed,
    },
    Need {
        what: "Redis server",
        apt: &["redis-server"],
        brew: "redis",
        is_there: || runs(redis::EXECUTABLE, &["--version"]),
    },
    Need {
        what: "Python 3.10 or newer with its venv module",
        apt: &["python3", "python3-venv"],
        brew: "python@3.13",
        is_there: || runs("python3", &["-c", PYTHON_CHECK]),
    },
    Need {
        what: "setpriv",
        apt: &["util-linux"],
        brew: "",
        is_there: || !cfg!(target_os = "linux") || runs("setpriv", &["--version"]),
    },
];

/// Installs the packages of what is missing.
pub(super) fn install(report: &mut dyn FnMut(&str)) -> Result<()> {
    let missing: Vec<_> = NEEDS.iter().filter(|need| !(need.is_there)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let what: Vec<_> = missing.iter().map(|need| need.what).collect();
    if cfg!(target_os = "macos") {
        let formulas: Vec<_> = missing.iter().map(|need| need.brew).collect();
        bail!("missing: {}. Install with: brew install {}", what.join(", "), formulas.join(" "));
    }
    let packages: Vec<_> = missing.iter().flat_map(|need| need.apt).copied().collect();
    if !Path::new("/usr/bin/apt-get").exists() {
        bail!("missing: {}. Install the packages of your system for it", what.join(", "));
    }
    report(&format!("installing {} (apt-get install {})", what.join(", "), packages.join(" ")));
    run_script(&packages)?;
    match missing.iter().find(|need| !(need.is_there)()) {
        Some(need) => bail!("{} is still missing after the installation", need.what),
        None => Ok(()),
    }
}

fn run_script(packages: &[&str]) -> Result<()> {
    let mut command = if geteuid() == Uid::from_raw(0) {
        Command::new("sh")
    } else {
        let mut sudo = Command::new("sudo");
        sudo.arg("sh");
        sudo
    };
    let status = command
        .args(["-eu", "-c", SCRIPT, "install"])
        .args(packages)
        .status()
        .context("installing packages needs root, or `sudo`")?;
    if !status.success() {
        bail!("the installation of {} failed ({status})", packages.join(" "));
    }
    Ok(())
}

fn runs(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

//! The data folder of a private PostgreSQL server.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use secrecy::{ExposeSecret, SecretString};

use super::{USER, binaries};
use crate::identity::Identity;
use crate::process::{Process, Program};
use crate::state::{State, write_private};

/// A data folder that is ready, and what its server needs.
pub(super) struct Cluster {
    pub(super) binaries: PathBuf,
    pub(super) data: PathBuf,
    pub(super) identity: Identity,
}

/// Finds the data folder of `state`, or creates it with `password` for its superuser.
pub(super) async fn prepare(
    state: &State,
    password: &SecretString,
    binaries: Option<&Path>,
) -> Result<Cluster> {
    let folder = state.path().join("postgres");
    fs::create_dir_all(&folder)?;
    let data = folder.join("data");
    let identity = Identity::unprivileged("postgres", &folder)?;
    let binaries = match binaries {
        Some(folder) => folder.to_owned(),
        None => binaries::find(version_of(&data))?,
    };
    if !data.exists() {
        create(state, &binaries, &folder, &identity, password).await?;
    }
    Ok(Cluster { binaries, data, identity })
}

fn version_of(data: &Path) -> Option<u32> {
    fs::read_to_string(data.join("PG_VERSION")).ok()?.trim().parse().ok()
}

/// Creates the data in a draft folder first, so that an interrupted start leaves no half of it.
async fn create(
    state: &State,
    binaries: &Path,
    folder: &Path,
    identity: &Identity,
    password: &SecretString,
) -> Result<()> {
    let draft = folder.join("draft");
    if draft.exists() {
        fs::remove_dir_all(&draft)?;
    }
    let password_file = folder.join("password");
    write_private(&password_file, password.expose_secret().as_bytes())?;
    identity.own(&password_file)?;

    let mut initdb = Program::new("initdb", binaries.join("initdb"), folder);
    initdb.log = Some(state.log("initdb"));
    initdb.identity = identity.clone();
    initdb.arguments = arguments(&draft, &password_file);
    Process::start(initdb)?.success().await?;
    fs::remove_file(&password_file)?;
    fs::rename(&draft, folder.join("data")).context("moving PostgreSQL's new data into place")
}

fn arguments(data: &Path, password_file: &Path) -> Vec<OsString> {
    // As on RDS, letters are those of Unicode; the order is that of the bytes on every machine.
    let letters = if cfg!(target_os = "macos") { "en_US.UTF-8" } else { "C.UTF-8" };
    let fixed = ["--encoding=UTF8", "--locale=C", "--auth=scram-sha-256"];
    let mut arguments: Vec<OsString> = fixed.map(Into::into).into();
    arguments.push(format!("--lc-ctype={letters}").into());
    arguments.push(format!("--username={USER}").into());
    arguments.extend(["--pgdata".into(), data.into()]);
    arguments.extend(["--pwfile".into(), password_file.into()]);
    arguments
}

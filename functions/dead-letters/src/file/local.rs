//! A file on this machine: written beside its name, and given it when it is whole.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

const PARTIAL: &str = ".partial";
/// Bodies may be secret.
const ONLY_OURS: u32 = 0o600;

pub(super) struct Local {
    path: PathBuf,
    partial: PathBuf,
    file: File,
    overwrite: bool,
    is_kept: bool,
}

impl Local {
    pub(super) fn create(path: &Path, overwrite: bool) -> anyhow::Result<Self> {
        if !overwrite && path.exists() {
            bail!(exists(&path.display().to_string()));
        }
        let mut name = OsString::from(path);
        name.push(PARTIAL);
        let partial = PathBuf::from(name);
        let file = OpenOptions::new().write(true).create_new(true).mode(ONLY_OURS).open(&partial);
        let file = match file {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => bail!(
                "{} is there already: it is being written, or is of a run that was killed. Then look \
                 at it, as it may have messages that were deleted, and move it",
                partial.display()
            ),
            file => file.with_context(|| format!("creating {}", partial.display()))?,
        };
        Ok(Self { path: path.to_owned(), partial, file, overwrite, is_kept: false })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        self.file.write_all(bytes).with_context(|| self.writing())
    }

    /// Makes what was written durable. From now on it is left, whatever happens.
    pub(super) fn sync(&mut self) -> anyhow::Result<()> {
        self.is_kept = true;
        self.file.sync_data().with_context(|| self.writing())
    }

    /// Gives the file its name.
    pub(super) fn finish(self) -> anyhow::Result<()> {
        let finished = self.file.sync_all().with_context(|| self.writing()).and_then(|()| {
            let renaming =
                || format!("renaming {} to {}", self.partial.display(), self.path.display());
            self.rename().with_context(renaming)
        });
        if finished.is_err() {
            self.discard()?;
        }
        finished
    }

    fn rename(&self) -> anyhow::Result<()> {
        if self.overwrite {
            fs::rename(&self.partial, &self.path)?;
            return self.sync_folder();
        }
        // Unlike a rename, it replaces no file that appeared meanwhile.
        match fs::hard_link(&self.partial, &self.path) {
            Ok(()) => fs::remove_file(&self.partial)?,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                bail!(exists(&self.path.display().to_string()))
            }
            // A file system without links.
            Err(_) => fs::rename(&self.partial, &self.path)?,
        }
        self.sync_folder()
    }

    /// The name, too, is to be there after a power failure.
    fn sync_folder(&self) -> anyhow::Result<()> {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        Ok(File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?)
    }

    /// Leaves nothing, unless it was made durable.
    pub(super) fn discard(&self) -> anyhow::Result<()> {
        if self.is_kept {
            return Ok(());
        }
        let removed = fs::remove_file(&self.partial);
        removed.with_context(|| format!("removing {}", self.partial.display()))
    }

    /// Where what was written is until it is whole.
    pub(super) fn partial(&self) -> &Path {
        &self.partial
    }

    fn writing(&self) -> String {
        format!("writing {}", self.partial.display())
    }
}

/// What to say of a target that is there already.
pub(super) fn exists(target: &str) -> String {
    format!("{target} is there already; `--overwrite` replaces it")
}

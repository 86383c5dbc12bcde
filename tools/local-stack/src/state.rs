//! What a stack remembers from one run to the next: one folder, owned by one stack at a time.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};

use crate::environment::Environment;
use crate::ports;

const SECRET_BYTES: usize = 24;
const OPERATOR_URL: &str = "secrets/operator-url";
const ENVIRONMENTS: &str = "secrets/environments";

/// The repository that this program was built from.
#[must_use]
pub fn repository() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here)
}

/// The ignored folder of the repository below which everything local lives.
#[must_use]
pub fn local_folder() -> PathBuf {
    repository().join(".local")
}

/// A folder with the data, secrets, ports and logs of one stack.
#[derive(Debug, Clone)]
pub struct State {
    root: PathBuf,
}

impl State {
    /// Opens `root` and creates what is missing. Other users may enter it (PostgreSQL's own
    /// must), but not read the secrets in it.
    pub fn open(root: impl AsRef<Path>) -> Result<Self> {
        let root = std::path::absolute(root.as_ref())?;
        for folder in ["logs", "ports", "secrets"] {
            let mode = if folder == "secrets" { 0o700 } else { 0o755 };
            let path = root.join(folder);
            DirBuilder::new()
                .recursive(true)
                .mode(mode)
                .create(&path)
                .with_context(|| format!("creating {}", path.display()))?;
        }
        Ok(Self { root })
    }

    /// The folder itself, as an absolute path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// The log file of `name`.
    #[must_use]
    pub fn log(&self, name: &str) -> PathBuf {
        self.root.join("logs").join(format!("{name}.log"))
    }

    /// The random secret called `name`: 24 bytes in URL-safe base64, made at its first use.
    pub fn secret(&self, name: &str) -> Result<SecretString> {
        let bytes = self.secret_bytes(name, || {
            let mut random = [0; SECRET_BYTES];
            aws_lc_rs::rand::fill(&mut random)?;
            Ok(URL_SAFE_NO_PAD.encode(random).into_bytes())
        })?;
        Ok(String::from_utf8(bytes).context("a secret is not text")?.into())
    }

    /// The secret bytes called `name`, from `make` at their first use.
    pub fn secret_bytes(
        &self,
        name: &str,
        make: impl FnOnce() -> Result<Vec<u8>>,
    ) -> Result<Vec<u8>> {
        let path = self.root.join("secrets").join(name);
        match fs::read(&path) {
            Ok(bytes) => Ok(bytes),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let bytes = make()?;
                write_private(&path, &bytes)?;
                Ok(bytes)
            }
            Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
        }
    }

    /// Keeps the URL by which an operator logs in to PostgreSQL.
    pub(crate) fn keep_operator_url(&self, url: &SecretString) -> Result<()> {
        write_private(&self.root.join(OPERATOR_URL), url.expose_secret().as_bytes())
    }

    /// The URL by which an operator logs in to the PostgreSQL of the last run.
    pub fn operator_url(&self) -> Result<SecretString> {
        let url = fs::read_to_string(self.root.join(OPERATOR_URL));
        Ok(url.context("there is no operator's login yet: start the stack with `make run`")?.into())
    }

    /// Keeps the environments of a run, by name, in place of those of the run before.
    pub(crate) fn keep_environments<'a>(
        &self,
        environments: impl Iterator<Item = (&'a str, Environment)>,
    ) -> Result<()> {
        let folder = self.root.join(ENVIRONMENTS);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        DirBuilder::new().mode(0o700).create(&folder)?;
        for (name, environment) in environments {
            write_private(&folder.join(name), environment.exports().as_bytes())?;
        }
        Ok(())
    }

    /// What sets the environment that `name` had in the last run, for a shell.
    pub fn environment(&self, name: &str) -> Result<String> {
        let folder = self.root.join(ENVIRONMENTS);
        let entries = fs::read_dir(&folder);
        let entries = entries.context("nothing has run yet: start the stack with `make run`")?;
        let mut names: Vec<_> =
            entries.flatten().map(|it| it.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        if !names.iter().any(|it| it == name) {
            bail!("the stack has no `{name}`; it has {}", names.join(", "));
        }
        Ok(fs::read_to_string(folder.join(name))?)
    }

    /// The port that `name` had in the last run.
    #[must_use]
    pub fn remembered_port(&self, name: &str) -> Option<u16> {
        fs::read_to_string(self.root.join("ports").join(name)).ok()?.trim().parse().ok()
    }

    /// A free port for `name`, that of the last run where possible.
    pub fn port(&self, name: &str) -> Result<u16> {
        let port = ports::free(self.remembered_port(name))?;
        fs::write(self.root.join("ports").join(name), port.to_string())?;
        Ok(port)
    }

    /// Takes the folder for this process; refuses while another process has it.
    pub fn lock(&self) -> Result<Lock> {
        Lock::take(&self.root.join("lock"))
    }
}

/// Writes a file that only this user can read, whole or not at all.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    let draft = path.with_extension("new");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(bytes)?;
    fs::rename(&draft, path).with_context(|| format!("writing {}", path.display()))
}

/// A file lock. The kernel ends it with the process, however that dies.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock; the error names the process that has it.
    pub fn take(path: &Path) -> Result<Self> {
        let mut file = Self::open(path)?;
        match file.try_lock() {
            Ok(()) => {
                file.set_len(0)?;
                write!(file, "{}", std::process::id())?;
                Ok(Self { _file: file })
            }
            Err(TryLockError::WouldBlock) => {
                let holder = fs::read_to_string(path).unwrap_or_default();
                bail!("a stack already runs on {}: process {holder}", folder_of(path).display())
            }
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }

    /// Takes the lock as soon as nobody else has it.
    pub fn wait(path: &Path) -> Result<Self> {
        let file = Self::open(path)?;
        file.lock().with_context(|| format!("locking {}", path.display()))?;
        Ok(Self { _file: file })
    }

    fn open(path: &Path) -> Result<File> {
        fs::create_dir_all(folder_of(path))?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        options.open(path).with_context(|| format!("opening {}", path.display()))
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_secret_is_made_once_and_kept_private() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::open(folder.path()).unwrap();
        let first = state.secret("a").unwrap();
        let again = State::open(folder.path()).unwrap().secret("a").unwrap();
        let other = state.secret("b").unwrap();

        assert_eq!(first.expose_secret(), again.expose_secret());
        assert_ne!(first.expose_secret(), other.expose_secret());
        let mode = fs::metadata(folder.path().join("secrets/a")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn the_environments_of_the_last_run_are_kept_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::open(folder.path()).unwrap();
        assert!(state.environment("worker").unwrap_err().to_string().contains("make run"));
        let one = |value| Environment::default().with("A", value);
        state.keep_environments([("old", one("0"))].into_iter()).unwrap();
        let kept = [("reader", one("1")), ("worker", one("2"))];
        state.keep_environments(kept.into_iter()).unwrap();
        assert_eq!(state.environment("worker").unwrap(), "export A='2'\n");
        for other in ["old", "../operator-url", ""] {
            let error = state.environment(other).unwrap_err().to_string();
            assert!(error.ends_with("it has reader, worker"), "{error}");
        }
    }

    #[test]
    fn a_folder_has_one_owner_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::open(folder.path()).unwrap();
        let lock = state.lock().unwrap();

        let error = state.lock().unwrap_err().to_string();
        assert!(error.contains(&std::process::id().to_string()), "{error}");
        drop(lock);
        state.lock().unwrap();
    }
}

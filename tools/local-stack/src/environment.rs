//! The environment of a child process: only what it is given, so that nothing of the
//! developer's shell changes how a function behaves here.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// Variables that any program needs to find its tools, its home and its scratch space.
const INHERITED: [&str; 4] = ["PATH", "HOME", "TMPDIR", "LANG"];

/// Names and values; `Debug` shows names only, since values may be secret.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<OsString, OsString>);

impl Environment {
    /// `PATH`, `HOME`, `TMPDIR` and `LANG` of this process, as far as they are set.
    #[must_use]
    pub fn inherited() -> Self {
        let kept = INHERITED.iter().filter_map(|name| Some((name.into(), std::env::var_os(name)?)));
        Self(kept.collect())
    }

    /// Everything that this process has: for commands that the user gave.
    #[must_use]
    pub fn whole() -> Self {
        Self(std::env::vars_os().collect())
    }

    /// Adds a variable or replaces it.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.insert(name.into(), value.as_ref().to_owned());
        self
    }

    /// Adds a variable whose value is secret.
    #[must_use]
    pub fn with_secret(self, name: &str, value: &SecretString) -> Self {
        self.with(name, value.expose_secret())
    }

    /// Without a variable.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.0.remove(OsStr::new(name));
        self
    }

    /// Adds all of `other`; its values win.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.0.extend(other.0.clone());
        self
    }

    /// As commands of a shell that set each variable.
    #[must_use]
    pub fn exports(&self) -> String {
        let quoted = |value: &OsStr| value.to_string_lossy().replace('\'', "'\\''");
        let export = |(name, value): (&OsString, &OsString)| {
            format!("export {}='{}'\n", name.to_string_lossy(), quoted(value))
        };
        self.iter().map(export).collect()
    }

    /// Every name with its value.
    pub fn iter(&self) -> impl Iterator<Item = (&OsString, &OsString)> {
        self.0.iter()
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_value() {
        let shown = format!("{:?}", Environment::default().with_secret("KEY", &"hidden".into()));
        assert_eq!(shown, "{\"KEY\"}");
    }

    #[test]
    fn a_shell_reads_what_was_exported() {
        let odd = "it's $HOME\n\"quoted\" \\ `ls`";
        let exports = Environment::default().with("ODD", odd).exports();
        let script = format!("{exports}printf %s \"$ODD\"");
        let read = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
        assert_eq!(String::from_utf8(read.stdout).unwrap(), odd);
    }

    #[test]
    fn the_later_value_wins() {
        let first = Environment::default().with("A", "1").with("B", "1");
        let both = first.and(&Environment::default().with("A", "2"));
        let values: Vec<_> = both.iter().map(|(_, value)| value.to_str().unwrap()).collect();
        assert_eq!(values, ["2", "1"]);
    }
}

//! What a shell and `man` know of the tool: made of the command line itself, so that neither is out of date.

use std::fs::create_dir_all;
use std::path::Path;

use anyhow::{Context as _, Result};
use clap::CommandFactory as _;
use clap_complete::{Shell, generate};

use crate::arguments::Arguments;
use crate::output;

/// Prints what completes the command line in a shell.
pub(super) fn completions(shell: Shell) -> Result<()> {
    output::line(script(shell)?.trim_end())
}

fn script(shell: Shell) -> Result<String> {
    let mut script = Vec::new();
    let mut command = Arguments::command();
    let name = command.get_name().to_owned();
    generate(shell, &mut command, name, &mut script);
    Ok(String::from_utf8(script)?)
}

/// Writes a manual page for the tool and for each command.
pub(super) fn pages(folder: &Path) -> Result<()> {
    create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Arguments::command(), folder))
        .with_context(|| format!("writing manual pages into {}", folder.display()))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::{Command, Stdio};

    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn every_shell_completes_every_command_and_bash_takes_its_script() {
        for shell in Shell::value_variants() {
            let script = script(*shell).unwrap();
            let tool = Arguments::command();
            for command in tool.get_subcommands() {
                assert!(script.contains(command.get_name()), "{shell}: {}", command.get_name());
            }
            assert!(script.contains("--newer-than") || script.contains("newer-than"), "{shell}");
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("script");
        fs::write(&file, script(Shell::Bash).unwrap()).unwrap();
        let bash = Command::new("bash").arg("-n").arg(&file).output().unwrap();
        assert!(bash.status.success(), "{bash:?}");
    }

    #[test]
    fn each_command_has_a_page_that_man_takes() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("man").join("man1");
        pages(&folder).unwrap();
        for command in Arguments::command().get_subcommands() {
            let page = folder.join(format!("dead-letters-{}.1", command.get_name()));
            let written = fs::read_to_string(&page).unwrap();
            assert!(written.contains(".SH SYNOPSIS"), "{}", page.display());
            // Not every machine has it.
            let mut groff = Command::new("groff");
            groff.args(["-man", "-ww", "-z"]).arg(&page).stdout(Stdio::null());
            if let Ok(groff) = groff.output() {
                assert_eq!(String::from_utf8_lossy(&groff.stderr), "", "{}", page.display());
            }
        }
        assert!(folder.join("dead-letters.1").is_file());
        assert!(folder.join("dead-letters-facts-skip.1").is_file());
    }
}

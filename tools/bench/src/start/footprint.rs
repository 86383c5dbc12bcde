//! What a function that waits for work takes of memory, and what ships takes of a disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use local_stack::State;
use tokio::process::Command;
use tokio::time::{sleep, timeout};

use super::functions::{CERTIFICATES, Servers};
use super::launch::Sign;
use crate::figures::Spread;
use crate::part::Run;
use crate::show;

/// Those that wait for work.
const FUNCTIONS: [&str; 6] = [
    "task-reader",
    "task-writer",
    "command-worker",
    "history-projector",
    "attachment-worker",
    "outbox-relay",
];
const QUICK_STARTS: usize = 2;
const FULL_STARTS: usize = 5;
/// What a start leaves to do: the first poll, the first answer of a server.
const SETTLE: Duration = Duration::from_millis(300);
/// To strip and to compress.
const PATIENCE: Duration = Duration::from_mins(1);
const MIB: f64 = 1024.0;
const MB: f64 = 1e6;

/// MiB of a process that is ready.
pub(super) struct Memory {
    pub(super) function: &'static str,
    pub(super) resident: Spread,
    /// Of these, what the process has for itself.
    pub(super) anonymous: Spread,
}

/// MB of what ships.
pub(super) struct Sizes {
    pub(super) binary: f64,
    pub(super) compressed: f64,
}

pub(super) async fn memory(run: &Run, servers: &Servers, state: &State) -> Result<Vec<Memory>> {
    let mut all = Vec::new();
    for function in FUNCTIONS {
        let (start, health) = servers.function(run, function)?;
        let (mut resident, mut anonymous) = (Vec::new(), Vec::new());
        for _ in 0..run.choose(FULL_STARTS, QUICK_STARTS) {
            let (_, mut process) = start.until(Sign::Answers(health, "/readyz"), state).await?;
            sleep(SETTLE).await;
            let id = process.id().context("it has ended")?;
            let rollup = fs::read_to_string(format!("/proc/{id}/smaps_rollup"))?;
            resident.push(kib(&rollup, "Rss:")? / MIB);
            anonymous.push(kib(&rollup, "Anonymous:")? / MIB);
            process.kill().await?;
        }
        let of = |values| Spread::of(values).context("no start was measured");
        all.push(Memory { function, resident: of(resident)?, anonymous: of(anonymous)? });
    }
    Ok(all)
}

/// A line of the kernel's.
fn kib(text: &str, name: &str) -> Result<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let value = line.and_then(|line| line.trim().strip_suffix("kB"));
    value.with_context(|| format!("no {name}"))?.trim().parse().context(name.to_owned())
}

/// Of the binary without symbols, and of all that is in the image with it.
pub(super) async fn sizes(bin_dir: &Path, folder: &Path) -> Result<Sizes> {
    let (binary, image) = (folder.join("task-app"), folder.join("image.tar.gz"));
    let mut strip = Command::new("objcopy");
    succeed(strip.arg("--strip-all").arg(bin_dir.join("task-app")).arg(&binary)).await?;
    let mut tar = Command::new("tar");
    tar.args(["--create", "--gzip", "--dereference", "--absolute-names", "--file"]).arg(&image);
    succeed(tar.arg(&binary).args(libraries(&binary).await?).args(certificates())).await?;
    let megabytes = |file: &Path| -> Result<f64> {
        let bytes = u32::try_from(fs::metadata(file)?.len()).context("a file of gigabytes")?;
        Ok(f64::from(bytes) / MB)
    };
    Ok(Sizes { binary: megabytes(&binary)?, compressed: megabytes(&image)? })
}

fn certificates() -> impl Iterator<Item = PathBuf> {
    let rds = local_stack::repository().join("functions/task-app/image/rds.pem");
    [CERTIFICATES.into(), rds].into_iter().filter(|file: &PathBuf| file.exists())
}

/// What the loader would load, and the loader.
async fn libraries(binary: &Path) -> Result<Vec<PathBuf>> {
    Ok(paths(&succeed(Command::new("ldd").arg(binary)).await?))
}

fn paths(text: &str) -> Vec<PathBuf> {
    let words = text.split_whitespace().filter(|word| word.starts_with('/'));
    words.map(PathBuf::from).collect()
}

async fn succeed(command: &mut Command) -> Result<String> {
    let program = command.as_std().get_program().to_string_lossy().into_owned();
    let output = timeout(PATIENCE, command.kill_on_drop(true).output()).await;
    let output = output.with_context(|| format!("{program} does not end"))?;
    let output = output.with_context(|| format!("starting {program}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{program}: {}", said.trim());
    if !said.is_empty() {
        show(&format!("  {program}: {}", said.trim()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_kernel_has_its_kibibytes() {
        let rollup = "Rss:               23296 kB\nPss:               23000 kB\nAnonymous:  8 kB\n";
        assert!((kib(rollup, "Rss:").unwrap() - 23_296.0).abs() < f64::EPSILON);
        assert!((kib(rollup, "Anonymous:").unwrap() - 8.0).abs() < f64::EPSILON);
        assert!(kib(rollup, "Swap:").unwrap_err().to_string().contains("Swap"));
    }

    #[test]
    fn libraries_are_those_that_are_files() {
        let text =
            "\tlinux-vdso.so.1 (0x1)\n\tlibm.so.6 => /lib/libm.so.6 (0x2)\n\t/lib64/ld.so (0x3)\n";
        assert_eq!(paths(text), [Path::new("/lib/libm.so.6"), Path::new("/lib64/ld.so")]);
    }
}

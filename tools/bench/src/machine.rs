//! What machine this is: figures of another one differ.

use std::fs;
use std::thread::available_parallelism;

use anyhow::{Context as _, Result};

/// A sentence: processors, memory, kernel.
pub(crate) fn describe() -> Result<String> {
    let read = |path| fs::read_to_string(path).with_context(|| format!("reading {path}"));
    let (processors, memory) = (read("/proc/cpuinfo")?, read("/proc/meminfo")?);
    let model = value(&processors, "model name").unwrap_or("unknown");
    let kib: f64 =
        value(&memory, "MemTotal").and_then(|it| it.split(' ').next()?.parse().ok()).unwrap_or(0.0);
    let kernel = read("/proc/sys/kernel/osrelease")?;
    Ok(format!(
        "{} processors ({model}), {:.0} GiB, Linux {}",
        available_parallelism()?,
        kib / 1024.0 / 1024.0,
        kernel.trim()
    ))
}

fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_once(':').map(|(_, value)| value.trim())
}

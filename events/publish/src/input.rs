//! Events from files and from standard input, with the place where each was found.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::Context as _;

/// One event as it was found.
#[derive(Debug)]
pub(crate) struct Event {
    /// A file's name, or a file's name and line.
    pub(crate) place: String,
    pub(crate) body: String,
}

impl AsRef<str> for Event {
    fn as_ref(&self) -> &str {
        &self.body
    }
}

/// Reads all events, in order.
pub(crate) fn read(files: &[PathBuf]) -> anyhow::Result<Vec<Event>> {
    let mut events = Vec::new();
    if files.is_empty() {
        read_one(Path::new("-"), &mut events)?;
    }
    for file in files {
        read_one(file, &mut events)?;
    }
    Ok(events)
}

fn read_one(file: &Path, events: &mut Vec<Event>) -> anyhow::Result<()> {
    let place = file.display().to_string();
    if file == Path::new("-") {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).context("reading standard input")?;
        lines("standard input", &text, events);
        return Ok(());
    }
    let text = fs::read_to_string(file).with_context(|| format!("reading {place}"))?;
    if file.extension().is_some_and(|extension| extension == "json") {
        events.push(Event { place, body: text });
    } else {
        lines(&place, &text, events);
    }
    Ok(())
}

fn lines(place: &str, text: &str, events: &mut Vec<Event>) {
    for (number, line) in (1..).zip(text.lines()) {
        if !line.trim().is_empty() {
            events.push(Event { place: format!("{place}:{number}"), body: line.to_owned() });
        }
    }
}

//! The functions' logs on standard output: each line with its function's name on a terminal,
//! plain JSON lines for anything else.

use std::fs::File;
use std::io::{IsTerminal as _, Read as _, Write as _, stdout};

use anyhow::{Context, Result};

use crate::process::Process;

/// At most so much of one log is read at a time, so that none starves the others.
const CHUNK: u64 = 256 * 1024;
/// A line that is longer is cut.
const LONGEST_LINE: usize = 256 * 1024;
/// ANSI colours that distinguish the names.
const COLOURS: [u8; 6] = [36, 33, 32, 35, 34, 31];
const NAME_WIDTH: usize = 16;

/// The logs that are forwarded.
pub(super) struct Logs {
    named: bool,
    tails: Vec<Tail>,
}

impl Logs {
    /// Readable on a terminal, unless `json`.
    pub(super) fn new(json: bool) -> Self {
        Self { named: stdout().is_terminal() && !json, tails: Vec::new() }
    }

    /// The value of `LOG_FORMAT` for the functions.
    pub(super) fn format(&self) -> &'static str {
        if self.named { "pretty" } else { "json" }
    }

    /// Forwards the log of `process` from its beginning.
    pub(super) fn add(&mut self, process: &Process) -> Result<()> {
        let path = process.log().context("a process without a log")?;
        let colour = COLOURS.iter().cycle().nth(self.tails.len()).copied().unwrap_or_default();
        let name = process.name();
        let prefix = format!("\x1b[{colour}m{name:NAME_WIDTH$}\x1b[0m │ ");
        let prefix = if self.named { prefix } else { String::new() };
        self.tails.push(Tail { file: File::open(path)?, prefix, unfinished: Vec::new() });
        Ok(())
    }

    /// Forwards the lines that were written since the last time.
    pub(super) fn forward(&mut self) -> Result<()> {
        let mut output = Vec::new();
        for tail in &mut self.tails {
            tail.read(&mut output)?;
        }
        stdout().lock().write_all(&output).context("standard output was closed")
    }
}

/// A log file, read to some point.
struct Tail {
    file: File,
    prefix: String,
    unfinished: Vec<u8>,
}

impl Tail {
    /// Appends the new whole lines to `output`.
    fn read(&mut self, output: &mut Vec<u8>) -> Result<()> {
        let mut chunk = Vec::new();
        (&self.file).take(CHUNK).read_to_end(&mut chunk)?;
        for piece in chunk.split_inclusive(|byte| *byte == b'\n') {
            self.unfinished.extend_from_slice(piece);
            if piece.ends_with(b"\n") || self.unfinished.len() > LONGEST_LINE {
                output.extend_from_slice(self.prefix.as_bytes());
                output.append(&mut self.unfinished);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_lines_are_forwarded_each_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut writer = File::create(&path).unwrap();
        let file = File::open(&path).unwrap();
        let mut tail = Tail { file, prefix: "w | ".into(), unfinished: Vec::new() };
        let mut output = Vec::new();

        writer.write_all(b"one\ntw").unwrap();
        tail.read(&mut output).unwrap();
        assert_eq!(output, b"w | one\n");
        writer.write_all(b"o\n").unwrap();
        tail.read(&mut output).unwrap();
        assert_eq!(output, b"w | one\nw | two\n");
    }
}

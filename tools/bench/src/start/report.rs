//! The part of the report that is about starts, and about what they lead to.

use std::fmt::{self, Write as _};

use anyhow::{Context as _, Result};

use super::footprint::{Memory, Sizes};
use super::{Case, Host, Row, Until};
use crate::figures::Spread;
use crate::plot::bar;
use crate::turns::ratio;

/// Milliseconds that a start may take beyond that of the empty program.
const MORE_MS: f64 = 10.0;
const RESIDENT_MIB: f64 = 20.0;
const BINARY_MB: f64 = 40.0;
const COMPRESSED_MB: f64 = 40.0;

/// As Markdown: a table of differences, a plot, and the times.
pub(super) fn starts(rows: &[Row], rounds: u32) -> Result<String> {
    let mut text = format!(
        "## Starts\n\n\
         From before the process is made to the first sign of its work: {rounds} rounds, each with two starts of ours and\n\
         two of an empty program, one after the other. `/livez` and `/readyz`: the first answer that is 200 to a client that\n\
         tries every 0.1 ms. Ready means that PostgreSQL has answered on a new connection; it and Redis are on this machine.\n\
         Poll: the first `ReceiveMessage` reaches the queue, after the attributes of the queue and of its dead-letter queue\n\
         were read from it. Next: the first request for an invocation reaches the Lambda Runtime API, and an extension was\n\
         registered before. Empty is an axum server that answers 200, and for Lambdas `lambda_runtime` with a handler that\n\
         answers null; each is a binary of its own. The kernel has the files in its cache. Certificates are those of the\n\
         image, in one file. A place of AWS adds the time to load the image and to reach its servers.\n\n\
         | function | first | ms more than empty | aim | times as long |\n|---|---|---|---|---|\n",
    );
    for row in rows {
        let Row { case, ours, empty } = row;
        let long = ratio(ours, empty)?;
        let (function, sign) = (case.title(), case.sign());
        writeln!(text, "| {function} | {sign} | {} | ≤ {MORE_MS} | {long} |", row.more()?)?;
    }
    write!(text, "\nMilliseconds more, as a part of {MORE_MS}; `|` is the aim.\n\n```\n")?;
    for row in rows {
        let part = row.more()?.by(MORE_MS);
        writeln!(text, "{:<40} {}", row.case.to_string(), bar(part, 1.0))?;
    }
    text.push_str("```\n\nMilliseconds, ours and empty:\n\n");
    for Row { case, ours, empty } in rows {
        let of = |times: &[f64]| Spread::of(times.to_vec()).context("no start was measured");
        writeln!(text, "- {case}: {}; {}", of(ours)?, of(empty)?)?;
    }
    Ok(text)
}

/// As Markdown: memory, and sizes.
pub(super) fn footprint(memory: &[Memory], sizes: &Sizes) -> Result<String> {
    let mut text = String::from(
        "\n### Memory and sizes\n\n\
         MiB that are resident when a function is ready and has nothing to do yet. A part of them are pages of the binary\n\
         and of libraries, which several processes share and the kernel can take back; the others are its own. After a load:\n\
         see the reads.\n\n\
         | function | resident | aim | of these its own |\n|---|---|---|---|\n",
    );
    for Memory { function, resident, anonymous } in memory {
        writeln!(text, "| {function} | {resident} | ≤ {RESIDENT_MIB} | {anonymous} |")?;
    }
    write!(
        text,
        "\nThe binary has no symbols, as it ships. Compressed (`gzip -6`) it is counted with the libraries that it links to,\n\
         with the loader and with the authorities of certificates: the image has nothing else but the names of a user and of\n\
         a name service.\n\n\
         | what | MB | aim |\n|---|---|---|\n\
         | binary | {:.1} | ≤ {BINARY_MB} |\n| image, compressed | {:.1} | ≤ {COMPRESSED_MB} |\n\n\
         As a part of what is aimed at:\n\n```\n",
        sizes.binary, sizes.compressed
    )?;
    for Memory { function, resident, .. } in memory {
        writeln!(
            text,
            "{:<40} {}",
            format!("{function}, resident"),
            bar(resident.by(RESIDENT_MIB), 1.0)
        )?;
    }
    for (name, size, aim) in [
        ("binary", sizes.binary, BINARY_MB),
        ("image, compressed", sizes.compressed, COMPRESSED_MB),
    ] {
        let size = Spread::of(vec![size / aim]).context("one value")?;
        writeln!(text, "{name:<40} {}", bar(size, 1.0))?;
    }
    text.push_str("```\n");
    Ok(text)
}

impl Row {
    /// Milliseconds more, pair by pair.
    fn more(&self) -> Result<Spread> {
        let more = self.ours.iter().zip(&self.empty).map(|(ours, empty)| ours - empty);
        Spread::of(more.collect()).context("no start was measured")
    }
}

impl Case {
    fn title(&self) -> String {
        match self.host {
            Host::Pod => self.function.to_owned(),
            Host::Lambda => format!("{} as a Lambda", self.function),
        }
    }

    fn sign(&self) -> &'static str {
        match self.until {
            Until::Answers("/livez") => "200 of `/livez`",
            Until::Answers(_) => "200 of `/readyz`",
            Until::Polls => "poll",
            Until::AsksNext => "`next`",
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.title(), self.sign())
    }
}

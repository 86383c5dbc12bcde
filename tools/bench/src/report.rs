//! The report: what each part of it says, of this run or, where only others were measured, of an earlier one.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::part::Part;

const HEAD: &str = "# Benchmarks\n\n\
    Programs do each work in turn (ours, other, other, ours), so that what changes slowly on the machine meets all\n\
    alike; they, their servers and their load share it. Each ratio is ours divided by the other's: the median of all\n\
    turns, with the least and the greatest. Each part says what made it, and where.\n";

/// A file, and a folder beside it with the parts that it is made of.
pub(crate) struct Report {
    file: PathBuf,
    parts: PathBuf,
}

impl Report {
    /// Makes the folders.
    pub(crate) fn at(file: &Path) -> Result<Self> {
        let parts = file.with_extension("parts");
        fs::create_dir_all(&parts).with_context(|| format!("making {}", parts.display()))?;
        Ok(Self { file: file.to_owned(), parts })
    }

    /// Replaces a part, and makes the report anew.
    pub(crate) fn write(&self, part: Part, text: &str) -> Result<()> {
        fs::write(self.part(part), text).with_context(|| format!("writing {}", part.name()))?;
        let parts = Part::ALL.iter().filter_map(|part| fs::read_to_string(self.part(*part)).ok());
        let report = parts.fold(HEAD.to_owned(), |all, part| format!("{all}\n{part}"));
        fs::write(&self.file, report).with_context(|| format!("writing {}", self.file.display()))
    }

    fn part(&self, part: Part) -> PathBuf {
        self.parts.join(format!("{}.md", part.name()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_replaces_what_it_said_before_and_leaves_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("report.md");
        let report = Report::at(&file).unwrap();
        report.write(Part::Writes, "## Writes\n\nold\n").unwrap();
        report.write(Part::Reads, "## Reads\n").unwrap();
        report.write(Part::Writes, "## Writes\n\nnew\n").unwrap();
        let text = fs::read_to_string(file).unwrap();
        assert_eq!(text, format!("{HEAD}\n## Reads\n\n## Writes\n\nnew\n"));
    }
}

//! What people see: the output of each command, compared with a file below `snapshots`.
//!
//! After a change that is meant: `INSTA_UPDATE=always` and the tests once more, and `git diff` shows it.

mod facts;
mod files;
mod mistakes;
mod reads;
mod replays;

use std::collections::HashMap;
use std::process::Output;

use insta::assert_snapshot;
use regex::{Captures, Regex};

/// Every snapshot. One that is not among these is of no test.
const NAMES: [&str; 32] = [
    "cost",
    "errors-of-aws",
    "export",
    "export-to-stdout",
    "facts-ls",
    "facts-none",
    "facts-retry",
    "facts-show",
    "facts-skip",
    "groups",
    "groups-in-colour",
    "import",
    "import-dry-run",
    "ls",
    "ls-of-a-sample",
    "mistakes-in-edits",
    "mistakes-in-filters",
    "mistakes-in-names",
    "purge",
    "purge-without-a-terminal",
    "queues",
    "replay-canary-stops",
    "replay-done",
    "replay-dry-run",
    "replay-dry-run-of-an-edit",
    "replay-not-all",
    "replay-progress",
    "replay-resumed",
    "runs",
    "runs-of-one",
    "show",
    "show-lineage",
];

/// What differs each time, and what stands for it.
#[derive(Default)]
pub(super) struct Screen {
    texts: Vec<(String, String)>,
}

impl Screen {
    /// With `text` shown as `stable`.
    pub(super) fn with(mut self, text: &str, stable: &str) -> Self {
        self.texts.push((text.to_owned(), stable.to_owned()));
        self
    }

    /// Compares what command lines printed with their snapshot.
    pub(super) fn shows(&self, name: &str, runs: &[(&[&str], Output)]) {
        assert!(NAMES.contains(&name), "{name} is not in the list");
        let runs: Vec<_> = runs.iter().map(|(words, output)| printed(words, output)).collect();
        let mut text = runs.join("\n");
        for (changing, stable) in &self.texts {
            text = text.replace(changing, stable);
        }
        let mut settings = insta::Settings::clone_current();
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| assert_snapshot!(name, stable(&text)));
    }
}

fn printed(words: &[&str], output: &Output) -> String {
    let quoted = |word: &&str| {
        let is_plain =
            word.chars().all(|one| one.is_ascii_alphanumeric() || "-_./:=,".contains(one));
        if is_plain { (*word).to_owned() } else { format!("'{word}'") }
    };
    let line: Vec<_> = words.iter().map(quoted).collect();
    let mut text = format!("$ dead-letters {}\n", line.join(" "));
    text += &String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    if !stderr.is_empty() {
        text += "----- standard error\n";
        text += &stderr;
    }
    let code = output.status.code().expect("a code");
    format!("{text}----- exit code {code}\n")
}

/// The text without what differs each time. Columns keep their width.
fn stable(text: &str) -> String {
    let text = replaced(text, r"\b[0-9a-f]{64}\b", |_| "DIGEST".to_owned());
    let mut ids = HashMap::new();
    let text =
        replaced(&text, "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", |id| {
            let count = ids.len() + 1;
            let number = ids.entry(id[0].to_owned()).or_insert(count);
            format!("00000000-0000-0000-0000-{number:012}")
        });
    let time = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z(?:  +)?";
    let text = replaced(&text, time, |time| {
        let is_column = time[0].ends_with(' ');
        let width = if is_column { time[0].len() } else { 0 };
        format!("{:width$}", "2026-01-31T09:30:00.000000Z")
    });
    // Of something that was just sent, even on a machine that is busy for minutes.
    let text = replaced(&text, r"(?m)(^| ) *(≥?)\d+[sm]\b", |age| {
        format!("{:>1$}", format!("{}0s", &age[2]), age[0].chars().count())
    });
    let text = text.replace('\u{1b}', "\\e");
    let rate = r"(note: )\d+( of \d+ sent, )\d+( a second, )\d+ seconds left\n";
    let text = replaced(&text, rate, |line| {
        format!("{}N{}N{}N seconds left\n", &line[1], &line[2], &line[3])
    });
    let mut lines: Vec<_> = text.lines().collect();
    lines.dedup();
    lines.join("\n")
}

fn replaced(text: &str, pattern: &str, with: impl FnMut(&Captures<'_>) -> String) -> String {
    Regex::new(pattern).expect("a pattern").replace_all(text, with).into_owned()
}

#[test]
fn every_snapshot_is_of_a_test() {
    let folder = local_stack::repository()
        .join("integration-tests/tests/black_box/dead_letters/screens/snapshots");
    let entries = std::fs::read_dir(folder).expect("a folder");
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        entry.expect("an entry").file_name().into_string().expect("a name")
    };
    // One that is `.snap.new` waits for a review.
    let mut found: Vec<_> =
        entries.filter_map(|entry| Some(name(entry).strip_suffix(".snap")?.to_owned())).collect();
    found.sort();
    assert_eq!(found, NAMES);
}

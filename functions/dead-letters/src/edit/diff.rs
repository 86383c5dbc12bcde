//! What an edit changes, line by line.

use std::time::{Duration, Instant};

use similar::algorithms::{Capture, Replace, myers};
use similar::group_diff_ops;
use similar::udiff::UnifiedHunkHeader;

use crate::output::{indented, printable};

/// Lines around a change.
const CONTEXT: usize = 3;
/// Then the rest is shown as changed as a whole.
const PATIENCE: Duration = Duration::from_millis(500);

/// The lines that an edit adds (`+`) and removes (`-`), with some around them. JSON has a line for each
/// member.
pub(crate) fn diff(before: &str, after: &str) -> String {
    let [before, after] =
        [before, after].map(|body| indented(body).unwrap_or_else(|| body.to_owned()));
    let [before, after] = [&before, &after].map(|body| body.split('\n').collect::<Vec<_>>());
    // `TextDiff` would do it all, with half a megabyte of other algorithms.
    let mut changes = Replace::new(Capture::new());
    let (old, new) = (0..before.len(), 0..after.len());
    let deadline = Some(Instant::now() + PATIENCE);
    let Ok(()) = myers::diff_deadline(&mut changes, &before, old, &after, new, deadline);
    let mut shown = Vec::new();
    for hunk in group_diff_ops(changes.into_inner().into_ops(), CONTEXT) {
        shown.push(UnifiedHunkHeader::new(&hunk).to_string());
        let lines = hunk.iter().flat_map(|change| change.iter_changes(&before, &after));
        shown.extend(lines.map(|line| printable(&format!("{}{}", line.tag(), line.value()))));
    }
    shown.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_member_is_a_line_less_and_a_line_more() {
        let shown = diff(r#"{"a":1,"b":{"c":1.50}}"#, r#"{"a":1,"b":{"c":"2\u001b"}}"#);
        let expected = "@@ -1,6 +1,6 @@\n {\n   \"a\": 1,\n   \"b\": {\n-    \"c\": 1.50\n\
                        +    \"c\": \"2\\u001b\"\n   }\n }";
        assert_eq!(shown, expected);
        assert_eq!(diff("a\u{1b}", "b"), "@@ -1 +1 @@\n-a\\u{1b}\n+b");
        assert_eq!(diff("{}", "{ }"), "");
    }
}

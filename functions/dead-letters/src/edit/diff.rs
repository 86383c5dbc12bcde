//! What an edit changes, line by line.

use std::time::Duration;

use similar::TextDiff;

use crate::output::{indented, printable};

/// Lines around a change.
const CONTEXT: usize = 3;
/// Then the rest is shown as changed as a whole.
const PATIENCE: Duration = Duration::from_millis(500);

/// The lines that an edit adds (`+`) and removes (`-`), with some around them. JSON has a line for each
/// member.
pub(crate) fn diff(before: &str, after: &str) -> String {
    let lines = |body: &str| indented(body).unwrap_or_else(|| body.to_owned()) + "\n";
    let (before, after) = (lines(before), lines(after));
    let diff = TextDiff::configure().timeout(PATIENCE).diff_lines(&before, &after);
    let diff = diff.unified_diff().context_radius(CONTEXT).to_string();
    diff.lines().map(printable).collect::<Vec<_>>().join("\n")
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

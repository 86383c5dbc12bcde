//! Texts of messages, as a terminal may show them.

/// The value, or what stands for one that is missing.
pub(crate) fn or_dash(value: Option<&str>) -> String {
    value.map_or_else(|| "-".to_owned(), printable)
}

/// The text without what a terminal would obey, or what would change the order of what is read.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_harmful(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

fn is_harmful(character: char) -> bool {
    let is_direction = matches!(
        character,
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    character.is_control() || is_direction
}

/// Seconds in the largest unit that they fill.
pub(crate) fn age(seconds: Option<u64>) -> String {
    let Some(seconds) = seconds else { return "-".to_owned() };
    let units = [(24 * 3_600, 'd'), (3_600, 'h'), (60, 'm')];
    let filled = units.into_iter().find(|(size, _)| seconds >= *size);
    let (size, unit) = filled.unwrap_or((1, 's'));
    format!("{}{unit}", seconds / size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_age_has_one_unit() {
        for (seconds, expected) in [(0, "0s"), (59, "59s"), (60, "1m"), (7_199, "1h")] {
            assert_eq!(age(Some(seconds)), expected);
        }
        assert_eq!(age(Some(3 * 24 * 3_600)), "3d");
        assert_eq!(age(None), "-");
    }

    #[test]
    fn a_terminal_is_given_no_order() {
        assert_eq!(printable("\u{1b}[2J\n\u{9b}\u{202e}ü"), r"\u{1b}[2J\n\u{9b}\u{202e}ü");
        assert_eq!(or_dash(None), "-");
    }

    proptest! {
        #[test]
        fn nothing_else_changes(text in "[ -~äöü€🦀]{0,40}", any in ".{0,40}") {
            prop_assert_eq!(printable(&text), text);
            prop_assert!(!printable(&any).contains(is_harmful));
        }
    }
}

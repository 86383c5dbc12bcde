//! Texts of others, as a terminal may show them.

/// The text without what a terminal would obey, or what would change the order of what is read.
#[must_use]
pub fn printable(text: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_terminal_is_given_no_order() {
        assert_eq!(printable("\u{1b}[2J\n\u{9b}\u{202e}ü"), r"\u{1b}[2J\n\u{9b}\u{202e}ü");
    }

    proptest! {
        #[test]
        fn nothing_else_changes(text in "[ -~äöü€🦀]{0,40}", any in ".{0,40}") {
            prop_assert_eq!(printable(&text), text);
            prop_assert!(!printable(&any).contains(is_harmful));
        }
    }
}

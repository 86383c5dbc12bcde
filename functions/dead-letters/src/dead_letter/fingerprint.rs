//! What details of one cause have in common: the text without what is of one message only.

use uuid::Uuid;

/// Hexadecimal digits that are an identifier rather than a word.
const HEXADECIMAL: usize = 8;

/// The detail with identifiers, numbers and quoted values replaced.
pub(crate) fn fingerprint(detail: &str) -> String {
    let mut kept = String::with_capacity(detail.len());
    for (number, part) in detail.split('"').enumerate() {
        if number > 0 {
            kept.push('"');
        }
        // What stands between two quotes.
        if number % 2 == 1 && !part.is_empty() {
            kept.push('…');
        } else {
            replace(part, &mut kept);
        }
    }
    kept
}

fn replace(text: &str, kept: &mut String) {
    let is_word = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_inside = is_word(first);
        let end = rest.find(|c| is_word(c) != is_inside).unwrap_or(rest.len());
        let (run, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        if is_inside {
            word(run, kept);
        } else {
            kept.push_str(run);
        }
        rest = after;
    }
}

fn word(word: &str, kept: &mut String) {
    let has_digit = word.contains(char::is_numeric);
    let has_letter = word.contains(char::is_alphabetic);
    let is_hexadecimal = word.len() >= HEXADECIMAL && word.chars().all(|c| c.is_ascii_hexdigit());
    if has_digit && word.contains('-') && Uuid::try_parse(word).is_ok() {
        kept.push_str("<uuid>");
    } else if has_digit && has_letter && is_hexadecimal {
        kept.push_str("<hex>");
    } else {
        let mut was_number = false;
        for character in word.chars() {
            let is_number = character.is_numeric();
            if !is_number {
                kept.push(character);
            } else if !was_number {
                kept.push('#');
            }
            was_number = is_number;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_of_one_message_only_is_replaced() {
        for (detail, expected) in [
            ("/data/title: must not be blank", "/data/title: must not be blank"),
            ("expected `,` at line 1 column 77", "expected `,` at line # column #"),
            ("task 0192f1a0-7c3e-7b44-9a53-3a1d0d4f5e10 is gone", "task <uuid> is gone"),
            ("digest ba7816bf8f01cfea is wrong", "digest <hex> is wrong"),
            ("the tenant \"acme\" may not", "the tenant \"…\" may not"),
            ("unknown type create-task.v7", "unknown type create-task.v#"),
            ("the facade is deadbeef", "the facade is deadbeef"),
            ("open \"quote 7", "open \"…"),
            ("", ""),
        ] {
            assert_eq!(fingerprint(detail), expected);
        }
    }

    proptest! {
        #[test]
        fn numbers_and_identifiers_make_no_difference(
            one in 0..u64::MAX, other in 0..u64::MAX, id: u128, value in "[^\"]{1,20}",
        ) {
            let detail = |number: u64, id: u128, value: &str| {
                let id = Uuid::from_u128(id);
                format!("column {number} of {id}: \"{value}\" is no title")
            };
            prop_assert_eq!(
                fingerprint(&detail(one, id, &value)), fingerprint(&detail(other, 0, "x")),
            );
        }

        #[test]
        fn a_fingerprint_is_its_own(detail in ".{0,80}|[0-9a-f\" -]{0,80}") {
            let once = fingerprint(&detail);
            prop_assert_eq!(fingerprint(&once), once);
        }
    }
}

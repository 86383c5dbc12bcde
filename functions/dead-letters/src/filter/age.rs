//! A time span on the command line: `90s`, `15m`, `36h`, `7d`, `2w`, or several of them: `1d12h`.

use crate::mistake::Mistake;

const UNITS: [(char, u64); 5] =
    [('s', 1), ('m', 60), ('h', 3_600), ('d', 24 * 3_600), ('w', 7 * 24 * 3_600)];
const EXPECTED: &str = "a number and a unit is expected: s, m, h, d or w, as in `36h` or `1d12h`";

/// Its seconds.
pub(crate) fn seconds(text: &str) -> Result<u64, Mistake> {
    let mut total = Some(0_u64);
    let mut rest = text;
    while !rest.is_empty() || text.is_empty() {
        let position = text.len() - rest.len();
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, after) = rest.split_at_checked(digits).unwrap_or_default();
        let unit = after.chars().next();
        let size = UNITS.iter().find(|(name, _)| Some(*name) == unit).map(|(_, size)| size);
        let (false, Some(size)) = (number.is_empty(), size) else {
            return Err(Mistake::at(text, position + digits, EXPECTED));
        };
        let span = number.parse::<u64>().ok().and_then(|number| number.checked_mul(*size));
        total = total.zip(span).and_then(|(total, span)| total.checked_add(span));
        rest = after.get(1..).unwrap_or_default();
    }
    total.ok_or_else(|| Mistake::new("it is too long"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spans_are_read() {
        for (text, expected) in [("90s", 90), ("15m", 900), ("1d12h", 129_600), ("2w", 1_209_600)] {
            assert_eq!(seconds(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_mistake_is_pointed_at() {
        for (text, column) in [("", 0), ("12", 2), ("h", 0), ("1d12", 4), ("5 m", 1), ("3x", 1)] {
            assert_eq!(seconds(text), Err(Mistake::at(text, column, EXPECTED)), "{text}");
        }
        assert!(seconds("99999999999999999999w").is_err());
        assert!(seconds("18446744073709551615s1s").is_err());
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in "[0-9smhdwü]{0,30}") {
            let _ = seconds(&text);
        }
    }
}

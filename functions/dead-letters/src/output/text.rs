//! Values of messages in a table.

use super::printable;

/// The value, or what stands for one that is missing.
pub(crate) fn or_dash(value: Option<&str>) -> String {
    value.map_or_else(|| "-".to_owned(), printable)
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

    #[test]
    fn an_age_has_one_unit() {
        for (seconds, expected) in [(0, "0s"), (59, "59s"), (60, "1m"), (7_199, "1h")] {
            assert_eq!(age(Some(seconds)), expected);
        }
        assert_eq!(age(Some(3 * 24 * 3_600)), "3d");
        assert_eq!(age(None), "-");
    }

    #[test]
    fn a_value_gives_no_order_and_one_that_is_missing_is_a_dash() {
        assert_eq!(or_dash(Some("\u{1b}[2J")), r"\u{1b}[2J");
        assert_eq!(or_dash(None), "-");
    }
}

//! Numbers of attempts: `3`, or `3..`, `..3` and `3..5`, ends included.

use std::ops::RangeInclusive;

use crate::mistake::Mistake;

pub(super) fn attempts(text: &str) -> Result<RangeInclusive<u32>, Mistake> {
    let (start, end) = match text.split_once("..") {
        None => (Some((0, text)), Some((0, text))),
        Some((start, end)) => {
            let given =
                |at, part| Some((at, part)).filter(|(_, part): &(usize, &str)| !part.is_empty());
            (given(0, start), given(start.len() + 2, end))
        }
    };
    if start.is_none() && end.is_none() {
        return Err(Mistake::new(
            "a number or a range is expected, as in `3`, `3..`, `..3` or `3..5`",
        ));
    }
    let number = |(position, part): (usize, &str)| {
        part.parse::<u32>().map_err(|_| {
            let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or_default();
            Mistake::at(text, position + digits, "a whole number is expected")
        })
    };
    let start = start.map_or(Ok(0), number)?;
    let end = end.map_or(Ok(u32::MAX), number)?;
    if start > end {
        return Err(Mistake::at(text, 0, "the range begins after its end"));
    }
    Ok(start..=end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_include_their_ends() {
        assert_eq!(attempts("3"), Ok(3..=3));
        assert_eq!(attempts("3.."), Ok(3..=u32::MAX));
        assert_eq!(attempts("..3"), Ok(0..=3));
        assert_eq!(attempts("3..5"), Ok(3..=5));
    }

    #[test]
    fn a_mistake_is_pointed_at() {
        let number = "a whole number is expected";
        assert_eq!(attempts("3..x"), Err(Mistake::at("3..x", 3, number)));
        assert_eq!(attempts("3-5"), Err(Mistake::at("3-5", 1, number)));
        for wrong in ["", "..", "5..3", "-1", "99999999999"] {
            assert!(attempts(wrong).is_err(), "{wrong}");
        }
    }
}

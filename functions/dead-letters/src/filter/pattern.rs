//! A text with `*` for any text.

use crate::mistake::Mistake;

/// What stands for a value that a message does not have, as in the lists that are printed.
const MISSING: &str = "-";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern(String);

impl Pattern {
    pub(super) fn parse(text: &str) -> Result<Self, Mistake> {
        if text.is_empty() {
            return Err(Mistake::new(
                "it is empty: `-` stands for a missing value, `*` for any text",
            ));
        }
        Ok(Self(text.to_owned()))
    }

    pub(super) fn fits(&self, value: Option<&str>) -> bool {
        match value {
            None => self.0 == MISSING,
            Some(value) => fits(&self.0, value),
        }
    }
}

fn fits(pattern: &str, value: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == value };
    let Some(value) = value.strip_prefix(start) else { return false };
    let Some((between, end)) = rest.rsplit_once('*') else { return value.ends_with(rest) };
    // The first place of each part leaves the most for those behind it.
    let mut left = value;
    for part in between.split('*') {
        match left.split_once(part) {
            Some((_, behind)) => left = behind,
            None => return false,
        }
    }
    left.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_star_is_any_text_and_a_dash_is_none() {
        let fits = |pattern, value| Pattern::parse(pattern).unwrap().fits(value);
        assert!(fits("schema_*", Some("schema_violation")));
        assert!(!fits("schema_*", Some("my_schema_violation")));
        assert!(!fits("aa*a", Some("aa")), "a character counts once");
        assert!(fits("-", None) && !fits("*", None) && !fits("-", Some("x")));
        assert!(Pattern::parse("").is_err());
    }

    proptest! {
        #[test]
        fn it_is_what_a_regular_expression_says(pattern in "[ab*]{1,8}", value in "[ab]{0,8}") {
            let expression = format!("^{}$", pattern.replace('*', ".*"));
            let expected = regex::Regex::new(&expression).unwrap().is_match(&value);
            prop_assert_eq!(fits(&pattern, &value), expected, "{} {}", pattern, value);
        }
    }
}

//! What a title is searched for.

use domain::{limits, normal};
use serde::{Deserialize, Serialize};

/// Letters and digits in a row that a search needs: the index knows titles by three of them.
const RUN: usize = 3;
/// As much of the same rule as JSON Schema can say: not every validator knows which characters are
/// letters (`\p{L}`).
const PATTERN: &str = r"^[^\u0000-\u001f\u007f-\u009f]{3,}$";

/// Text that a title contains, in upper or lower case, and in the normal form that titles have. It has
/// three letters or digits in a row, so that no search looks at all of a tenant's titles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct TitleText(String);

impl TitleText {
    /// The operand of `ILIKE` that finds the text itself, its wildcards too.
    pub(super) fn pattern(&self) -> String {
        let mut pattern = String::with_capacity(self.0.len() + 2);
        pattern.push('%');
        for character in self.0.chars() {
            if matches!(character, '\\' | '%' | '_') {
                pattern.push('\\');
            }
            pattern.push(character);
        }
        pattern.push('%');
        pattern
    }
}

domain::schema!(inline TitleText, {
    "type": "string",
    "maxLength": limits::TITLE_MAX,
    "pattern": PATTERN,
});

impl TryFrom<String> for TitleText {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let mut words = text.split(|character: char| !character.is_alphanumeric());
        let indexed = words.any(|word| word.chars().nth(RUN - 1).is_some());
        let short = text.chars().count() <= limits::TITLE_MAX;
        if indexed && short && !text.chars().any(char::is_control) {
            return Ok(Self(normal(&text)));
        }
        Err(format!(
            "expected at most {} characters with at least {RUN} letters or digits in a row",
            limits::TITLE_MAX
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_for_themselves() {
        let text = TitleText::try_from(r"100%_\ sure".to_owned()).unwrap();
        assert_eq!(text.pattern(), r"%100\%\_\\ sure%");
    }

    #[test]
    fn a_text_is_in_the_normal_form_of_titles() {
        let text = TitleText::try_from("cafe\u{301}".to_owned()).unwrap();
        assert_eq!(text.pattern(), "%caf\u{e9}%");
    }

    #[test]
    fn a_text_that_no_index_can_find_is_refused() {
        for good in ["abc", "a-b-c1d", "Milch für März", &"x".repeat(limits::TITLE_MAX)] {
            assert!(TitleText::try_from(good.to_owned()).is_ok(), "{good}");
        }
        let long = "x".repeat(limits::TITLE_MAX + 1);
        for bad in ["", "ab", "a b c", "%%%", "abc\0", "abc\n", &long] {
            assert!(TitleText::try_from(bad.to_owned()).is_err(), "{bad:?}");
        }
    }
}

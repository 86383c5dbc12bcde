//! What a title is searched for.

use domain::{limits, normal};
use serde::{Deserialize, Serialize};

use super::search::{Search, is_indexed};

/// Letters and digits in a row that are found anywhere: the index knows titles by three of them.
const RUN: usize = 3;
/// As much of the same rule as JSON Schema can say: not every validator knows which characters are
/// letters (`\p{L}`).
const PATTERN: &str = r"^[^\u0000-\u001f\u007f-\u009f]+$";

/// Text that a title contains, in upper or lower case, and in the normal form that titles have. It has
/// a letter or digit, so that no search looks at all of a tenant's titles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct TitleText(String);

impl TitleText {
    pub(super) fn search(&self) -> Search {
        let mut words = self.0.split(|character: char| !character.is_alphanumeric());
        if words.any(|word| word.chars().nth(RUN - 1).is_some()) {
            Search::anywhere(&self.0)
        } else {
            Search::of_words(&self.0)
        }
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
        let is_short = text.chars().count() <= limits::TITLE_MAX;
        if is_short && text.chars().any(is_indexed) && !text.chars().any(char::is_control) {
            return Ok(Self(normal(&text)));
        }
        Err(format!("expected at most {} characters with a letter or digit", limits::TITLE_MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(text: &str) -> Search {
        TitleText::try_from(text.to_owned()).unwrap().search()
    }

    #[test]
    fn a_text_is_in_the_normal_form_of_titles() {
        assert_eq!(search("cafe\u{301}"), Search::anywhere("caf\u{e9}"));
    }

    #[test]
    fn three_letters_or_digits_in_a_row_are_found_anywhere_and_others_as_words() {
        for anywhere in ["abc", "a-b-c1d", "Milch für März", "会議室", &"x".repeat(200)] {
            assert_eq!(search(anywhere), Search::anywhere(anywhere));
        }
        for words in ["a", "QA", "a b c", "C++", "会議"] {
            assert_eq!(search(words), Search::of_words(words));
        }
    }

    #[test]
    fn a_text_that_no_index_can_find_is_refused() {
        let long = "x".repeat(limits::TITLE_MAX + 1);
        for bad in ["", " ", "%%%", "²", "abc\0", "abc\n", &long] {
            assert!(TitleText::try_from(bad.to_owned()).is_err(), "{bad:?}");
        }
    }
}

//! What PostgreSQL is given to find a text in titles.
//!
//! A text with three letters or digits in a row is found anywhere: the index of trigrams knows it. A
//! shorter one is found where it stands as whole words, which the same index knows by their edges. In
//! Chinese, Japanese and Korean a letter or two are a word anywhere: they are terms of an index of their
//! own. A title may have both, as `QA会議`, and there a word of other letters ends at theirs.

/// Letters of Chinese, Japanese and Korean, from first to last: as `cjk_letter()` of migration 0018 has them.
const CJK: [(char, char); 16] = [
    ('\u{1100}', '\u{11ff}'),
    ('\u{3005}', '\u{3007}'),
    ('\u{3041}', '\u{3096}'),
    ('\u{309d}', '\u{309f}'),
    ('\u{30a1}', '\u{30fa}'),
    ('\u{30fc}', '\u{30ff}'),
    ('\u{3105}', '\u{312f}'),
    ('\u{3131}', '\u{318e}'),
    ('\u{31a0}', '\u{31bf}'),
    ('\u{31f0}', '\u{31ff}'),
    ('\u{3400}', '\u{4dbf}'),
    ('\u{4e00}', '\u{9fff}'),
    ('\u{ac00}', '\u{d7a3}'),
    ('\u{f900}', '\u{faff}'),
    ('\u{ff66}', '\u{ffdc}'),
    ('\u{20000}', '\u{3ffff}'),
];

/// The values of the conditions on titles; `None` drops a condition. PostgreSQL brings them into lower case
/// by the same rules as titles.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Search {
    /// The operand of `ILIKE` that finds the text itself, its wildcards too.
    pub(super) contained: Option<String>,
    /// Whole words, for the index of trigrams; none if all titles with the text have terms.
    pub(super) words: Option<String>,
    /// Terms that a title with the text has if it has any, divided by spaces.
    pub(super) terms: Option<String>,
    /// The text between the edges of words, as a regular expression.
    pub(super) expression: Option<String>,
}

impl Search {
    /// For the text anywhere.
    pub(super) fn anywhere(text: &str) -> Self {
        let pattern = format!("%{}%", escaped(text, |one| matches!(one, '\\' | '%' | '_')));
        Self { contained: Some(pattern), ..Self::default() }
    }

    /// For the text as whole words, and anywhere where its letters are of [`CJK`].
    pub(super) fn of_words(text: &str) -> Self {
        let words = (!text.chars().any(is_cjk)).then(|| text.to_owned());
        let terms = terms(text).join(" ");
        Self { contained: None, words, terms: Some(terms), expression: Some(expression(text)) }
    }
}

/// Whether an index knows words with this character. PostgreSQL takes fewer characters for parts of words
/// than Rust does: superscripts and numbers in circles are none.
pub(super) fn is_indexed(character: char) -> bool {
    character.is_alphabetic() || character.is_ascii_digit()
}

fn is_cjk(character: char) -> bool {
    CJK.iter().any(|(first, last)| (*first..=*last).contains(&character))
}

/// Whether it forms words with its neighbours.
fn is_of_word(character: char) -> bool {
    character.is_alphanumeric() && !is_cjk(character)
}

fn terms(text: &str) -> Vec<String> {
    let words = text.split(|character| !is_of_word(character));
    let words = words.filter(|word| !word.is_empty() && word.chars().all(is_indexed));
    let mut terms: Vec<_> = words.map(str::to_owned).collect();
    for run in text.split(|character| !is_cjk(character)) {
        let pairs = run.chars().zip(run.chars().skip(1));
        terms.extend(pairs.map(|(one, next)| format!("{one}{next}")));
        if run.chars().count() == 1 {
            terms.push(run.to_owned());
        }
    }
    terms
}

fn expression(text: &str) -> String {
    let cjk: String = CJK.iter().flat_map(|(first, last)| [*first, '-', *last]).collect();
    let edge = |character: Option<char>, of_line: &str| match character {
        Some(one) if is_of_word(one) => format!("(?:{of_line}|[^[:alnum:]]|[{cjk}])"),
        _ => String::new(),
    };
    let text_itself = escaped(text, |one| one.is_ascii_punctuation());
    edge(text.chars().next(), "^") + &text_itself + &edge(text.chars().next_back(), "$")
}

fn escaped(text: &str, is_operator: impl Fn(char) -> bool) -> String {
    let mut escaped = String::with_capacity(text.len() + 2);
    for character in text.chars() {
        if is_operator(character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_stand_for_themselves() {
        let search = Search::anywhere(r"100%_\ sure");
        assert_eq!(search.contained.as_deref(), Some(r"%100\%\_\\ sure%"));
        assert_eq!(expression("(水.*"), r"\(水\.\*");
        assert!(expression("c+").starts_with("(?:^|") && expression("c+").ends_with(r"c\+"));
    }

    #[test]
    fn terms_are_words_and_letters_of_cjk() {
        for (text, expected) in [
            ("QA", &["QA"][..]),
            ("c++ a", &["c", "a"]),
            ("水", &["水"]),
            ("会議", &["会議"]),
            ("A水 회의", &["A", "水", "회의"]),
            ("水²", &["水"]),
        ] {
            assert_eq!(terms(text), expected, "{text}");
        }
        assert!(Search::of_words("QA").words.is_some());
        assert!(Search::of_words("A水").words.is_none());
    }

    #[test]
    fn letters_of_cjk_are_those_of_the_migration() {
        let escape = |one: char| match u32::from(one) {
            high @ 0x1_0000.. => format!("\\U{high:08x}"),
            low => format!("\\u{low:04x}"),
        };
        let range = |(first, last): &(char, char)| format!("{}-{}", escape(*first), escape(*last));
        let class = CJK.iter().map(range).collect::<Vec<_>>().concat();
        let migration = include_str!("../../migrations/0018_short_terms.sql");
        assert!(
            migration.replace("'\n|| '", "").contains(&format!("RETURN '[{class}]'")),
            "{class}"
        );
    }
}

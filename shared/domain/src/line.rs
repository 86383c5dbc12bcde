//! One line of text for people, as it is given: what a task is to be called, and a file.
//!
//! Such a line is shown beside others, so it can be seen, has no line break of any kind, and does not turn
//! the direction of what follows (for right-to-left scripts the marks U+200E and U+200F do). It is
//! written in Unicode's normal form C, in which a search finds it and a repeat is the same; only a line
//! that this would make too long stays as it came.
//!
//! What was stored before these rules is a [`Title`] or an [`AttachmentName`] still, and stays readable.
//!
//! Not every validator knows classes of characters, so they are listed, for the check and for the
//! pattern. The few beyond U+FFFF are not: languages differ in what they write for those.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

use crate::limits;
use crate::text::{AttachmentName, Title};
use crate::values::Invalid;

/// A text in Unicode's normal form C: an `é` of two characters becomes one of one.
#[must_use]
pub fn normal(text: &str) -> String {
    text.nfc().collect()
}

/// Controls, line breaks, and what overrides, embeds or isolates a direction.
fn is_refused(character: char) -> bool {
    matches!(character,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The same in a pattern.
macro_rules! refused {
    () => {
        r"\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069"
    };
}

/// Spaces, and what shows nothing (`Default_Ignorable_Code_Point`, and the empty Braille pattern).
fn is_blank(character: char) -> bool {
    matches!(character,
        ' ' | '\u{a0}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{1680}'
        | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{2000}'..='\u{200f}' | '\u{202f}'
        | '\u{205f}'..='\u{2065}' | '\u{206a}'..='\u{206f}' | '\u{2800}' | '\u{3000}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}')
}

/// The same in a pattern.
macro_rules! blank {
    () => {
        r"\u0020\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u202f\u205f-\u2065\u206a-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8"
    };
}

/// A line that is given, and becomes a text that is stored.
macro_rules! line {
    (
        $(#[$doc:meta])* $name:ident becomes $stored:ident, max $max:expr, and no $more:literal: $is_more:expr,
        $rule:literal
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name($stored);

        impl FromStr for $name {
            type Err = Invalid;

            fn from_str(given: &str) -> Result<Self, Invalid> {
                let is_more: fn(char) -> bool = $is_more;
                let is_line = given.chars().count() <= $max
                    && !given.chars().all(is_blank)
                    && !given.chars().any(|character| is_refused(character) || is_more(character));
                if !is_line {
                    return Err(Invalid::text(stringify!($stored), $rule, $max));
                }
                normal(given).parse().or_else(|_| given.parse()).map(Self)
            }
        }

        impl From<$name> for $stored {
            fn from(line: $name) -> Self {
                line.0
            }
        }

        crate::parsed!($name, {
            "type": "string",
            "maxLength": $max,
            "pattern": concat!("^[", blank!(), "]*[^", blank!(), refused!(), $more, "][^", refused!(), $more, "]*$"),
            "description": concat!("At most maxLength characters: ", $rule, "."),
        });
    };
}

line!(
    /// What a task is to be called.
    NewTitle becomes Title,
    max limits::TITLE_MAX,
    and no "": |_| false,
    "one line that is not blank, without control characters, line breaks and characters that override, \
     embed or isolate a direction of text. It is stored in the normal form NFC"
);

line!(
    /// What an attachment's file is to be called: without a folder.
    NewAttachmentName becomes AttachmentName,
    max limits::ATTACHMENT_NAME_MAX,
    and no r"/\\": |character| matches!(character, '/' | '\\'),
    "one line that is not blank, without control characters, line breaks, slashes and characters that \
     override, embed or isolate a direction of text. It is stored in the normal form NFC"
);

#[cfg(test)]
mod tests {
    use super::*;

    fn title(text: &str) -> Result<Title, Invalid> {
        text.parse::<NewTitle>().map(Title::from)
    }

    #[test]
    fn a_line_can_be_seen() {
        for blank in
            ["", " ", "\u{a0}", "\u{200b}", "\u{3000}\u{feff}", "\u{2800}", " \u{ad}\u{fe0f} "]
        {
            assert!(title(blank).is_err(), "{blank:?}");
        }
        for seen in ["\u{a0}x", "x\u{200b}", "\u{200f}\u{5d0}", "\u{1f3f4}\u{e0067}", "\u{301}"] {
            assert_eq!(title(seen).unwrap().as_str(), seen);
        }
    }

    #[test]
    fn a_line_is_one_line_and_turns_nothing_around() {
        for refused in
            ['\n', '\r', '\u{b}', '\u{85}', '\u{2028}', '\u{2029}', '\u{202e}', '\u{2066}']
        {
            assert!(title(&format!("a{refused}b")).is_err(), "{refused:?}");
        }
        for name in ["photo\u{202e}gnp.exe", "a/b", "a\\b", "\u{200b}"] {
            assert!(name.parse::<NewAttachmentName>().is_err(), "{name:?}");
        }
        assert!("\u{5d0}\u{200e}.txt".parse::<NewAttachmentName>().is_ok());
    }

    #[test]
    fn a_line_is_in_the_normal_form_unless_that_is_too_long() {
        assert_eq!(title("Cafe\u{301}").unwrap().as_str(), "Caf\u{e9}");
        let name = "Ha\u{308}lfte.pdf".parse::<NewAttachmentName>().unwrap();
        assert_eq!(AttachmentName::from(name).as_str(), "H\u{e4}lfte.pdf");
        // Two characters in the normal form.
        for (count, stored) in [(100, "\u{915}\u{93c}"), (101, "\u{958}")] {
            assert_eq!(title(&"\u{958}".repeat(count)).unwrap().as_str(), stored.repeat(count));
        }
        assert!(title(&"e\u{301}".repeat(101)).is_err(), "what is given is counted");
    }
}

//! Text that is valid by construction.
//!
//! Each type states its rule twice, as a check and as a JSON Schema pattern; a property test in
//! `events` holds the two against each other.

use crate::limits;
use crate::values::Invalid;

/// A text of at most `max` characters.
macro_rules! short_text {
    ($(#[$doc:meta])* $name:ident, max $max:expr, pattern $pattern:literal, $rule:literal, $check:expr) => {
        crate::text!(
            $(#[$doc])*
            $name,
            Invalid,
            |text| {
                let valid: fn(&str) -> bool = $check;
                (text.chars().count() <= $max && valid(text))
                    .then_some(())
                    .ok_or(Invalid::text(stringify!($name), $rule, $max))
            },
            {
                "type": "string",
                "maxLength": $max,
                "pattern": $pattern,
                "description": concat!("At most maxLength characters: ", $rule, "."),
            }
        );
    };
}

short_text!(
    /// What a task is called: one line, not blank.
    Title,
    max limits::TITLE_MAX,
    pattern r"^ *[^\u0000-\u0020\u007f][^\u0000-\u001f\u007f]*$",
    "one line that is not blank, without control characters",
    |text| !text.trim_start_matches(' ').is_empty() && !text.chars().any(|c| c.is_ascii_control())
);

short_text!(
    /// What a task is about: any text without U+0000, which PostgreSQL cannot store.
    Description,
    max limits::DESCRIPTION_MAX,
    pattern r"^[^\u0000]*$",
    "any text without the character U+0000",
    |text| !text.contains('\0')
);

short_text!(
    /// A label: lower case, so that `Urgent` and `urgent` cannot both exist.
    Tag,
    max limits::TAG_MAX,
    pattern r"^[a-z0-9][a-z0-9._:-]*$",
    "lower-case letters, digits and `._:-`, beginning with a letter or digit",
    |text| is_slug(text, b"._:-")
);

short_text!(
    /// Who is to do it: an identifier that the tenant's own directory understands.
    Assignee,
    max limits::ASSIGNEE_MAX,
    pattern r"^[!-~]+$",
    "an identifier of visible ASCII characters, without spaces",
    |text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
);

short_text!(
    /// Who did something: a caller of the API as the issuer of its token names it, or the `source` of a
    /// producer. An identifier, and the only thing of a person that is kept and logged.
    Actor,
    max limits::ACTOR_MAX,
    pattern r"^[^\u0000-\u001f\u007f]+$",
    "an identifier of one line, without control characters",
    |text| !text.is_empty() && !text.chars().any(|c| c.is_ascii_control())
);

short_text!(
    /// Whose task it is. Part of every key and every query.
    TenantId,
    max limits::TENANT_MAX,
    pattern r"^[a-z0-9][a-z0-9-]*$",
    "lower-case letters, digits and `-`, beginning with a letter or digit",
    |text| is_slug(text, b"-")
);

short_text!(
    /// What an attachment's file is called: one line, not blank, without a folder.
    AttachmentName,
    max limits::ATTACHMENT_NAME_MAX,
    pattern r"^ *[^\u0000-\u0020\u007f/\\][^\u0000-\u001f\u007f/\\]*$",
    "one line that is not blank, without control characters and slashes",
    |text| !text.trim_start_matches(' ').is_empty()
        && !text.chars().any(|c| c.is_ascii_control() || c == '/' || c == '\\')
);

short_text!(
    /// A media type (RFC 6838) in lower case, without parameters: two spellings of one type would
    /// not be equal.
    ContentType,
    max limits::CONTENT_TYPE_MAX,
    pattern r"^[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*$",
    "a media type such as `image/png`, in lower case and without parameters",
    |text| text.split_once('/').is_some_and(|(kind, subtype)| {
        is_slug(kind, b"!#$&^_.+-") && is_slug(subtype, b"!#$&^_.+-")
    })
);

fn is_slug(text: &str, punctuation: &[u8]) -> bool {
    let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.bytes().next().is_some_and(word)
        && text.bytes().all(|byte| word(byte) || punctuation.contains(&byte))
}

#[cfg(test)]
mod tests {
    use std::str::FromStr as _;

    use super::*;

    #[test]
    fn titles_are_one_line_and_not_blank() {
        assert!(Title::from_str(" Buy milk é").is_ok());
        for bad in ["", "   ", "two\nlines", "nul\0", &"x".repeat(limits::TITLE_MAX + 1)] {
            assert!(Title::from_str(bad).is_err(), "{bad:?}");
        }
        assert!(Title::from_str(&"é".repeat(limits::TITLE_MAX)).is_ok(), "counts code points");
    }

    #[test]
    fn a_description_is_any_text_that_postgresql_stores() {
        for good in
            ["", "two\r\nlines\t\u{1}\u{ffff}", &"\u{10ffff}".repeat(limits::DESCRIPTION_MAX)]
        {
            assert!(Description::from_str(good).is_ok(), "{good:?}");
        }
        for bad in ["a\0b", &"x".repeat(limits::DESCRIPTION_MAX + 1)] {
            assert!(Description::from_str(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn tenants_are_safe_in_keys_and_settings() {
        assert!(TenantId::from_str("acme-2").is_ok());
        for bad in ["", "-a", "Acme", "a,b", "a'b", "a b", "a:b", &"a".repeat(64)] {
            assert!(TenantId::from_str(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn tags_have_no_comma_so_that_the_store_may_join_them() {
        assert!(Tag::from_str("team:infra.v1").is_ok());
        for bad in ["", "a,b", "Ä", "Tag", ".a"] {
            assert!(Tag::from_str(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn names_of_attachments_lead_into_no_folder() {
        assert!(AttachmentName::from_str("Rechnung März (1).pdf").is_ok());
        for bad in ["", " ", "../x", "a\\b", "a\r\nb", &"x".repeat(201)] {
            assert!(AttachmentName::from_str(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_media_type_has_one_spelling() {
        for good in ["image/png", "application/vnd.oasis.opendocument.text", "image/svg+xml"] {
            assert!(ContentType::from_str(good).is_ok(), "{good}");
        }
        for bad in ["", "png", "image/", "Image/png", "text/plain; charset=utf-8", "a/b/c", "a/ b"]
        {
            assert!(ContentType::from_str(bad).is_err(), "{bad:?}");
        }
    }
}

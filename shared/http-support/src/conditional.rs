//! Conditional requests (RFC 9110, section 13): a task's version is its entity tag.
//!
//! The tag is strong: the same version is the same representation, byte for byte. A page of a list has
//! a weak one, of its contents: it changes nothing by itself, and goes compressed, in other bytes, to
//! whoever accepts that.

use aws_lc_rs::digest::{SHA256, digest};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use domain::Version;
use domain::limits::VERSION_MAX;

use crate::Problem;

const MALFORMED: &str = "expected `*` or a list of quoted entity tags such as \"3\"";

/// The value of the header `ETag` for a version: `"3"`.
#[must_use]
pub fn etag(version: Version) -> HeaderValue {
    // A quoted number is a valid header value; an empty tag would only cost a cache hit.
    HeaderValue::from_str(&format!("\"{version}\""))
        .unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

/// The value of the header `ETag` for a page: `W/"..."`, a digest.
#[must_use]
pub fn weak_etag(page: &[u8]) -> HeaderValue {
    let digest = BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, page));
    HeaderValue::try_from(format!("W/\"{digest}\""))
        .unwrap_or_else(|_| HeaderValue::from_static("W/\"\""))
}

/// Whether the caller has this representation already (`If-None-Match`), so that a 304 will do.
///
/// Tags are compared weakly. A malformed header is ignored: the full answer is never wrong.
#[must_use]
pub fn is_not_modified(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    let Ok(Some(condition)) = Condition::parse(headers, &header::IF_NONE_MATCH) else {
        return false;
    };
    match condition {
        Condition::Any => true,
        Condition::Tags(tags) => {
            let ours = etag.as_bytes();
            let ours = ours.strip_prefix(b"W/").unwrap_or(ours);
            tags.iter().any(|tag| tag.quoted.as_bytes() == ours)
        }
    }
}

/// The version that the task must have for the change to be made (`If-Match`).
///
/// `None` is any: without the header, and with `*`, because changing a task that does not exist is
/// refused anyway. Tags are compared strongly, so a weak one never matches; neither does one that
/// we never gave, and both are a failed precondition. Malformed, or more than one version: 400; so is
/// the other condition, which no change can depend on here, since it must not be ignored.
pub fn expected_version(headers: &HeaderMap) -> Result<Option<Version>, Problem> {
    if headers.contains_key(header::IF_NONE_MATCH) {
        let detail = "a change does not depend on it here: send `If-Match`";
        return Err(Problem::InvalidHeader { name: "If-None-Match", detail });
    }
    let tags = match Condition::parse(headers, &header::IF_MATCH) {
        Ok(None | Some(Condition::Any)) => return Ok(None),
        Ok(Some(Condition::Tags(tags))) => tags,
        Err(Malformed) => return Err(invalid(MALFORMED)),
    };
    let mut versions = tags.iter().filter_map(Tag::version);
    match (versions.next(), versions.next()) {
        (Some(version), None) => Ok(Some(version)),
        (None, _) if tags.iter().any(Tag::is_changed) => Err(Problem::ChangedTag),
        (None, _) => Err(Problem::PreconditionFailed { actual: None }),
        (Some(_), Some(_)) => Err(invalid("expected one version, not several")),
    }
}

fn invalid(detail: &'static str) -> Problem {
    Problem::InvalidHeader { name: "If-Match", detail }
}

enum Condition<'a> {
    Any,
    Tags(Vec<Tag<'a>>),
}

/// An entity tag: `"opaque"` or `W/"opaque"`.
struct Tag<'a> {
    weak: bool,
    /// With its quotes.
    quoted: &'a str,
}

struct Malformed;

impl<'a> Condition<'a> {
    /// A list may be spread over several headers (RFC 9110, section 5.3).
    fn parse(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<Self>, Malformed> {
        let mut tags = Vec::new();
        for value in headers.get_all(name) {
            let value = value.to_str().map_err(|_| Malformed)?.trim();
            if value == "*" {
                return Ok(Some(Self::Any));
            }
            parse_list(value, &mut tags)?;
        }
        match (tags.is_empty(), headers.contains_key(name)) {
            (false, _) => Ok(Some(Self::Tags(tags))),
            (true, false) => Ok(None),
            (true, true) => Err(Malformed),
        }
    }
}

fn parse_list<'a>(list: &'a str, tags: &mut Vec<Tag<'a>>) -> Result<(), Malformed> {
    let mut rest = list;
    loop {
        // Empty elements are allowed (RFC 9110, section 5.6.1).
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return Ok(());
        }
        let (tag, after) = Tag::parse(rest)?;
        let after = after.trim_start_matches([' ', '\t']);
        if !after.is_empty() && !after.starts_with(',') {
            return Err(Malformed);
        }
        tags.push(tag);
        rest = after;
    }
}

impl<'a> Tag<'a> {
    /// The tag at the beginning of a text, and what follows it. Tags may hold commas.
    fn parse(text: &'a str) -> Result<(Self, &'a str), Malformed> {
        let (weak, text) = match text.strip_prefix("W/") {
            Some(text) => (true, text),
            None => (false, text),
        };
        let opaque = text.strip_prefix('"').ok_or(Malformed)?;
        let length = opaque.find('"').ok_or(Malformed)?;
        let (quoted, after) = text.split_at_checked(length + 2).ok_or(Malformed)?;
        if quoted.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok((Self { weak, quoted }, after))
        } else {
            Err(Malformed)
        }
    }

    /// Whether it was one of our own tags until something on the way changed it, as proxies do that
    /// compress: `W/"3"`, `"3-gzip"`, `"3;br"`.
    fn is_changed(&self) -> bool {
        let opaque = self.quoted.trim_matches('"');
        let version = opaque.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
        let ours =
            version.parse().is_ok_and(|number: Version| number > 0) && !version.starts_with('0');
        ours && (self.weak || opaque.len() > version.len())
    }

    /// The version behind one of our own tags: our spelling only, not `"03"` or `"+3"`.
    fn version(&self) -> Option<Version> {
        let version = self.quoted.trim_matches('"').parse().ok()?;
        let ours = etag(version) == self.quoted && (1..=VERSION_MAX).contains(&version);
        (!self.weak && ours).then_some(version)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use axum::response::IntoResponse;

    use super::*;

    fn headers(name: &HeaderName, values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_version_is_a_strong_tag() {
        assert_eq!(etag(3), "\"3\"");
        assert_eq!(etag(Version::MAX), "\"9223372036854775807\"");
    }

    #[test]
    fn known_representations_are_not_sent_again() {
        for values in
            [&["\"3\""][..], &["W/\"3\""], &["*"], &["\"a,b\" , \"3\""], &["\"1\"", "\"3\""]]
        {
            assert!(
                is_not_modified(&headers(&header::IF_NONE_MATCH, values), &etag(3)),
                "{values:?}"
            );
        }
        for values in [&[][..], &["\"4\""], &["3"], &["\"3"], &["\"1\" \"3\""], &[""]] {
            assert!(
                !is_not_modified(&headers(&header::IF_NONE_MATCH, values), &etag(3)),
                "{values:?}"
            );
        }
    }

    #[test]
    fn a_page_has_a_weak_tag_of_its_contents() {
        let (page, other) = (weak_etag(b"{\"tasks\":[]}"), weak_etag(b"{}"));
        let text = page.to_str().unwrap();
        assert!(text.starts_with("W/\"") && text.len() == 47, "{text}");
        for tag in [text, text.trim_start_matches("W/")] {
            assert!(is_not_modified(&headers(&header::IF_NONE_MATCH, &[tag]), &page), "{tag}");
            assert!(!is_not_modified(&headers(&header::IF_NONE_MATCH, &[tag]), &other), "{tag}");
        }
    }

    fn expected(values: &[&str]) -> Result<Option<Version>, StatusCode> {
        expected_version(&headers(&header::IF_MATCH, values))
            .map_err(|problem| problem.into_response().status())
    }

    #[test]
    fn a_change_may_depend_on_one_version() {
        assert_eq!(expected(&[]), Ok(None));
        assert_eq!(expected(&["*"]), Ok(None));
        assert_eq!(expected(&["\"3\""]), Ok(Some(3)));
        assert_eq!(expected(&["W/\"1\", \"x\",, \"3\""]), Ok(Some(3)));
    }

    #[test]
    fn a_tag_that_cannot_match_fails_the_precondition() {
        for tag in [
            "W/\"3\"",
            "\"abc\"",
            "\"\"",
            "\"03\"",
            "\"+3\"",
            "\"0\"",
            "\"-1\"",
            "\"9007199254740992\"",
            "\"99999999999999999999\"",
        ] {
            assert_eq!(expected(&[tag]), Err(StatusCode::PRECONDITION_FAILED), "{tag}");
        }
    }

    #[test]
    fn a_tag_that_was_changed_on_the_way_is_recognised() {
        let problem = |tag| expected_version(&headers(&header::IF_MATCH, &[tag])).unwrap_err();
        for tag in ["W/\"3\"", "\"3-gzip\"", "\"3--gzip\"", "\"3;br\"", "W/\"12-gzip\""] {
            assert!(matches!(problem(tag), Problem::ChangedTag), "{tag}");
        }
        for tag in ["\"abc\"", "\"03\"", "\"0\"", "W/\"abc\""] {
            let problem = problem(tag);
            assert!(matches!(problem, Problem::PreconditionFailed { actual: None }), "{tag}");
        }
    }

    #[test]
    fn the_other_condition_of_a_change_is_refused() {
        for tag in ["*", "\"3\""] {
            let problem = expected_version(&headers(&header::IF_NONE_MATCH, &[tag])).unwrap_err();
            assert!(problem.to_string().contains("`If-None-Match`"), "{problem}");
        }
    }

    #[test]
    fn a_malformed_condition_is_refused() {
        for tag in
            ["3", "\"3", "", ",", "w/\"3\"", "\"3\"\"4\"", "\"3\" *", "\"a b\"", "\"3\", \"4\""]
        {
            assert_eq!(expected(&[tag]), Err(StatusCode::BAD_REQUEST), "{tag}");
        }
    }
}

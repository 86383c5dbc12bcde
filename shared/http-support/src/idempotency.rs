//! The idempotency key of a write, chosen by the caller, under which a repeat is recognised.

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};

use crate::Problem;

const NAME: &str = "Idempotency-Key";
const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
/// Longest key, in characters.
const MAX: usize = 128;

/// The header `Idempotency-Key`: 1 to 128 visible ASCII characters.
///
/// Taken as the draft standard has it, a quoted string of RFC 8941 (`"k-1"`), and bare (`k-1`), as
/// many clients send it; both are the same key. As `Option<IdempotencyKey>` the header may be left
/// out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The key, without quotes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key in the headers, if there is one.
    pub fn from_headers(headers: &HeaderMap) -> Result<Option<Self>, Problem> {
        let mut values = headers.get_all(HEADER).iter();
        let Some(value) = values.next() else { return Ok(None) };
        if values.next().is_some() {
            return Err(invalid("sent more than once"));
        }
        value
            .to_str()
            .ok()
            .and_then(parse)
            .map(|key| Some(Self(key)))
            .ok_or(invalid("expected 1 to 128 visible ASCII characters"))
    }
}

domain::schema!(inline IdempotencyKey, {
    "type": "string",
    "pattern": r#"^("([!#-\[\]-~]|\\["\\]){1,128}"|[!#-~]{1,128})$"#,
});

fn invalid(detail: &'static str) -> Problem {
    Problem::InvalidHeader { name: NAME, detail }
}

fn parse(value: &str) -> Option<String> {
    let value = value.trim();
    let key = match value.strip_prefix('"') {
        Some(rest) => unescape(rest.strip_suffix('"')?)?,
        None => value.to_owned(),
    };
    let valid = (1..=MAX).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    // Bare, a quote would be half of a string.
    let whole = value.starts_with('"') || !value.contains('"');
    (valid && whole).then_some(key)
}

/// The inside of a string of RFC 8941: only `"` and `\` are escaped, and always.
fn unescape(text: &str) -> Option<String> {
    let mut key = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => return None,
            '\\' => key.push(characters.next().filter(|next| matches!(next, '"' | '\\'))?),
            _ => key.push(character),
        }
    }
    Some(key)
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Problem> {
        Self::from_headers(&parts.headers)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::from_headers(&parts.headers)?.ok_or(invalid("missing"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key_of(values: &[&str]) -> Result<Option<String>, String> {
        let headers = values.iter().map(|value| (HEADER, value.parse().unwrap())).collect();
        IdempotencyKey::from_headers(&headers)
            .map(|key| key.map(|key| key.0))
            .map_err(|problem| problem.to_string())
    }

    #[test]
    fn quoted_and_bare_keys_are_the_same() {
        assert_eq!(key_of(&[]), Ok(None));
        assert_eq!(key_of(&["k-1"]), Ok(Some("k-1".to_owned())));
        assert_eq!(key_of(&["\"k-1\""]), Ok(Some("k-1".to_owned())));
        assert_eq!(key_of(&[r#""a\"b\\c""#]), Ok(Some(r#"a"b\c"#.to_owned())));
        assert_eq!(key_of(&[&"k".repeat(128)]), Ok(Some("k".repeat(128))));
    }

    #[test]
    fn anything_else_is_malformed() {
        let long = "k".repeat(129);
        for bad in [
            "", "\"\"", "\"", "\"k", "k\"", "a b", "\"a b\"", r#""a\b""#, r#""a"b""#, r#""a\""#,
            &long,
        ] {
            let problem = key_of(&[bad]).unwrap_err();
            assert!(problem.starts_with("Header `Idempotency-Key`: expected"), "{bad}: {problem}");
        }
        assert!(key_of(&["a", "b"]).unwrap_err().contains("more than once"));
    }
}

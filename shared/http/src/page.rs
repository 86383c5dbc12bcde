//! Pages of a list: how many, from where, and where the next one is.
//!
//! A cursor names a position by the value of the last element, not by a number, so a list that
//! grows between two pages neither repeats nor skips. To callers it is opaque, and it carries the
//! version of its format, so that we may change it.

use axum::http::{HeaderName, HeaderValue, Uri, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize};

use crate::Problem;

/// How many elements a page may have: 1 to [`Limit::MAX`], [`Limit::DEFAULT`] if not asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u16")]
pub struct Limit(u16);

impl Limit {
    /// Size of a page if the caller does not name one.
    pub const DEFAULT: u16 = 50;
    /// Size of the largest page.
    pub const MAX: u16 = 200;

    /// The number of elements.
    #[must_use]
    pub fn get(self) -> u16 {
        self.0
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(Self::DEFAULT)
    }
}

impl TryFrom<u16> for Limit {
    type Error = String;

    fn try_from(limit: u16) -> Result<Self, String> {
        if (1..=Self::MAX).contains(&limit) {
            Ok(Self(limit))
        } else {
            Err(format!("expected a number from 1 to {}", Self::MAX))
        }
    }
}

/// The position after which a page begins. `T` is what the list is sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor<T>(pub T);

/// Longest cursor, in characters.
const CURSOR_MAX: usize = 512;
/// The version of the format: JSON follows.
const FORMAT: &[u8] = b"1";

impl<T: Serialize> Cursor<T> {
    /// The text that callers send back.
    fn encode(&self) -> serde_json::Result<String> {
        let json = serde_json::to_vec(&self.0)?;
        Ok(URL_SAFE_NO_PAD.encode([FORMAT, &json].concat()))
    }
}

impl<T: DeserializeOwned> Cursor<T> {
    fn decode(text: &str) -> Option<Self> {
        let bytes = (text.len() <= CURSOR_MAX).then(|| URL_SAFE_NO_PAD.decode(text).ok())??;
        serde_json::from_slice(bytes.strip_prefix(FORMAT)?).ok().map(Self)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Cursor<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::decode(&text).ok_or_else(|| D::Error::custom("expected a cursor from a `Link`"))
    }
}

/// The header that leads to the next page (RFC 8288): the same request with another cursor.
pub fn next_link<T: Serialize>(
    uri: &Uri,
    cursor: &Cursor<T>,
) -> Result<(HeaderName, HeaderValue), Problem> {
    let cursor = cursor.encode().map_err(anyhow::Error::from)?;
    let parameters = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(parameters.filter(|(name, _)| name != "cursor"))
        .append_pair("cursor", &cursor)
        .finish();
    let link = format!("<{}?{query}>; rel=\"next\"", uri.path());
    Ok((header::LINK, link.try_into().map_err(anyhow::Error::from)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Query;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Parameters {
        #[serde(default)]
        limit: Limit,
        cursor: Option<Cursor<(u32, String)>>,
        status: Option<String>,
    }

    fn parse(uri: &str) -> Result<Parameters, String> {
        Query::from_uri(&uri.parse().unwrap())
            .map(|Query(parameters)| parameters)
            .map_err(|problem| problem.to_string())
    }

    #[test]
    fn a_page_has_a_size_within_bounds() {
        assert_eq!(parse("/").unwrap().limit.get(), 50);
        assert_eq!(parse("/?limit=200").unwrap().limit.get(), 200);
        for bad in ["0", "201", "-1", "70000", "ten", ""] {
            let problem = parse(&format!("/?limit={bad}")).unwrap_err();
            assert!(problem.starts_with("Parameter `limit`: "), "{problem}");
        }
    }

    #[test]
    fn the_next_page_is_the_same_request_with_the_cursor() {
        let uri = "/v1/tasks?status=in%20work&cursor=old&limit=2".parse().unwrap();
        let (name, link) = next_link(&uri, &Cursor((7, "é>".to_owned()))).unwrap();
        assert_eq!(name, header::LINK);
        let target = link.to_str().unwrap().strip_prefix('<').unwrap();
        let target = target.strip_suffix(">; rel=\"next\"").unwrap();
        assert!(target.starts_with("/v1/tasks?status=in+work&limit=2&cursor="), "{target}");
        let expected = Parameters {
            limit: Limit(2),
            cursor: Some(Cursor((7, "é>".to_owned()))),
            status: Some("in work".to_owned()),
        };
        assert_eq!(parse(target).unwrap(), expected);
    }

    #[test]
    fn a_cursor_that_is_not_ours_is_refused() {
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let long = "A".repeat(CURSOR_MAX + 1);
        for bad in ["", "x", "####", &encode("2[7,\"a\"]"), &encode("1[7]"), &encode("1"), &long] {
            let problem = parse(&format!("/?cursor={}", bad.replace('#', "%23"))).unwrap_err();
            assert!(problem.starts_with("Parameter `cursor`: "), "{problem}");
        }
    }
}

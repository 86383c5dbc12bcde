//! How many elements a page has.

use serde::Deserialize;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Query;

    #[derive(Debug, Deserialize)]
    struct Parameters {
        #[serde(default)]
        limit: Limit,
    }

    fn parse(uri: &str) -> Result<u16, String> {
        Query::<Parameters>::from_uri(&uri.parse().unwrap())
            .map(|Query(parameters)| parameters.limit.get())
            .map_err(|problem| problem.to_string())
    }

    #[test]
    fn a_page_has_a_size_within_bounds() {
        assert_eq!(parse("/"), Ok(50));
        assert_eq!(parse("/?limit=200"), Ok(200));
        for bad in ["0", "201", "-1", "70000", "ten", ""] {
            let problem = parse(&format!("/?limit={bad}")).unwrap_err();
            assert!(problem.starts_with("Parameter `limit`: "), "{problem}");
        }
    }
}

//! How many elements a page has.

use serde::Deserialize;

/// How many elements a page may have: 1 to [`Limit::MAX`], [`Limit::DEFAULT`] by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
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

impl TryFrom<String> for Limit {
    type Error = String;

    /// Takes a number as JSON writes it: `7`, not `+7` or `07`.
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
            .ok()
            .filter(|limit: &u16| (1..=Self::MAX).contains(limit) && limit.to_string() == text)
            .map(Self)
            .ok_or_else(|| format!("expected a number from 1 to {}", Self::MAX))
    }
}

domain::schema!(inline Limit, {
    "type": "integer",
    "minimum": 1,
    "maximum": Self::MAX,
    "default": Self::DEFAULT,
});

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
        for bad in ["0", "201", "-1", "70000", "%2B7", "07", "7.0", "ten", ""] {
            let problem = parse(&format!("/?limit={bad}")).unwrap_err();
            assert!(problem.starts_with("Parameter `limit`: "), "{problem}");
        }
    }
}

//! What is wrong with the text of an option, and where.

use std::fmt::{Display, Formatter, Result};

/// Printed with the text, and a mark below the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    message: String,
    place: Option<(String, usize)>,
}

impl Mistake {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), place: None }
    }

    /// At a byte of the text.
    pub(crate) fn at(text: &str, byte: usize, message: impl Into<String>) -> Self {
        let before = text.get(..text.floor_char_boundary(byte)).unwrap_or_default();
        Self { message: message.into(), place: Some((text.to_owned(), before.chars().count())) }
    }

    /// The same in a longer text, of which the text was the end.
    pub(crate) fn behind(self, start: &str) -> Self {
        let longer = |(text, column)| (format!("{start}{text}"), start.chars().count() + column);
        Self { place: self.place.map(longer), ..self }
    }
}

impl Display for Mistake {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Result {
        write!(formatter, "{}", self.message)?;
        match &self.place {
            None => Ok(()),
            Some((text, column)) => write!(formatter, "\n  {text}\n  {:column$}^", ""),
        }
    }
}

impl std::error::Error for Mistake {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_is_below_the_place() {
        let mistake = Mistake::at("größe?", "größe".len(), "no");
        assert_eq!(mistake.to_string(), "no\n  größe?\n       ^");
        let mistake = mistake.behind("body=");
        assert_eq!(mistake.to_string(), "no\n  body=größe?\n            ^");
        assert_eq!(Mistake::at("x", 9, "no").to_string(), "no\n  x\n   ^");
    }
}

//! A message attribute of the sender: `NAME`, or `NAME=PATTERN`.

use super::pattern::Pattern;
use crate::dead_letter::DeadLetter;
use crate::mistake::Mistake;

#[derive(Clone, Debug)]
pub(crate) struct AttributeCondition {
    name: String,
    value: Option<Pattern>,
}

impl AttributeCondition {
    pub(super) fn parse(text: &str) -> Result<Self, Mistake> {
        let (name, value) = text.split_once('=').map_or((text, None), |(n, v)| (n, Some(v)));
        if name.is_empty() {
            return Err(Mistake::at(
                text,
                0,
                "a name is expected, as in `priority` or `priority=high`",
            ));
        }
        Ok(Self { name: name.to_owned(), value: value.map(Pattern::parse).transpose()? })
    }

    pub(super) fn holds(&self, dead_letter: &DeadLetter) -> bool {
        let value =
            dead_letter.attributes.get(&self.name).map(|attribute| attribute.value.as_str());
        self.value.as_ref().map_or(value.is_some(), |pattern| pattern.fits(value))
    }
}

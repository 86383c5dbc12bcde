//! Redis's commands: an array of byte strings.

use super::{Message, Split};
use crate::every_step::plan::Step;

pub(super) struct Splitter;

impl Split for Splitter {
    fn split(&mut self, said: &mut Vec<u8>) -> Option<Message> {
        let (count, mut end) = number(said, 0, b'*')?;
        let mut arguments = Vec::new();
        for _ in 0..count {
            let (length, begin) = number(said, end, b'$')?;
            arguments.push(String::from_utf8_lossy(said.get(begin..begin + length)?).into_owned());
            end = begin + length + 2;
        }
        if said.len() < end {
            return None;
        }
        // `CLIENT` says with its second word what it is.
        let words = if arguments[0] == "CLIENT" { 3 } else { 1 };
        let label = arguments[..words.min(arguments.len())].join(" ");
        let bytes = said.drain(..end).collect();
        Some(Message { step: Step::new(label, true), bytes })
    }
}

/// The number after `mark` at `begin`, and where its line ends.
fn number(said: &[u8], begin: usize, mark: u8) -> Option<(usize, usize)> {
    let rest = said.get(begin..)?;
    assert!(rest.first().is_none_or(|first| *first == mark), "no command of Redis");
    let length = rest.windows(2).position(|end| end == b"\r\n")?;
    let number = std::str::from_utf8(&rest[1..length]).ok()?.parse().ok()?;
    Some((number, begin + length + 2))
}

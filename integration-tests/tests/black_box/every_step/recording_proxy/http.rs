//! AWS's requests: the operation is named by a header, but for S3, where the method says it.

use super::{Message, Split};
use crate::every_step::plan::Step;

pub(super) struct Splitter;

impl Split for Splitter {
    fn split(&mut self, said: &mut Vec<u8>) -> Option<Message> {
        let head = said.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
        let text = String::from_utf8_lossy(&said[..head]).into_owned();
        let length = header(&text, "content-length").map_or(0, |length| {
            length.parse::<usize>().expect("the SDK sends bodies of known length")
        });
        let end = head + length;
        if said.len() < end {
            return None;
        }
        let bytes = said.drain(..end).collect();
        let target = header(&text, "x-amz-target").and_then(|target| target.split('.').nth(1));
        let method = text.split_whitespace().next().unwrap_or_default();
        let label = target.map_or_else(|| format!("{method} object"), str::to_owned);
        Some(Message { step: Step::new(label, true), bytes })
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let lines = head.lines().filter_map(|line| line.split_once(':'));
    let mut values = lines.filter(|(key, _)| key.eq_ignore_ascii_case(name));
    values.next().map(|(_, value)| value.trim())
}

//! PostgreSQL's frontend messages: a tag, a length, and what it says. The first ones have no tag.

use std::collections::HashMap;

use super::{Message, Split};
use crate::every_step::plan::Step;

const SSL_REQUEST: [u8; 4] = 80_877_103_u32.to_be_bytes();
/// Words of a statement that distinguish it from others.
const WORDS: usize = 8;

/// Knows which statement a message is about.
#[derive(Default)]
pub(super) struct Splitter {
    started: bool,
    previous: &'static str,
    /// By name.
    prepared: HashMap<Vec<u8>, String>,
    sql: String,
}

impl Split for Splitter {
    fn split(&mut self, said: &mut Vec<u8>) -> Option<Message> {
        let tag = usize::from(self.started);
        let length = said.get(tag..tag + 4)?.try_into().ok()?;
        let end = tag + usize::try_from(u32::from_be_bytes(length)).ok()?;
        if said.len() < end {
            return None;
        }
        let bytes: Vec<_> = said.drain(..end).collect();
        let name = self.name(&bytes);
        self.note_statement(name, &bytes[tag + 4..]);
        let label = match name {
            "password" => format!("{name} after {}", self.previous),
            "Sync" => format!("{name} after {}: {}", self.previous, self.sql),
            _ if self.sql.is_empty() => name.to_owned(),
            _ => format!("{name}: {}", self.sql),
        };
        self.previous = name;
        let answered = !matches!(name, "Parse" | "Describe" | "Bind" | "Execute" | "Close");
        Some(Message { step: Step::new(label, answered), bytes })
    }
}

impl Splitter {
    fn name(&mut self, bytes: &[u8]) -> &'static str {
        if !self.started {
            self.started = !bytes.ends_with(&SSL_REQUEST);
            return if self.started { "StartupMessage" } else { "SSLRequest" };
        }
        match bytes[0] {
            b'B' => "Bind",
            b'C' => "Close",
            b'D' => "Describe",
            b'E' => "Execute",
            b'P' => "Parse",
            b'Q' => "Query",
            b'S' => "Sync",
            b'X' => "Terminate",
            b'p' => "password",
            _ => "another message",
        }
    }

    fn note_statement(&mut self, name: &str, body: &[u8]) {
        let mut texts = body.split(|byte| *byte == 0);
        let mut next = || texts.next().unwrap_or_default().to_vec();
        match name {
            "Query" => self.sql = words(&next()),
            "Parse" => {
                let (name, sql) = (next(), words(&next()));
                self.sql.clone_from(&sql);
                self.prepared.insert(name, sql);
            }
            "Bind" => {
                let (_portal, statement) = (next(), next());
                self.sql = self.prepared.get(&statement).cloned().unwrap_or_default();
            }
            _ => {}
        }
    }
}

fn words(sql: &[u8]) -> String {
    let sql = String::from_utf8_lossy(sql);
    sql.split_whitespace().take(WORDS).collect::<Vec<_>>().join(" ")
}

//! An edit by a jq program.
//!
//! The program sees one body and nothing else: no environment, no files, no other input. It runs in a
//! process of its own, since nothing else ends one that runs for ever, and nothing at all stops one that
//! calls itself too deeply or takes all memory: then only that process ends.
//!
//! | file | what |
//! |---|---|
//! | `compile` | from text to a program, or to what is wrong with it |
//! | `evaluate` | what it makes of one body |
//! | `process` | the process, as seen from the tool |
//! | `child` | the process itself, and its limits |
//! | `frame` | what they send to each other |

mod child;
mod compile;
mod evaluate;
mod frame;
mod process;

pub(crate) use child::{is_child, serve};
pub(super) use process::Program;

use crate::mistake::Mistake;

/// Of a thread that compiles or runs a program, which may call itself deeply.
const STACK: usize = 256 << 20;

/// The text of a program that compiles.
#[derive(Clone, Debug)]
pub(super) struct Source(String);

impl Source {
    pub(super) fn parse(text: &str) -> Result<Self, Mistake> {
        compile::check(text)?;
        Ok(Self(text.to_owned()))
    }

    pub(super) fn program(&self) -> Program {
        Program::new(self.0.clone())
    }
}

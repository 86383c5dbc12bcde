//! What the commands of operators share: `dead-letters` and `backup` print alike, for people and for programs.
//!
//! Results go to the standard output, and the rest to the other: so a result can be piped into a program.

mod clock;
mod failure;
mod lines;
mod text;
mod write;

pub use clock::now;
pub use failure::failure;
pub use lines::Lines;
pub use text::printable;
pub use write::{bytes, json, line, note};

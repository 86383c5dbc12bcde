//! Asks before what cannot be undone.

use std::io::{IsTerminal as _, stdin};

use anyhow::{Result, bail};

use crate::file::Place;
use crate::mistake::Mistake;
use crate::output;
use crate::queue::Queue;

/// Succeeds if the queue's name is typed.
///
/// # Errors
/// Wrong usage if nobody can be asked.
pub(super) fn confirm(queue: &Queue, filter: &[String], export: Option<&Place>) -> Result<()> {
    if !stdin().is_terminal() {
        let message = "nobody is there to confirm it: `--yes` deletes messages without asking";
        return Err(Mistake::new(message).into());
    }
    let name = &queue.name;
    let which = if filter.is_empty() { "all".to_owned() } else { filter.join(", ") };
    let place = match export {
        Some(place) => format!("They are written to {place} first."),
        None => "They are written nowhere.".to_owned(),
    };
    output::note(&format!(
        "messages of {name} are going to be deleted: {which}, of about {} in the queue. {place}",
        queue.depth.total()
    ));
    output::prompt("Type the name of the queue to delete them: ");
    let mut answer = String::new();
    stdin().read_line(&mut answer)?;
    if answer.trim() != name {
        bail!("that is not {name}: nothing was deleted");
    }
    Ok(())
}

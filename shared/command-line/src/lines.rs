//! How far a command is, in a log: a terminal shows a bar, and a log has a line now and then.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Between two lines.
const PAUSE: Duration = Duration::from_secs(10);

/// When lines of progress are due.
#[derive(Debug)]
pub struct Lines {
    next: Mutex<Instant>,
}

impl Lines {
    /// Whether one is to be written now. Then the next is due later.
    pub fn are_due(&self) -> bool {
        let now = Instant::now();
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = now >= *next;
        if is_due {
            *next = now + PAUSE;
        }
        is_due
    }
}

impl Default for Lines {
    /// What ends soon writes none.
    fn default() -> Self {
        Self::from(Instant::now() + PAUSE)
    }
}

impl From<Instant> for Lines {
    /// The first one is due then.
    fn from(first: Instant) -> Self {
        Self { next: Mutex::new(first) }
    }
}

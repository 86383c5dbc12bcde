//! What a batch is decided on, chosen by how the last batches went.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

/// For how many batches rows are locked, once a batch that was read could not be written.
const LOCKED_BATCHES: u32 = 64;

/// What an attempt to apply a batch decides on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Basis {
    /// That all is new. What is there is a conflict.
    Nothing,
    /// The rows as they are read. What changes before they are written is a conflict.
    Read,
    /// The rows as they are locked until they are written.
    Locked,
}

impl Basis {
    /// What to decide on after a conflict.
    pub(crate) fn after_conflict(self) -> Self {
        match self {
            Self::Nothing => Self::Read,
            Self::Read | Self::Locked => Self::Locked,
        }
    }
}

/// How the last batches of a process went.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    /// Whether some of the last creates of producers had been applied before.
    creates_repeat: AtomicBool,
    /// For how many batches more rows are locked.
    locked: AtomicU32,
}

impl Recent {
    /// What to decide on first: of a batch of new tasks, as a rule, if it `is_new`.
    pub(crate) fn basis(&self, is_new: bool) -> Basis {
        if is_new && !self.creates_repeat.load(Relaxed) {
            return Basis::Nothing;
        }
        match self.locked.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)) {
            Ok(_) => Basis::Locked,
            Err(_) => Basis::Read,
        }
    }

    /// Takes note of a batch: what was decided on first and in the end, and whether it had repeats.
    pub(crate) fn note(&self, is_new: bool, first: Basis, last: Basis, has_repeats: bool) {
        if is_new {
            self.creates_repeat.store(has_repeats, Relaxed);
        }
        if first != Basis::Locked && last == Basis::Locked {
            self.locked.store(LOCKED_BATCHES, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn creates_are_looked_up_while_they_repeat() {
        let recent = Recent::default();
        assert_eq!(recent.basis(true), Basis::Nothing);
        recent.note(true, Basis::Nothing, Basis::Read, true);
        assert_eq!(recent.basis(true), Basis::Read);
        recent.note(false, Basis::Read, Basis::Read, false);
        assert_eq!(recent.basis(true), Basis::Read, "others say nothing of creates");
        recent.note(true, Basis::Read, Basis::Read, false);
        assert_eq!(recent.basis(true), Basis::Nothing);
    }

    #[test]
    fn rows_are_locked_for_a_while_once_they_were_contended() {
        let recent = Recent::default();
        assert_eq!(recent.basis(false), Basis::Read);
        recent.note(false, Basis::Read, Basis::Locked, false);
        for _ in 0..LOCKED_BATCHES {
            assert_eq!(recent.basis(false), Basis::Locked);
            recent.note(false, Basis::Locked, Basis::Locked, false);
        }
        assert_eq!(recent.basis(false), Basis::Read);
    }
}

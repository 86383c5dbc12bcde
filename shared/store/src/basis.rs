//! What a batch is decided on, chosen by how the last batches went.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

/// For how many batches rows are locked, once a batch that was read could not be written.
const LOCKED_BATCHES: u32 = 64;

/// What an attempt to apply a batch decides on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Basis {
    /// That all is new. What is there is a conflict.
    Nothing,
    /// The tasks as they are read, and that all commands are new. What changes before they are written is a
    /// conflict, and so is a command that was processed before.
    Tasks,
    /// Tasks and commands as they are read. What changes before they are written is a conflict.
    Read,
    /// The same, with the tasks locked until they are written.
    Locked,
}

impl Basis {
    /// What to decide on after a conflict.
    pub(crate) fn after_conflict(self) -> Self {
        match self {
            Self::Nothing | Self::Tasks => Self::Read,
            Self::Read | Self::Locked => Self::Locked,
        }
    }
}

/// How the last batches of a process went.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    /// Whether some commands had been processed before, of the last batch for which [`Basis::Nothing`] is usual.
    creates_repeat: AtomicBool,
    /// The same for [`Basis::Tasks`].
    changes_repeat: AtomicBool,
    /// For how many batches more rows are locked.
    locked: AtomicU32,
}

impl Recent {
    /// What to decide on first, of a batch that is decided on `usual`, as a rule.
    pub(crate) fn basis(&self, usual: Basis) -> Basis {
        let repeats = self.repeats(usual).is_some_and(|repeats| repeats.load(Relaxed));
        let first = if repeats { Basis::Read } else { usual };
        let is_locked = matches!(first, Basis::Tasks | Basis::Read)
            && self.locked.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok();
        if is_locked { Basis::Locked } else { first }
    }

    /// Takes note of a batch: what was decided on first and in the end, and whether it had repeats.
    pub(crate) fn note(&self, usual: Basis, first: Basis, last: Basis, has_repeats: bool) {
        if let Some(repeats) = self.repeats(usual) {
            repeats.store(has_repeats, Relaxed);
        }
        if first != Basis::Locked && last == Basis::Locked {
            self.locked.store(LOCKED_BATCHES, Relaxed);
        }
    }

    fn repeats(&self, usual: Basis) -> Option<&AtomicBool> {
        match usual {
            Basis::Nothing => Some(&self.creates_repeat),
            Basis::Tasks => Some(&self.changes_repeat),
            Basis::Read | Basis::Locked => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_looked_up_while_those_of_their_kind_repeat() {
        for (usual, other) in [(Basis::Nothing, Basis::Tasks), (Basis::Tasks, Basis::Nothing)] {
            let recent = Recent::default();
            assert_eq!(recent.basis(usual), usual);
            recent.note(usual, usual, Basis::Read, true);
            assert_eq!(recent.basis(usual), Basis::Read);
            assert_eq!(recent.basis(other), other);
            recent.note(other, other, other, false);
            recent.note(Basis::Read, Basis::Read, Basis::Read, false);
            assert_eq!(recent.basis(usual), Basis::Read, "others say nothing of these");
            recent.note(usual, Basis::Read, Basis::Read, false);
            assert_eq!(recent.basis(usual), usual);
        }
    }

    #[test]
    fn rows_are_locked_for_a_while_once_they_were_contended() {
        let recent = Recent::default();
        assert_eq!(recent.basis(Basis::Tasks), Basis::Tasks);
        recent.note(Basis::Tasks, Basis::Tasks, Basis::Locked, false);
        assert_eq!(recent.basis(Basis::Nothing), Basis::Nothing, "what is new is nobody else's");
        for usual in [Basis::Tasks, Basis::Read].into_iter().cycle().take(64) {
            assert_eq!(recent.basis(usual), Basis::Locked);
            recent.note(usual, Basis::Locked, Basis::Locked, false);
        }
        assert_eq!(recent.basis(Basis::Tasks), Basis::Tasks);
    }
}

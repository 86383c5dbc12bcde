//! Some of many, each with the same chance, without keeping all (reservoir sampling).

use rand::RngExt as _;

pub(super) struct Reservoir<T> {
    most: usize,
    offered: usize,
    kept: Vec<T>,
}

impl<T> Reservoir<T> {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, offered: 0, kept: Vec::new() }
    }

    /// Returns what is not kept because of it.
    pub(crate) fn offer(&mut self, one: T) -> Option<T> {
        self.offered += 1;
        if self.kept.len() < self.most {
            self.kept.push(one);
            return None;
        }
        match self.kept.get_mut(rand::rng().random_range(0..self.offered)) {
            Some(place) => Some(std::mem::replace(place, one)),
            None => Some(one),
        }
    }

    pub(crate) fn kept(self) -> Vec<T> {
        self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_the_same_chance() {
        let mut chosen = [0_u32; 20];
        for _ in 0..4_000 {
            let mut reservoir = Reservoir::new(5);
            let dropped = (0..chosen.len()).filter_map(|one| reservoir.offer(one)).count();
            assert_eq!(dropped, chosen.len() - 5);
            let kept = reservoir.kept();
            assert_eq!(kept.len(), 5);
            for one in kept {
                chosen[one] += 1;
            }
        }
        // A thousand on average, with a standard deviation of 27.
        assert!(chosen.iter().all(|times| (800..1_200).contains(times)), "{chosen:?}");
    }

    #[test]
    fn of_few_all_are_kept() {
        let mut reservoir = Reservoir::new(5);
        assert!((0..3).all(|one| reservoir.offer(one).is_none()));
        assert_eq!(reservoir.kept(), [0, 1, 2]);
    }
}

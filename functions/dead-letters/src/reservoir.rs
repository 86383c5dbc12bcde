//! Some of many, each with the same chance, without keeping all (reservoir sampling).

use rand::RngExt as _;

pub(super) struct Reservoir<T> {
    most: usize,
    offered: usize,
    kept: Vec<T>,
}

impl<T> Reservoir<T> {
    pub(super) fn new(most: usize) -> Self {
        Self { most, offered: 0, kept: Vec::new() }
    }

    pub(super) fn offer(&mut self, one: T) {
        self.offered += 1;
        if self.kept.len() < self.most {
            self.kept.push(one);
        } else if let Some(place) = self.kept.get_mut(rand::rng().random_range(0..self.offered)) {
            *place = one;
        }
    }

    pub(super) fn kept(self) -> Vec<T> {
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
            (0..chosen.len()).for_each(|one| reservoir.offer(one));
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
        (0..3).for_each(|one| reservoir.offer(one));
        assert_eq!(reservoir.kept(), [0, 1, 2]);
    }
}

//! Two programs in turn: ours, other, other, ours. What changes slowly on the machine meets both alike.

use std::fmt;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::figures::Spread;
use crate::servers::Server;
use crate::wrk::{self, Target};

/// How long and how often.
#[derive(Clone, Copy)]
pub(crate) struct Effort {
    pub(crate) turn: Duration,
    pub(crate) rounds: u32,
}

impl Effort {
    pub(crate) const QUICK: Self = Self { turn: Duration::from_secs(2), rounds: 2 };
    pub(crate) const FULL: Self = Self { turn: Duration::from_secs(10), rounds: 5 };
    pub(crate) const QUICK_WRITES: Self = Self { turn: Duration::from_millis(400), rounds: 1 };
    pub(crate) const FULL_WRITES: Self = Self { turn: Duration::from_secs(2), rounds: 5 };
    pub(crate) const QUICK_GROWTH: Self = Self { turn: Duration::from_secs(1), rounds: 1 };
    pub(crate) const FULL_GROWTH: Self = Self { turn: Duration::from_secs(2), rounds: 5 };
    /// Before the first turn: connections are made, caches filled, plans chosen.
    pub(crate) const WARM_UP: Duration = Duration::from_secs(1);
}

/// What was measured of one program: by turn.
#[derive(Default)]
pub(crate) struct Series {
    /// Requests a second.
    pub(crate) rates: Vec<f64>,
    /// Microseconds of processor time per request, in the program itself.
    pub(crate) costs: Vec<f64>,
}

impl Series {
    async fn turn(&mut self, server: &Server, target: &Target, time: Duration) -> Result<()> {
        let before = server.processor_time()?;
        let load = wrk::run(target, time).await?;
        let spent = server.processor_time()?.saturating_sub(before);
        self.rates.push(load.per_second);
        self.costs.push(spent.as_secs_f64() * 1e6 / load.requests);
        Ok(())
    }
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |values: &[f64], digits| {
            let values = values.iter().map(|value| format!("{value:.digits$}"));
            values.collect::<Vec<_>>().join(" ")
        };
        write!(f, "{} ({} µs)", list(&self.rates, 0), list(&self.costs, 1))
    }
}

/// What was measured of both.
pub(crate) struct Compared {
    pub(crate) ours: Series,
    pub(crate) other: Series,
}

impl Compared {
    /// Our requests a second by the other's, pair by pair.
    pub(crate) fn rate(&self) -> Result<Spread> {
        ratio(&self.ours.rates, &self.other.rates)
    }

    /// Our processor time per request by the other's.
    pub(crate) fn cost(&self) -> Result<Spread> {
        ratio(&self.ours.costs, &self.other.costs)
    }
}

/// Ours by the others, pair by pair.
pub(crate) fn ratio(ours: &[f64], other: &[f64]) -> Result<Spread> {
    let ratios = ours.iter().zip(other).map(|(ours, other)| ours / other).collect();
    Spread::of(ratios).context("no turn was measured")
}

/// The places of so many programs, or sizes, in a round: from the first to the last, and back.
pub(crate) fn there_and_back(count: usize) -> impl Iterator<Item = usize> {
    (0..count).chain((0..count).rev())
}

/// Measures both.
pub(crate) async fn compare(
    (ours, our_target): (&Server, &Target),
    (other, other_target): (&Server, &Target),
    effort: Effort,
) -> Result<Compared> {
    for target in [our_target, other_target] {
        wrk::run(target, Effort::WARM_UP).await?;
    }
    let mut compared = Compared { ours: Series::default(), other: Series::default() };
    for _ in 0..effort.rounds {
        compared.ours.turn(ours, our_target, effort.turn).await?;
        compared.other.turn(other, other_target, effort.turn).await?;
        compared.other.turn(other, other_target, effort.turn).await?;
        compared.ours.turn(ours, our_target, effort.turn).await?;
    }
    Ok(compared)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_compared_pair_by_pair() {
        let compared = Compared {
            ours: Series { rates: vec![10.0, 30.0], costs: vec![4.0, 2.0] },
            other: Series { rates: vec![20.0, 40.0], costs: vec![2.0, 2.0] },
        };
        assert_eq!(compared.rate().unwrap().to_string(), "**0.62** (0.50–0.75)");
        assert_eq!(compared.cost().unwrap().to_string(), "**1.50** (1.00–2.00)");
        assert!(ratio(&[], &[]).is_err());
    }
}

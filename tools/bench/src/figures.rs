//! Medians and their spread, and percentiles.

use std::fmt;

/// The median of several values, the least and the greatest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) least: f64,
    pub(crate) median: f64,
    pub(crate) greatest: f64,
}

impl Spread {
    /// `None` of no values.
    pub(crate) fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let (least, greatest) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let upper = *values.get(middle)?;
        let median = if values.len() % 2 == 1 {
            upper
        } else {
            f64::midpoint(*values.get(middle - 1)?, upper)
        };
        Some(Self { least, median, greatest })
    }

    /// As parts of a whole.
    pub(crate) fn by(self, whole: f64) -> Self {
        let Self { least, median, greatest } = self;
        Self { least: least / whole, median: median / whole, greatest: greatest / whole }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "**{:.2}** ({:.2}–{:.2})", self.median, self.least, self.greatest)
    }
}

/// What half of several values, 99 of 100 and 999 of 1,000 do not exceed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Percentiles {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
}

impl Percentiles {
    /// `None` of no values.
    pub(crate) fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        // The nearest rank: it is one of the values.
        let of_1000 = |part: usize| {
            let rank = (values.len() * part).div_ceil(1_000);
            values.get(rank.checked_sub(1)?).copied()
        };
        Some(Self { p50: of_1000(500)?, p99: of_1000(990)?, p999: of_1000(999)? })
    }

    /// Each by how much it exceeds the other's.
    pub(crate) fn minus(self, other: Self) -> Self {
        let (p50, p99) = (self.p50 - other.p50, self.p99 - other.p99);
        Self { p50, p99, p999: self.p999 - other.p999 }
    }
}

impl fmt::Display for Percentiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} {:.1} {:.1}", self.p50, self.p99, self.p999)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_in_the_middle() {
        let spread = |values: &[f64]| Spread::of(values.to_vec());
        assert_eq!(spread(&[]), None);
        assert_eq!(spread(&[3.0, 1.0, 2.0]).unwrap().to_string(), "**2.00** (1.00–3.00)");
        assert_eq!(spread(&[4.0, 1.0]).unwrap().to_string(), "**2.50** (1.00–4.00)");
        assert_eq!(spread(&[4.0, 1.0]).unwrap().by(2.0).to_string(), "**1.25** (0.50–2.00)");
    }

    #[test]
    fn a_percentile_is_the_value_that_so_many_do_not_exceed() {
        let of = |count: u16| Percentiles::of((1..=count).rev().map(f64::from).collect());
        assert_eq!(of(0), None);
        assert_eq!(of(1).unwrap().to_string(), "1.0 1.0 1.0");
        assert_eq!(of(1_000).unwrap().to_string(), "500.0 990.0 999.0");
        assert_eq!(of(1_001).unwrap().to_string(), "501.0 991.0 1000.0");
        assert_eq!(of(1_000).unwrap().minus(of(2).unwrap()).to_string(), "499.0 988.0 997.0");
    }
}

//! Medians and their spread.

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
}

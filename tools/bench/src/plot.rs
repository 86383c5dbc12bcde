//! Ratios as a picture of text, which Markdown shows everywhere.

use crate::figures::Spread;

/// Characters of a bar for a ratio of one.
const BAR: f64 = 40.0;

/// As long as the ratio, with a mark at the aim.
pub(crate) fn bar(ratio: Spread, aim: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is rounded for a picture"
    )]
    let cells = |part: f64| (part.clamp(0.0, 2.0) * BAR).round() as usize;
    let (long, mark) = (cells(ratio.median), cells(aim));
    let cell = |at| {
        if at == mark {
            '|'
        } else if at < long {
            '█'
        } else {
            ' '
        }
    };
    let bar: String = (0..=long.max(mark)).map(cell).collect();
    format!("{} {:.2}", bar.trim_end(), ratio.median)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_its_ratio() {
        let bar_of = |ratio| bar(Spread::of(vec![ratio]).unwrap(), 0.1);
        assert_eq!(bar_of(0.05), "██  | 0.05");
        assert_eq!(bar_of(0.2), "████|███ 0.20");
    }
}

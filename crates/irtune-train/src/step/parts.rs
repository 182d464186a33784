//! How a step's passes add up: a micro-batch that was divided is the sum of its parts.

/// A step's passes in their order, with what was divided in brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// A pass of its own.
    Pass,
    /// The parts of something divided begin.
    Open,
    /// They end.
    Close,
}

/// The sum of the passes' losses, each divided micro-batch summed on its own first.
///
/// The order decides how a sum of floating-point numbers is rounded, so it follows how examples were divided, not when
/// losses were read.
pub(super) fn sum(parts: &[Part], losses: &[f64]) -> f64 {
    let (mut parts, mut losses) = (parts.iter(), losses.iter());
    level(&mut parts, &mut losses)
}

/// The sum up to the end of what is divided, or of all.
fn level(parts: &mut std::slice::Iter<'_, Part>, losses: &mut std::slice::Iter<'_, f64>) -> f64 {
    let mut sum = 0.0;
    while let Some(part) = parts.next() {
        match part {
            Part::Pass => sum += losses.next().expect("a loss for each pass"),
            Part::Open => sum += level(parts, losses),
            Part::Close => break,
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_divided_is_summed_first() {
        use Part::{Close, Open, Pass};
        // 1 is lost beside 2⁵³ unless the ones meet first.
        let (big, ones) = (9_007_199_254_740_992.0, [1.0, 1.0]);
        let losses = [big, ones[0], ones[1]];
        assert_eq!(sum(&[Pass, Pass, Pass], &losses), big);
        assert_eq!(sum(&[Pass, Open, Pass, Pass, Close], &losses), big + 2.0);
        assert_eq!(sum(&[Open, Pass, Open, Pass, Pass, Close, Close], &losses), big + 2.0);
    }
}

//! Probabilities as charts: how often they are right, and what comes of answering only the surest pairs.

use irtune_metrics::{ReliabilityBin, RiskCoveragePoint};

use crate::chart::{Chart, Line, Point};

/// Bins of fewer examples are not drawn: they are mostly chance.
const FEWEST: u64 = 5;

/// The reliability diagram: the share of right answers over the mean probability, a line for each list of bins. The
/// last line, whose number is that of the lists, is where both are equal.
pub fn reliability(lists: &[&[ReliabilityBin]]) -> Chart {
    let drawn = |bins: &[ReliabilityBin]| -> Vec<Point> {
        let filled = bins.iter().filter(|bin| bin.examples >= FEWEST);
        filled.map(|bin| Point { x: bin.confidence, y: bin.accuracy, ends: None }).collect()
    };
    let lines = lists.iter().enumerate().map(|(number, bins)| Line { number, points: drawn(bins) });
    let mut lines: Vec<Line> = lines.filter(|line| !line.points.is_empty()).collect();
    if !lists.is_empty() {
        let points = [0.0, 1.0].map(|both| Point { x: both, y: both, ends: None });
        lines.push(Line { number: lists.len(), points: points.to_vec() });
    }
    Chart {
        title: "Share of right answers over their probability".to_owned(),
        along: "probability of the predicted label",
        logarithmic: false,
        from_zero: true,
        lines,
    }
}

/// Risk over coverage: the share of wrong answers when so many of the pairs are answered, the surest ones first.
pub fn risk_coverage(lists: &[&[RiskCoveragePoint]]) -> Chart {
    let point = |point: &RiskCoveragePoint| Point { x: point.coverage, y: point.risk, ends: None };
    let line = |(number, points): (usize, &&[RiskCoveragePoint])| Line {
        number,
        points: points.iter().map(point).collect(),
    };
    Chart {
        title: "Share of wrong answers over the share of pairs answered".to_owned(),
        along: "share of the pairs that get an answer, the surest first",
        logarithmic: false,
        from_zero: true,
        lines: lists.iter().enumerate().map(line).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_of_chance_are_left_out_and_the_diagonal_is_last() {
        let bin = |examples, confidence| ReliabilityBin {
            low: 0.0,
            high: 1.0,
            examples,
            confidence,
            accuracy: 0.5,
        };
        let chart = reliability(&[&[bin(9, 0.6), bin(2, 0.8)], &[bin(0, 0.0)]]);
        assert_eq!(
            chart.lines.iter().map(|line| (line.number, line.points.len())).collect::<Vec<_>>(),
            [(0, 1), (2, 2)]
        );
        assert_eq!(reliability(&[]).draw().into_string(), "");
        let point = RiskCoveragePoint { threshold: 0.5, coverage: 0.25, risk: 0.125 };
        let chart = risk_coverage(&[&[point], &[]]);
        assert_eq!(chart.lines[0].points, [Point { x: 0.25, y: 0.125, ends: None }]);
    }
}

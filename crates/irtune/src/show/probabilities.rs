//! How far probabilities can be trusted, as a person reads it.

use irtune_metrics::{Interval, ProbabilityFigures, RiskCoveragePoint};
use irtune_train::Answered;

use super::numbers::percent;
use super::text_table::table;

/// The figures of probabilities, and what comes of answering only the surest pairs.
pub fn probabilities(figures: &ProbabilityFigures) -> String {
    let point = |point: &RiskCoveragePoint| {
        vec![percent(point.coverage), percent(1.0 - point.risk), format!("{:.3}", point.threshold)]
    };
    let rows: Vec<Vec<String>> = figures.by_coverage.iter().rev().map(point).collect();
    errors(figures)
        + &error("area of risk by coverage", figures.risk_coverage_area, &None)
        + "\nAnswering only the surest pairs (predict --abstain-below P):\n"
        + &table(&["answered", "right", "P"], &rows)
}

/// The figures of the probabilities of labels of which a pair can have several.
pub fn decisions(figures: &ProbabilityFigures) -> String {
    format!("Each label of each pair counted as a decision of its own:\n{}", errors(figures))
}

fn errors(figures: &ProbabilityFigures) -> String {
    error("log loss", figures.log_loss, &None)
        + &error("Brier score", figures.brier, &None)
        + &error("calibration error", figures.calibration_error, &figures.calibration_error_interval)
        + &error(
            "… in bins of equal counts",
            figures.adaptive_calibration_error,
            &figures.adaptive_calibration_error_interval,
        )
}

fn error(name: &str, value: f64, interval: &Option<Interval>) -> String {
    let interval =
        interval.map_or_else(String::new, |Interval { low, high }| format!("  [{low:.4}, {high:.4}]"));
    format!("{name:<26} {value:.4}{interval}\n")
}

/// The pairs that get an answer.
pub fn answered(answered: &Answered) -> String {
    let Answered { abstain_below, coverage, metrics } = answered;
    match metrics {
        None => format!("No answer has a probability of {abstain_below} or more.\n"),
        Some(metrics) => {
            format!(
                "Answers of a probability of {abstain_below} or more, {} of the pairs:\n{metrics}",
                percent(*coverage)
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use irtune_metrics::{Bootstrap, Predictions};

    #[test]
    fn sure_answers_are_told_by_how_many_they_are() {
        let predictions =
            Predictions::new(&[0, 1, 1, 0], &[0.9, 0.1, 0.2, 0.8, 0.7, 0.3, 0.6, 0.4], 2).unwrap();
        let figures = ProbabilityFigures::of(&predictions, Some(&Bootstrap::default())).unwrap();
        let text = probabilities(&figures);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("log loss                   0.51"), "{text}");
        assert!(lines[2].starts_with("calibration error          0.") && lines[2].ends_with(']'), "{text}");
        assert_eq!(lines[7], "  answered    right      P");
        assert_eq!(lines[8], "  100.0 %    75.0 %  0.600");
        assert_eq!(lines[17], "  25.0 %    100.0 %  0.900");
    }
}

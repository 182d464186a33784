//! What decides which model of a run is the best.

use super::names::names;

names! {
    /// A figure of an evaluation on the validation pairs.
    pub enum BestMetric {
        /// Mean of the labels' F1: higher is better.
        #[default]
        MacroF1,
        /// Share of right answers, with `multi_label` of pairs that are given exactly their labels: higher is better.
        Accuracy,
        /// Mean of the labels' areas under the precision-recall curve: higher is better.
        AveragePrecision,
        /// Mean cross-entropy, with `multi_label` over all labels: lower is better.
        Loss,
    }

    /// A name that is no metric.
    #[error("`{name}` is no metric; use macro_f1, accuracy, average_precision or loss")]
    pub struct UnknownMetric;
}

impl BestMetric {
    /// Whether `value` is strictly better than `best`; a figure that is not a number never is.
    pub fn improves(self, value: f64, best: f64) -> bool {
        match self {
            BestMetric::Loss => value < best,
            _ => value > best,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strum::VariantArray;

    #[test]
    fn names_round_trip() {
        for metric in BestMetric::VARIANTS.iter().copied() {
            assert_eq!(metric.to_string().parse(), Ok(metric));
            assert_eq!(serde_json::to_string(&metric).unwrap(), format!("\"{metric}\""));
        }
        let error = "f1".parse::<BestMetric>().unwrap_err().to_string();
        assert_eq!(error, "`f1` is no metric; use macro_f1, accuracy, average_precision or loss");
    }

    #[test]
    fn better_is_strictly_better() {
        assert!(BestMetric::Loss.improves(0.5, 0.6));
        assert!(!BestMetric::Loss.improves(0.6, 0.6));
        assert!(BestMetric::MacroF1.improves(0.6, 0.5));
        assert!(!BestMetric::MacroF1.improves(f64::NAN, 0.5));
    }
}

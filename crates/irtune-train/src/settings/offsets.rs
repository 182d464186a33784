//! What the labels' offsets, or thresholds, are tuned for.

use super::BestMetric;
use super::names::names;
use irtune_metrics::OffsetTarget;

names! {
    /// What the labels' offsets, where a pair can have several labels their thresholds, are tuned for on the validation pairs.
    pub enum Offsets {
        /// For what the best model is chosen by; there are none when that is neither macro-F1 nor accuracy.
        #[default]
        BestMetric,
        /// For the mean of the labels' F1.
        MacroF1,
        /// For the share of right answers.
        Accuracy,
        /// There are none.
        None,
    }

    /// A name that offsets are not tuned for.
    #[error("offsets are not tuned for `{name}`; use best_metric, macro_f1, accuracy or none")]
    pub struct UnknownOffsets;
}

impl Offsets {
    /// The figure that they are tuned for in a run whose best model is chosen by `best`.
    pub fn target(self, best: BestMetric) -> Option<OffsetTarget> {
        match (self, best) {
            (Offsets::MacroF1, _) | (Offsets::BestMetric, BestMetric::MacroF1) => Some(OffsetTarget::MacroF1),
            (Offsets::Accuracy, _) | (Offsets::BestMetric, BestMetric::Accuracy) => {
                Some(OffsetTarget::Accuracy)
            }
            (Offsets::None, _) | (Offsets::BestMetric, BestMetric::AveragePrecision | BestMetric::Loss) => {
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strum::VariantArray;

    #[test]
    fn names_round_trip() {
        for offsets in Offsets::VARIANTS.iter().copied() {
            assert_eq!(offsets.to_string().parse(), Ok(offsets));
        }
        let error = "f1".parse::<Offsets>().unwrap_err().to_string();
        assert_eq!(error, "offsets are not tuned for `f1`; use best_metric, macro_f1, accuracy or none");
    }

    #[test]
    fn they_follow_the_best_metric_unless_told_otherwise() {
        let target = |offsets: Offsets| BestMetric::VARIANTS.iter().map(move |best| offsets.target(*best));
        let (macro_f1, accuracy) = (Some(OffsetTarget::MacroF1), Some(OffsetTarget::Accuracy));
        assert!(target(Offsets::BestMetric).eq([macro_f1, accuracy, None, None]));
        assert!(target(Offsets::MacroF1).eq([macro_f1; 4]));
        assert!(target(Offsets::Accuracy).eq([accuracy; 4]));
        assert!(target(Offsets::None).eq([None; 4]));
    }
}

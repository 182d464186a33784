//! A model that gives every pair the same label.

use super::Run;
use crate::data_split::DataSplit;
use crate::error::TrainError;
use irtune_metrics::Metrics;

impl Run<'_> {
    /// The one label that the kept model gave all validation pairs, though they have several.
    pub(super) fn collapsed(&self) -> Result<Option<String>, TrainError> {
        let kept = self.state.best.as_ref().map_or(self.state.step, |best| best.step);
        let mut label = None;
        for evaluation in self.parts.folder.evaluations()? {
            let evaluation = evaluation?;
            if evaluation.split == DataSplit::Validation && evaluation.step == kept {
                label = one_label(&evaluation.metrics);
            }
        }
        Ok(label)
    }
}

/// The label that all predictions have, when the pairs themselves have more than one.
fn one_label(metrics: &Metrics) -> Option<String> {
    let several = metrics.classes.iter().filter(|class| class.support > 0).count() > 1;
    let all = |predicted: u64| several && predicted == metrics.examples as u64;
    let label = metrics.classes.iter().find(|class| all(class.predicted));
    label.map(|class| class.label.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_label_for_all_is_no_judgement_where_the_pairs_have_several() {
        let metrics = |labels: &[u32], second: &[f64]| {
            let rows: Vec<f64> = second.iter().flat_map(|&second| [1.0 - second, second]).collect();
            Metrics::new(labels, &rows, &["clarity", "style"]).unwrap()
        };
        assert_eq!(one_label(&metrics(&[0, 1, 1], &[0.9, 0.8, 0.7])), Some("style".to_owned()));
        assert_eq!(one_label(&metrics(&[0, 1, 1], &[0.1, 0.2, 0.3])), Some("clarity".to_owned()));
        assert_eq!(one_label(&metrics(&[0, 1, 1], &[0.9, 0.8, 0.3])), None);
        assert_eq!(one_label(&metrics(&[1, 1, 1], &[0.9, 0.8, 0.7])), None);
    }
}

//! A model that tells all pairs as the same.

use super::Run;
use crate::closing::Closed;
use crate::data_split::DataSplit;
use crate::error::TrainError;
use crate::folder::summary::Collapsed;
use crate::infer::decision::Decision;
use irtune_metrics::Metrics;

impl Run<'_> {
    /// The one answer that the kept model gave all validation pairs, though they differ. Where these can have several
    /// labels, the answers are those of the fitted thresholds, if there are some: outputs that stay below one half can still
    /// tell labels apart.
    pub(super) fn collapsed(&self, closed: &Closed) -> Result<Option<Collapsed>, TrainError> {
        if let (decision @ Decision::Several(_), Some(validation)) = (&closed.decision, &closed.validation) {
            let (evaluation, _) = validation.measure(0, decision, &self.parts.data.labels)?;
            return Ok(one_answer(&evaluation.metrics));
        }
        let kept = self.state.best.as_ref().map_or(self.state.step, |best| best.step);
        let mut answer = None;
        for evaluation in self.parts.folder.evaluations()? {
            let evaluation = evaluation?;
            if evaluation.split == DataSplit::Validation && evaluation.step == kept {
                answer = one_answer(&evaluation.metrics);
            }
        }
        Ok(answer)
    }
}

/// The answer that all pairs have, when they themselves have more than one.
fn one_answer(metrics: &Metrics) -> Option<Collapsed> {
    let all = metrics.examples as u64;
    if metrics.multi_label.is_none() {
        let several = metrics.classes.iter().filter(|class| class.support > 0).count() > 1;
        let label = metrics.classes.iter().find(|class| several && class.predicted == all);
        return label.map(|class| Collapsed::Label(class.label.clone()));
    }
    let differ = metrics.classes.iter().any(|class| class.support > 0 && class.support < all);
    let same = metrics.classes.iter().all(|class| class.predicted == 0 || class.predicted == all);
    let given = metrics.classes.iter().filter(|class| class.predicted > 0);
    (differ && same).then(|| Collapsed::Labels(given.map(|class| class.label.clone()).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use irtune_metrics::MultiLabelPredictions;

    #[test]
    fn one_label_for_all_is_no_judgement_where_the_pairs_have_several() {
        let metrics = |labels: &[u32], second: &[f64]| {
            let rows: Vec<f64> = second.iter().flat_map(|&second| [1.0 - second, second]).collect();
            Metrics::new(labels, &rows, &["clarity", "style"]).unwrap()
        };
        assert_eq!(
            one_answer(&metrics(&[0, 1, 1], &[0.9, 0.8, 0.7])),
            Some(Collapsed::Label("style".to_owned()))
        );
        assert_eq!(
            one_answer(&metrics(&[0, 1, 1], &[0.1, 0.2, 0.3])),
            Some(Collapsed::Label("clarity".to_owned()))
        );
        assert_eq!(one_answer(&metrics(&[0, 1, 1], &[0.9, 0.8, 0.3])), None);
        assert_eq!(one_answer(&metrics(&[1, 1, 1], &[0.9, 0.8, 0.7])), None);
    }

    #[test]
    fn the_same_labels_for_all_are_no_judgement_either() {
        let answer = |predicted: [[bool; 2]; 2]| {
            let truth = vec![true, false, false, false];
            let found = MultiLabelPredictions::new(truth, predicted.concat(), vec![0.5; 4], 2).unwrap();
            one_answer(&found.metrics(&["clarity", "style"], None).unwrap())
        };
        assert_eq!(answer([[false; 2]; 2]), Some(Collapsed::Labels(vec![])));
        let both = Collapsed::Labels(vec!["clarity".to_owned(), "style".to_owned()]);
        assert_eq!(both.to_string(), "the labels `clarity`, `style`");
        assert_eq!(answer([[true; 2]; 2]), Some(both));
        assert_eq!(answer([[true, false], [false; 2]]), None);
    }
}

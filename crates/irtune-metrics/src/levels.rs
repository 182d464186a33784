//! Labels whose names have levels, such as `content/claim`.

use serde::{Deserialize, Serialize};

use crate::{Metrics, MetricsError, Predictions};

/// What divides the levels of a label's name.
const SEPARATOR: char = '/';

/// The metrics of labels cut off below a level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LevelMetrics {
    /// How many levels of the names are left; 1 for the highest alone.
    pub level: usize,
    /// The metrics of what is left of the labels.
    pub metrics: Metrics,
}

/// The first levels of a name; all of it when it has no more.
fn upper(name: &str, level: usize) -> &str {
    name.match_indices(SEPARATOR).nth(level - 1).map_or(name, |(end, _)| &name[..end])
}

/// The different upper labels, in the order of the names, and which of them each name belongs to.
pub(crate) fn groups(names: &[impl AsRef<str>], level: usize) -> (Vec<&str>, Vec<usize>) {
    let mut uppers: Vec<&str> = Vec::new();
    let group = names.iter().map(|name| {
        let upper = upper(name.as_ref(), level);
        uppers.iter().position(|known| *known == upper).unwrap_or_else(|| {
            uppers.push(upper);
            uppers.len() - 1
        })
    });
    let group = group.collect();
    (uppers, group)
}

/// The levels above the lowest at which names fall together, yet not all of them and not as they did above.
pub(crate) fn levels(names: &[impl AsRef<str>]) -> Vec<usize> {
    let deepest = names.iter().map(|name| name.as_ref().matches(SEPARATOR).count()).max().unwrap_or(0);
    let mut before = 1;
    let apart = |level: &usize| {
        let count = groups(names, *level).0.len();
        let found = count > before && count < names.len();
        before = before.max(count);
        found
    };
    (1..=deepest).filter(apart).collect()
}

impl Predictions {
    /// The same predictions for labels cut off below a level: an upper label's probability is the sum of its labels'. With
    /// the upper labels, in the order of the first of their labels.
    ///
    /// # Shapes
    /// `names` `[classes]`; `level` from 1.
    ///
    /// # Errors
    /// [`MetricsError::LabelNames`] if the names are not as many as the classes.
    pub fn at_level(
        &self,
        names: &[impl AsRef<str>],
        level: usize,
    ) -> Result<(Predictions, Vec<String>), MetricsError> {
        if names.len() != self.classes() {
            return Err(MetricsError::LabelNames { names: names.len(), classes: self.classes() });
        }
        let (uppers, group) = groups(names, level);
        let mut probabilities = vec![0.0; self.examples() * uppers.len()];
        for (example, row) in probabilities.chunks_exact_mut(uppers.len()).enumerate() {
            for (class, &upper) in group.iter().enumerate() {
                row[upper] += self.probability(example, class);
            }
        }
        let labels: Vec<u32> = self.labels().iter().map(|&label| group[label] as u32).collect();
        let predictions = Predictions::new(&labels, &probabilities, uppers.len())?;
        Ok((predictions, uppers.into_iter().map(str::to_owned).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_one_that_joins_some_labels_and_not_all() {
        assert_eq!(levels(&["a/x/1", "a/x/2", "a/y", "b"]), [1, 2]);
        assert_eq!(levels(&["a/x/1", "a/x/2", "b"]), [1]);
        assert_eq!(levels(&["Fact/Evidence", "Claim"]), [0; 0]);
        assert_eq!(levels(&["a/x", "a/y"]), [0; 0]);
        assert_eq!(levels(&["a", "b"]), [0; 0]);
    }

    #[test]
    fn probabilities_of_an_upper_label_are_summed() {
        let names = ["a/x", "b", "a/y"];
        let predictions = Predictions::new(&[2, 1], &[0.25, 0.4, 0.35, 0.2, 0.7, 0.1], 3).unwrap();
        assert_eq!(predictions.predicted(), [1, 1]);
        let (upper, uppers) = predictions.at_level(&names, 1).unwrap();
        assert_eq!(uppers, ["a", "b"]);
        assert_eq!((upper.labels(), upper.predicted()), (&[0, 1][..], &[0, 1][..]));
        assert!((upper.probability(0, 0) - 0.6).abs() < 1e-12);
        let refused = predictions.at_level(&names[1..], 1).unwrap_err();
        assert_eq!(refused, MetricsError::LabelNames { names: 2, classes: 3 });
    }

    #[test]
    fn metrics_have_the_figures_of_each_level() {
        let names = ["a/x", "b", "a/y"];
        let predictions = Predictions::new(&[2, 1], &[0.25, 0.4, 0.35, 0.2, 0.7, 0.1], 3).unwrap();
        let metrics = Metrics::of(&predictions, &names, None).unwrap();
        let [LevelMetrics { level: 1, metrics: upper }] = metrics.levels.as_slice() else {
            panic!("{:?}", metrics.levels)
        };
        assert_eq!((metrics.accuracy, upper.accuracy), (0.5, 1.0));
        assert!(upper.levels.is_empty());
        let text = metrics.to_string();
        assert!(text.contains("\nlevel 1 of the labels, probabilities summed: 2 examples\n"), "{text}");
        let json = serde_json::to_string(&metrics).unwrap();
        assert_eq!(serde_json::from_str::<Metrics>(&json).unwrap(), metrics);
        let flat = Metrics::of(&predictions, &["a", "b", "c"], None).unwrap();
        assert!(!serde_json::to_string(&flat).unwrap().contains("levels"));
    }
}

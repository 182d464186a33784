//! How far the annotators of a corpus agree.

use std::collections::BTreeSet;

use irtune_data::{Pair, Votes};
use irtune_metrics::{Annotations, Ceiling, MetricsError};
use serde::Serialize;

/// How far several annotators of the same pairs agree; a figure is missing where the annotations don't give it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Agreement {
    /// Annotators: the length of the longest list.
    pub annotators: usize,
    /// Rows that two annotators or more labelled.
    pub rows: usize,
    /// The mean of Cohen's kappa over every two annotators.
    pub cohen_kappa: Option<f64>,
    /// Fleiss' kappa, where every row has as many annotations.
    pub fleiss_kappa: Option<f64>,
    /// Krippendorff's alpha.
    pub krippendorff_alpha: Option<f64>,
    /// An annotator against the others' majority.
    pub ceiling: Option<Ceiling>,
}

impl Agreement {
    /// Of the pairs that have a list of labels; `None` when no two annotators labelled the same pair.
    ///
    /// # Errors
    /// None that lists of labels can cause.
    pub fn of(pairs: &[Pair]) -> Result<Option<Agreement>, MetricsError> {
        let lists: Vec<&[Option<String>]> = pairs
            .iter()
            .filter_map(|pair| match &pair.votes {
                Some(Votes::Annotators(labels)) => Some(labels.as_slice()),
                _ => None,
            })
            .collect();
        let names: Vec<&String> =
            lists.iter().copied().flatten().flatten().collect::<BTreeSet<_>>().into_iter().collect();
        if names.is_empty() {
            return Ok(None);
        }
        let class = |label: &Option<String>| {
            label.as_ref().and_then(|label| names.binary_search(&label).ok()).map(|class| class as u32)
        };
        let items = lists.iter().map(|labels| labels.iter().map(class).collect()).collect();
        let annotations = Annotations::new(items, names.len())?;
        Ok((annotations.shared_items() > 0).then(|| Agreement {
            annotators: annotations.annotators(),
            rows: annotations.shared_items(),
            cohen_kappa: annotations.mean_cohen_kappa(),
            fleiss_kappa: annotations.fleiss_kappa(),
            krippendorff_alpha: annotations.krippendorff_alpha(),
            ceiling: annotations.ceiling(),
        }))
    }
}

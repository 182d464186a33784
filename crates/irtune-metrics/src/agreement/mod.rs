//! How far several annotators of the same items agree.

mod ceiling;
mod cohen;
mod fleiss;
mod krippendorff;

pub use ceiling::Ceiling;

use crate::MetricsError;

/// The labels that several annotators gave to the same items; an annotator may have left items out.
///
/// # Shapes
/// `items` `[items][annotators]`; an item's list may be shorter than another's, what is missing at its end was not given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotations {
    items: Vec<Vec<Option<usize>>>,
    annotators: usize,
    classes: usize,
}

impl Annotations {
    /// Takes annotations and checks them.
    ///
    /// # Errors
    /// [`MetricsError::NoExamples`] without items, [`MetricsError::NoClasses`] without labels, and
    /// [`MetricsError::LabelOutOfRange`] for a label outside the label set.
    pub fn new(items: Vec<Vec<Option<u32>>>, classes: usize) -> Result<Annotations, MetricsError> {
        if items.is_empty() {
            return Err(MetricsError::NoExamples);
        }
        if classes == 0 {
            return Err(MetricsError::NoClasses);
        }
        for (example, item) in items.iter().enumerate() {
            if let Some(label) = item.iter().flatten().copied().find(|&label| label as usize >= classes) {
                return Err(MetricsError::LabelOutOfRange { example, label, classes });
            }
        }
        let index = |item: Vec<Option<u32>>| item.into_iter().map(|label| label.map(|label| label as usize));
        let items: Vec<Vec<_>> = items.into_iter().map(|item| index(item).collect()).collect();
        let annotators = items.iter().map(Vec::len).max().unwrap_or(0);
        Ok(Annotations { items, annotators, classes })
    }

    /// Annotators: the length of the longest list.
    pub fn annotators(&self) -> usize {
        self.annotators
    }

    /// Items that two annotators or more labelled; only they say something about agreement.
    pub fn shared_items(&self) -> usize {
        self.counts().filter(|counts| counts.iter().sum::<u64>() > 1).count()
    }

    /// The label that an annotator gave to an item.
    fn label(&self, item: usize, annotator: usize) -> Option<usize> {
        self.items[item].get(annotator).copied().flatten()
    }

    /// How often each label was given to an item, item by item.
    fn counts(&self) -> impl Iterator<Item = Vec<u64>> + '_ {
        self.items.iter().map(|item| {
            let mut counts = vec![0; self.classes];
            for &label in item.iter().flatten() {
                counts[label] += 1;
            }
            counts
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_are_no_annotations_is_refused() {
        assert_eq!(Annotations::new(Vec::new(), 2), Err(MetricsError::NoExamples));
        assert_eq!(Annotations::new(vec![vec![None]], 0), Err(MetricsError::NoClasses));
        let refused = Annotations::new(vec![vec![Some(0)], vec![None, Some(2)]], 2);
        assert_eq!(refused, Err(MetricsError::LabelOutOfRange { example: 1, label: 2, classes: 2 }));
    }

    #[test]
    fn items_of_one_annotator_are_not_shared() {
        let items = vec![vec![Some(0)], vec![Some(1), None, Some(0)], vec![None, None]];
        let annotations = Annotations::new(items, 2).unwrap();
        assert_eq!((annotations.annotators(), annotations.shared_items()), (3, 1));
    }

    #[test]
    fn where_agreement_means_nothing_there_is_no_figure() {
        let only = |items| Annotations::new(items, 2).unwrap();
        for (items, what) in [
            (vec![vec![Some(0)], vec![Some(1)]], "one annotator"),
            (vec![vec![Some(0), Some(0)], vec![Some(0), Some(0)]], "one label"),
        ] {
            let annotations = only(items);
            assert_eq!(annotations.krippendorff_alpha(), None, "{what}");
            assert_eq!(annotations.fleiss_kappa(), None, "{what}");
            assert_eq!(annotations.cohen_kappa(0, 1), None, "{what}");
        }
        assert_eq!(only(vec![vec![Some(0)], vec![Some(1)]]).ceiling(), None);
        let ragged = only(vec![vec![Some(0), Some(0)], vec![Some(1), Some(1), Some(0)]]);
        assert_eq!(ragged.fleiss_kappa(), None);
        assert!(ragged.krippendorff_alpha().is_some());
    }
}

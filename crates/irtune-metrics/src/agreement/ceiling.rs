//! What an annotator reaches when measured as a classifier is.

use serde::{Deserialize, Serialize};

use super::Annotations;

/// The human ceiling: how well one annotator tells what most of the others say.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Ceiling {
    /// Mean accuracy over the annotators.
    pub accuracy: f64,
    /// Mean macro-F1 over the annotators, each over the labels that it or the others name.
    pub macro_f1: f64,
}

impl Annotations {
    /// The mean, over the annotators, of the accuracy and macro-F1 of one against the majority of the others.
    ///
    /// An item on which the others name several labels equally often counts for each of them, with an equal share.
    /// An annotator who shares no item with another is left out; `None` when nobody is left.
    pub fn ceiling(&self) -> Option<Ceiling> {
        let figures: Vec<(f64, f64)> =
            (0..self.annotators).filter_map(|annotator| self.against_others(annotator)).collect();
        let count = figures.len() as f64;
        (!figures.is_empty()).then(|| Ceiling {
            accuracy: figures.iter().map(|(accuracy, _)| accuracy).sum::<f64>() / count,
            macro_f1: figures.iter().map(|(_, macro_f1)| macro_f1).sum::<f64>() / count,
        })
    }

    /// Accuracy and macro-F1 of an annotator against the others' majority.
    fn against_others(&self, annotator: usize) -> Option<(f64, f64)> {
        let classes = self.classes;
        let (mut hits, mut given, mut support) = (vec![0.0; classes], vec![0.0; classes], vec![0.0; classes]);
        let mut items = 0.0;
        for (item, mut counts) in self.counts().enumerate() {
            let Some(own) = self.label(item, annotator) else { continue };
            counts[own] -= 1;
            let most = counts.iter().copied().max().unwrap_or(0);
            if most == 0 {
                continue;
            }
            let majority: Vec<usize> = (0..classes).filter(|&class| counts[class] == most).collect();
            let share = 1.0 / majority.len() as f64;
            items += 1.0;
            given[own] += 1.0;
            for class in majority {
                support[class] += share;
                hits[class] += if class == own { share } else { 0.0 };
            }
        }
        let met: Vec<usize> = (0..classes).filter(|&class| given[class] + support[class] > 0.0).collect();
        let f1 = |&class: &usize| 2.0 * hits[class] / (given[class] + support[class]);
        let macro_f1 = met.iter().map(f1).sum::<f64>() / met.len() as f64;
        (items > 0.0).then(|| (hits.iter().sum::<f64>() / items, macro_f1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tie_of_the_others_counts_in_shares() {
        // Of three annotators each is measured against two: who disagrees is wrong, who agrees with one of two is half right.
        let annotations = Annotations::new(vec![vec![Some(0), Some(0), Some(1)]], 2).unwrap();
        let Ceiling { accuracy, macro_f1 } = annotations.ceiling().unwrap();
        assert!((accuracy - 1.0 / 3.0).abs() < 1e-12);
        // F1 of label 0 for the first two annotators: 2 · 0.5 / (1 + 0.5); everything else is 0.
        assert!((macro_f1 - 2.0 * (2.0 / 3.0 / 2.0) / 3.0).abs() < 1e-12);
    }
}

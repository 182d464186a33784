//! Cohen's kappa.

use super::Annotations;

impl Annotations {
    /// Cohen's kappa of two annotators over the items that both labelled: their agreement above chance, where chance is
    /// that each gives labels as often as he does; `None` when no item has both or chance alone agrees always.
    ///
    /// # Source
    /// Cohen 1960; `cohen_kappa_score` of scikit-learn.
    pub fn cohen_kappa(&self, first: usize, second: usize) -> Option<f64> {
        let (mut of_first, mut of_second) = (vec![0u64; self.classes], vec![0u64; self.classes]);
        let (mut both, mut equal) = (0u64, 0u64);
        for item in 0..self.items.len() {
            let (Some(one), Some(other)) = (self.label(item, first), self.label(item, second)) else {
                continue;
            };
            of_first[one] += 1;
            of_second[other] += 1;
            both += 1;
            equal += u64::from(one == other);
        }
        let by_chance: u64 = of_first.iter().zip(&of_second).map(|(one, other)| one * other).sum();
        if by_chance == both * both {
            return None;
        }
        let (observed, expected) =
            (equal as f64 / both as f64, by_chance as f64 / (both as f64 * both as f64));
        Some((observed - expected) / (1.0 - expected))
    }

    /// The mean of Cohen's kappa over all two annotators who have one.
    pub fn mean_cohen_kappa(&self) -> Option<f64> {
        let pairs = (0..self.annotators).flat_map(|first| (0..first).map(move |second| (second, first)));
        let kappas: Vec<f64> = pairs.filter_map(|(first, second)| self.cohen_kappa(first, second)).collect();
        (!kappas.is_empty()).then(|| kappas.iter().sum::<f64>() / kappas.len() as f64)
    }
}

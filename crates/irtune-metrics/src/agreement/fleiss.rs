//! Fleiss' kappa.

use super::Annotations;

impl Annotations {
    /// Fleiss' kappa: agreement above chance, where chance is that labels are given as often as all annotators together
    /// give them.
    ///
    /// `None` unless every item has the same number of annotations, two or more, or when chance alone agrees always;
    /// [`Annotations::krippendorff_alpha`] takes missing ones.
    ///
    /// # Source
    /// Fleiss 1971; `fleiss_kappa` of statsmodels.
    pub fn fleiss_kappa(&self) -> Option<f64> {
        let mut given = vec![0u64; self.classes];
        let (mut each, mut agreement) = (None, 0.0);
        for counts in self.counts() {
            let annotations: u64 = counts.iter().sum();
            if annotations < 2 || annotations != *each.get_or_insert(annotations) {
                return None;
            }
            let equal: u64 = counts.iter().map(|&count| count * count.saturating_sub(1)).sum();
            agreement += equal as f64 / (annotations * (annotations - 1)) as f64;
            for (given, count) in given.iter_mut().zip(counts) {
                *given += count;
            }
        }
        let all: u64 = given.iter().sum();
        if given.contains(&all) {
            return None;
        }
        let observed = agreement / self.items.len() as f64;
        let expected: f64 = given.iter().map(|&count| (count as f64 / all as f64).powi(2)).sum();
        Some((observed - expected) / (1.0 - expected))
    }
}

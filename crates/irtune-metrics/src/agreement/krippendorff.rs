//! Krippendorff's alpha.

use super::Annotations;

impl Annotations {
    /// Krippendorff's alpha for nominal labels: 1 minus the share of disagreement that chance would give; items with fewer
    /// than two annotations say nothing and are left out. `None` when fewer than two labels are left.
    ///
    /// # Source
    /// Krippendorff 2011, *Computing Krippendorff's Alpha-Reliability*; the Python package `krippendorff`.
    pub fn krippendorff_alpha(&self) -> Option<f64> {
        let mut given = vec![0u64; self.classes];
        let mut equal = 0.0;
        for counts in self.counts() {
            let annotations: u64 = counts.iter().sum();
            if annotations < 2 {
                continue;
            }
            let pairs: u64 = counts.iter().map(|&count| count * count.saturating_sub(1)).sum();
            equal += pairs as f64 / (annotations - 1) as f64;
            for (given, count) in given.iter_mut().zip(counts) {
                *given += count;
            }
        }
        let all: u64 = given.iter().sum();
        if all == 0 || given.contains(&all) {
            return None;
        }
        let equal_by_chance: u64 = given.iter().map(|&count| count * count.saturating_sub(1)).sum();
        let by_chance = equal_by_chance as f64 / (all - 1) as f64;
        Some(1.0 - (all as f64 - equal) / (all as f64 - by_chance))
    }
}

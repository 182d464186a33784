//! How figures of several runs lie.

use serde::{Deserialize, Serialize};

/// Mean and spread of some figures.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// How many.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation, with a denominator of `count − 1`; `None` for a single figure.
    pub deviation: Option<f64>,
}

impl Spread {
    /// Of figures; `None` of nothing.
    pub fn of(figures: &[f64]) -> Option<Spread> {
        let count = figures.len();
        if count == 0 {
            return None;
        }
        let mean = figures.iter().sum::<f64>() / count as f64;
        let squares: f64 = figures.iter().map(|figure| (figure - mean).powi(2)).sum();
        let deviation = (count > 1).then(|| (squares / (count - 1) as f64).sqrt());
        Some(Spread { count, mean, deviation })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_figure_has_no_deviation_and_none_no_mean() {
        assert_eq!(Spread::of(&[]), None);
        assert_eq!(Spread::of(&[0.5]), Some(Spread { count: 1, mean: 0.5, deviation: None }));
        assert_eq!(Spread::of(&[1.0, 3.0]).unwrap().deviation, Some(2f64.sqrt()));
    }
}

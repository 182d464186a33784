//! Counters of the change and their products, standardised.

use irtune_data::COUNTERS;

use super::scaler::Scaler;

/// So many standard deviations from the mean are enough for any pair.
const FARTHEST: f64 = 5.0;

/// What turns a change's counters into features: the counters and the products of every two of them, so that a linear
/// model can tell "one word, of digits" from both alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Counters {
    /// Of the counters.
    pub(crate) plain: Scaler,
    /// Of the standardised counters and their products.
    pub(crate) products: Scaler,
}

impl Counters {
    /// Features of a change: the counters, then the products.
    pub const LEN: usize = COUNTERS.len() + COUNTERS.len() * (COUNTERS.len() + 1) / 2;

    /// What standardises the counters of training pairs.
    pub fn fit(rows: &[Vec<f64>]) -> Counters {
        let plain = Scaler::fit(rows, COUNTERS.len());
        let extended: Vec<Vec<f64>> = rows.iter().map(|row| with_products(&plain.scale(row))).collect();
        Counters { products: Scaler::fit(&extended, Self::LEN), plain }
    }

    /// The features of a change by its counters, none farther than five standard deviations from the mean.
    ///
    /// # Source
    /// scikit-learn's `StandardScaler`, `PolynomialFeatures(2, include_bias=False)`, `StandardScaler`, and
    /// `numpy.clip`.
    pub fn row(&self, counters: &[f64]) -> Vec<f64> {
        let row = self.products.scale(&with_products(&self.plain.scale(counters)));
        row.into_iter().map(|value| value.clamp(-FARTHEST, FARTHEST)).collect()
    }

    /// The features' names: `hunks`, `hunks × moved_hunks`.
    pub fn names() -> Vec<String> {
        let products = (0..COUNTERS.len()).flat_map(|first| {
            COUNTERS[first..].iter().map(move |second| format!("{} × {second}", COUNTERS[first]))
        });
        COUNTERS.iter().map(|name| (*name).to_owned()).chain(products).collect()
    }
}

/// The values, then the product of each with itself and those after it.
fn with_products(values: &[f64]) -> Vec<f64> {
    let products = (0..values.len())
        .flat_map(|first| values[first..].iter().map(move |second| values[first] * second));
    values.iter().copied().chain(products).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_have_one_order() {
        assert_eq!(with_products(&[2.0, 3.0, 5.0]), [2.0, 3.0, 5.0, 4.0, 6.0, 10.0, 9.0, 15.0, 25.0]);
        let names = Counters::names();
        assert_eq!(names.len(), Counters::LEN);
        assert_eq!(names[COUNTERS.len() + 1], format!("{} × {}", COUNTERS[0], COUNTERS[1]));
        assert_eq!(names[2 * COUNTERS.len()], format!("{} × {}", COUNTERS[1], COUNTERS[1]));
    }
}

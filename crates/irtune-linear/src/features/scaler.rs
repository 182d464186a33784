//! Standardising numbers.

/// Takes the mean of each column away and divides by its standard deviation.
///
/// # Source
/// scikit-learn's `StandardScaler`: the deviation is the population's, and 1 for a column of equal values.
#[derive(Debug, Clone, PartialEq)]
pub struct Scaler {
    /// Of each column.
    pub(crate) means: Vec<f64>,
    /// Of each column.
    pub(crate) deviations: Vec<f64>,
}

impl Scaler {
    /// Means and deviations of rows of `columns` numbers.
    pub fn fit(rows: &[Vec<f64>], columns: usize) -> Scaler {
        let count = rows.len() as f64;
        let mean_of = |value: &dyn Fn(&[f64]) -> f64| rows.iter().map(|row| value(row)).sum::<f64>() / count;
        let means: Vec<f64> = (0..columns).map(|column| mean_of(&|row| row[column])).collect();
        let deviation = |(column, &mean): (usize, &f64)| {
            let deviation = mean_of(&|row| (row[column] - mean).powi(2)).sqrt();
            // The deviation of equal values is nothing but rounding.
            if deviation > 1e-9 * mean.abs() { deviation } else { 1.0 }
        };
        let deviations = means.iter().enumerate().map(deviation).collect();
        Scaler { means, deviations }
    }

    /// A row of numbers, standardised.
    pub fn scale(&self, row: &[f64]) -> Vec<f64> {
        let columns = self.means.iter().zip(&self.deviations);
        row.iter().zip(columns).map(|(value, (mean, deviation))| (value - mean) / deviation).collect()
    }
}

//! Gradients that are wrong in ways that the largest difference alone lets pass.

/// A way in which a gradient can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// Every value is half of what it should be, as when a factor was forgotten.
    Halved,
    /// The longest row points the other way.
    RowFlipped,
    /// The two rows that are furthest apart have changed places. Rows that are nearly alike may.
    RowsSwapped,
}

impl Damage {
    /// Every way.
    pub const ALL: [Self; 3] = [Self::Halved, Self::RowFlipped, Self::RowsSwapped];

    /// `gradient` of this shape damaged; none where there are no two rows whose exchange moves it by half its length.
    ///
    /// Rows are those of a matrix; a vector's are its single values.
    pub fn of(self, shape: &[usize], gradient: &[f32]) -> Option<Vec<f32>> {
        let columns = if shape.len() > 1 { shape[shape.len() - 1] } else { 1 };
        let mut damaged = gradient.to_vec();
        match self {
            Self::Halved => damaged.iter_mut().for_each(|value| *value /= 2.0),
            Self::RowFlipped => {
                let length = |row: &&mut [f32]| row.iter().map(|value| value * value).sum::<f32>();
                let rows = damaged.chunks_mut(columns);
                let longest = rows.max_by(|left, right| length(left).total_cmp(&length(right)))?;
                longest.iter_mut().for_each(|value| *value = -*value);
            }
            Self::RowsSwapped => {
                let row = |index: usize| &gradient[index * columns..][..columns];
                let distance = |&(first, second): &(usize, usize)| -> f32 {
                    row(first).iter().zip(row(second)).map(|(left, right)| (left - right).powi(2)).sum()
                };
                let rows = gradient.len() / columns;
                let pairs = (0..rows).flat_map(|first| (first + 1..rows).map(move |second| (first, second)));
                let (first, second) =
                    pairs.max_by(|left, right| distance(left).total_cmp(&distance(right)))?;
                let length = gradient.iter().map(|value| value * value).sum::<f32>();
                if 2.0 * distance(&(first, second)) < length / 4.0 {
                    return None;
                }
                let (low, high) = damaged.split_at_mut(second * columns);
                low[first * columns..][..columns].swap_with_slice(&mut high[..columns]);
            }
        }
        Some(damaged)
    }
}

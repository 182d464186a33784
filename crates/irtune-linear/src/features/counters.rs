//! Counters of the change and their products, standardised.

use irtune_data::{COUNTERS, Change, HunkKind};

use super::scaler::Scaler;

/// So many standard deviations from the mean are enough for any pair.
const FARTHEST: f64 = 5.0;

/// What is counted beside [`COUNTERS`].
const MORE: [&str; 7] = [
    "inserted_hunks",
    "deleted_hunks",
    "replaced_hunks",
    "removed_marks",
    "added_marks",
    "removed_capitals",
    "added_capitals",
];

/// How many numbers a change is counted in.
const PLAIN: usize = COUNTERS.len() + MORE.len();

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
    /// What a change is counted in.
    pub const PLAIN: usize = PLAIN;
    /// Features of a change: the counters, then the products.
    pub const LEN: usize = PLAIN + PLAIN * (PLAIN + 1) / 2;

    /// A change in numbers: its counters, and how many hunks do what, how many marks and capitals come and go, each as
    /// `ln(1 + count)`.
    pub fn count(change: &Change<'_>) -> Vec<f64> {
        let hunks = change.hunks();
        let kind = |kind: HunkKind| hunks.iter().filter(|hunk| hunk.kind == kind).count();
        let removed =
            |is: fn(char) -> bool| hunks.iter().map(|hunk| change.removed(hunk).matches(is).count()).sum();
        let added =
            |is: fn(char) -> bool| hunks.iter().map(|hunk| change.added(hunk).matches(is).count()).sum();
        let is_mark = |character: char| !character.is_alphanumeric() && !character.is_whitespace();
        let more: [usize; MORE.len()] = [
            kind(HunkKind::Inserted),
            kind(HunkKind::Deleted),
            kind(HunkKind::Replaced),
            removed(is_mark),
            added(is_mark),
            removed(char::is_uppercase),
            added(char::is_uppercase),
        ];
        let counted = change.counters().into_iter().map(f64::from);
        counted.chain(more.into_iter().map(|count| (count as f64).ln_1p())).collect()
    }

    /// What standardises training pairs that were counted.
    pub fn fit(rows: &[Vec<f64>]) -> Counters {
        let plain = Scaler::fit(rows, PLAIN);
        let extended: Vec<Vec<f64>> = rows.iter().map(|row| with_products(&plain.scale(row))).collect();
        Counters { products: Scaler::fit(&extended, Self::LEN), plain }
    }

    /// The features of a change that was counted, none farther than five standard deviations from the mean.
    ///
    /// # Source
    /// scikit-learn's `StandardScaler`, `PolynomialFeatures(2, include_bias=False)`, `StandardScaler`, and
    /// `numpy.clip`.
    pub fn row(&self, counted: &[f64]) -> Vec<f64> {
        let row = self.products.scale(&with_products(&self.plain.scale(counted)));
        row.into_iter().map(|value| value.clamp(-FARTHEST, FARTHEST)).collect()
    }

    /// What is counted.
    pub fn plain_names() -> Vec<&'static str> {
        COUNTERS.into_iter().chain(MORE).collect()
    }

    /// The features' names: `hunks`, `hunks × moved_hunks`.
    pub fn names() -> Vec<String> {
        let plain = Self::plain_names();
        let mut names: Vec<String> = plain.iter().map(|name| (*name).to_owned()).collect();
        for (first, name) in plain.iter().enumerate() {
            names.extend(plain[first..].iter().map(|second| format!("{name} × {second}")));
        }
        names
    }
}

/// The values, then the product of each with itself and those after it.
fn with_products(values: &[f64]) -> Vec<f64> {
    let products =
        (0..values.len()).flat_map(|first| values[first..].iter().map(move |second| values[first] * second));
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
        assert_eq!(names[PLAIN + 1], format!("{} × {}", COUNTERS[0], COUNTERS[1]));
        assert_eq!(names[2 * PLAIN], format!("{} × {}", COUNTERS[1], COUNTERS[1]));
        assert_eq!(names[Counters::LEN - 1], "added_capitals × added_capitals");
    }

    #[test]
    fn marks_capitals_and_kinds_are_counted() {
        let counted = Counters::count(&Change::of("so, it is old", "So it is a new OLD"));
        assert_eq!(counted.len(), Counters::plain_names().len());
        let log = |count: f64| count.ln_1p();
        // "so," to "So" and "old" to "a new OLD".
        assert_eq!(counted[COUNTERS.len()..], [0.0, 0.0, log(2.0), log(1.0), 0.0, 0.0, log(4.0)]);
    }
}

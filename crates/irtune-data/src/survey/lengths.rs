//! How long texts are.

use serde::Serialize;

/// How numbers are spread: each is one of them, the smallest that so many of them don't exceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Quantiles {
    /// The smallest.
    pub minimum: usize,
    /// Not exceeded by a quarter.
    pub p25: usize,
    /// Not exceeded by half.
    pub median: usize,
    /// Not exceeded by three quarters.
    pub p75: usize,
    /// Not exceeded by 95 of 100.
    pub p95: usize,
    /// The largest.
    pub maximum: usize,
}

impl Quantiles {
    /// Of numbers in any order; `None` of none.
    pub fn of(mut numbers: Vec<usize>) -> Option<Quantiles> {
        numbers.sort_unstable();
        let last = numbers.len().checked_sub(1)?;
        let at =
            |percent: usize| numbers[(numbers.len() * percent).div_ceil(100).saturating_sub(1).min(last)];
        Some(Quantiles {
            minimum: at(0),
            p25: at(25),
            median: at(50),
            p75: at(75),
            p95: at(95),
            maximum: at(100),
        })
    }
}

/// Words of a text: what stands between blanks.
pub(super) fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_one_of_the_numbers() {
        let Quantiles { minimum, p25, median, p75, p95, maximum } =
            Quantiles::of((1..=100).rev().collect()).unwrap();
        assert_eq!([minimum, p25, median, p75, p95, maximum], [1, 25, 50, 75, 95, 100]);
        let of_three = Quantiles::of(vec![7, 1, 4]).unwrap();
        assert_eq!((of_three.p25, of_three.median, of_three.p95), (1, 4, 7));
        assert_eq!(Quantiles::of(Vec::new()), None);
    }
}

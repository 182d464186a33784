//! Figures in the words of tables.

use irtune_metrics::{Interval, Spread};

use super::results::Estimate;

/// Mean, deviation and interval of a share.
pub fn estimate(estimate: &Estimate) -> String {
    format!("{} {}", spread(&estimate.spread, 3), interval(estimate.interval))
}

/// Mean and deviation.
pub fn spread(spread: &Spread, digits: usize) -> String {
    match spread.deviation {
        Some(deviation) => format!("{:.digits$} ± {deviation:.digits$}", spread.mean),
        None => format!("{:.digits$}", spread.mean),
    }
}

/// Both ends.
pub fn interval(interval: Interval) -> String {
    format!("[{:.3}, {:.3}]", interval.low, interval.high).replace('-', "−")
}

/// A difference with its sign.
pub fn signed(value: f64) -> String {
    format!("{value:+.3}").replace('-', "−")
}

/// A p value.
pub fn p(value: f64) -> String {
    if value < 0.001 { "< 0.001".to_owned() } else { format!("{value:.3}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_as_many_digits_as_they_deserve() {
        let both = Spread { count: 3, mean: 0.51234, deviation: Some(0.02) };
        let interval = Interval { low: 0.4, high: 0.6 };
        assert_eq!(estimate(&Estimate { spread: both, interval }), "0.512 ± 0.020 [0.400, 0.600]");
        assert_eq!(spread(&Spread { deviation: None, ..both }, 1), "0.5");
        assert_eq!([signed(0.0123), signed(-0.5)], ["+0.012", "−0.500"]);
        assert_eq!([p(0.0004), p(0.25)], ["< 0.001", "0.250"]);
    }
}

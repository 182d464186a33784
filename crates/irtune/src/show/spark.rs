//! A curve in one line of text.

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Draws values as blocks, averaged into at most `width` columns; what is not finite shows as a gap.
pub fn spark(values: &[f64], width: usize) -> String {
    let columns = columns(values, width);
    let finite = || columns.iter().copied().filter(|value| value.is_finite());
    let low = finite().fold(f64::INFINITY, f64::min);
    let high = finite().fold(f64::NEG_INFINITY, f64::max);
    let level = |value: f64| match high > low {
        true => ((value - low) / (high - low) * 7.0).round() as usize,
        false => 0,
    };
    columns.iter().map(|value| if value.is_finite() { BLOCKS[level(*value).min(7)] } else { ' ' }).collect()
}

/// Means of equal stretches of the values.
pub fn columns(values: &[f64], width: usize) -> Vec<f64> {
    let width = width.min(values.len());
    (0..width)
        .map(|column| {
            let stretch = &values[column * values.len() / width..(column + 1) * values.len() / width];
            stretch.iter().sum::<f64>() / stretch.len() as f64
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extremes_touch_both_ends() {
        assert_eq!(spark(&[0.0, 1.0, 2.0, 7.0], 10), "▁▂▃█");
        assert_eq!(spark(&[3.0, 3.0], 10), "▁▁");
        assert_eq!(spark(&[], 10), "");
        assert_eq!(spark(&[1.0, f64::NAN, 2.0], 10), "▁ █");
    }

    #[test]
    fn long_curves_are_averaged() {
        assert_eq!(columns(&[1.0, 3.0, 5.0, 7.0], 2), [2.0, 6.0]);
        let long: Vec<f64> = (0..1000).map(f64::from).collect();
        assert_eq!(columns(&long, 60).len(), 60);
    }
}

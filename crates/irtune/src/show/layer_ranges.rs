//! A set of layers in few characters.

use std::fmt::Write as _;

/// Ascending layers as a list of ranges with both ends, such as `3, 5, 8..12`.
pub fn ranges(layers: impl Iterator<Item = usize>) -> String {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for layer in layers {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == layer => *last = layer,
            _ => ranges.push((layer, layer)),
        }
    }
    let mut text = String::new();
    for (first, last) in ranges {
        let comma = if text.is_empty() { "" } else { ", " };
        let _ = match last - first {
            0 => write!(text, "{comma}{first}"),
            1 => write!(text, "{comma}{first}, {last}"),
            _ => write!(text, "{comma}{first}..{last}"),
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::ranges;

    #[test]
    fn runs_of_three_and_more_are_ranges() {
        assert_eq!(ranges([0, 2, 3, 5, 6, 7, 9].into_iter()), "0, 2, 3, 5..7, 9");
        assert_eq!(ranges([4].into_iter()), "4");
    }
}

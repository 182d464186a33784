//! Which layers trained in each step, in little text.
//!
//! A step is a number in hexadecimal of which bit *i* is set where layer *i* trained; `*N` after it says that N steps
//! in a row are alike. Steps are separated by blanks: `3fffffff*20 3ff00001`.

use std::fmt::Write as _;

/// The text of some steps' layers.
pub fn encode<'a>(steps: impl IntoIterator<Item = &'a [usize]>) -> String {
    let mut runs: Vec<(String, usize)> = Vec::new();
    for layers in steps {
        let code = number(layers);
        match runs.last_mut() {
            Some((last, count)) if *last == code => *count += 1,
            _ => runs.push((code, 1)),
        }
    }
    let mut text = String::new();
    for (code, count) in runs {
        let gap = if text.is_empty() { "" } else { " " };
        let _ = match count {
            1 => write!(text, "{gap}{code}"),
            _ => write!(text, "{gap}{code}*{count}"),
        };
    }
    text
}

/// The steps of a text, each with its layers ascending; `None` for a text that is none.
pub fn decode(text: &str) -> Option<Vec<Vec<usize>>> {
    let mut steps = Vec::new();
    for word in text.split_whitespace() {
        let (code, count) = match word.split_once('*') {
            Some((code, count)) => (code, count.parse().ok()?),
            None => (word, 1),
        };
        let mut layers = Vec::new();
        for (place, digit) in code.chars().rev().enumerate() {
            let digit = digit.to_digit(16)?;
            layers.extend((0..4).filter(|bit| digit >> bit & 1 == 1).map(|bit| place * 4 + bit));
        }
        steps.extend(std::iter::repeat_n(layers, count));
    }
    Some(steps)
}

fn number(layers: &[usize]) -> String {
    let digits = layers.iter().max().map_or(1, |highest| highest / 4 + 1);
    let mut values = vec![0u32; digits];
    for layer in layers {
        values[layer / 4] |= 1 << (layer % 4);
    }
    values.iter().rev().filter_map(|value| char::from_digit(*value, 16)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_read_back() {
        let all: Vec<usize> = (0..30).collect();
        let steps: Vec<Vec<usize>> = vec![all.clone(), all, vec![0, 29], vec![5], vec![]];
        let text = encode(steps.iter().map(Vec::as_slice));
        assert_eq!(text, "3fffffff*2 20000001 20 0");
        assert_eq!(decode(&text), Some(steps));
        assert_eq!(decode(""), Some(vec![]));
        assert_eq!(decode("xyz"), None);
        assert_eq!(decode("3*x"), None);
    }
}

//! Numbers as names: labels, documents and ids that files write as numbers.

use std::cmp::Ordering;

/// Digits that a whole number gets at most when its exponent is written out.
const MOST_ZEROS: usize = 30;

/// The one way of writing a decimal number as it may stand in JSON: `1.0`, `1e0` and `1` are all `1`. Digits are never
/// rounded. `None` for any other text, such as `007`, `1.2.3` or `nan`.
pub(crate) fn canonical(text: &str) -> Option<String> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || (whole.len() > 1 && whole.starts_with('0')) {
        return None;
    }
    // The digits, and how many of them stand before the point.
    let all = format!("{whole}{fraction}");
    let point = i64::try_from(whole.len()).ok()? + i64::from(exponent);
    let zeros = all.bytes().take_while(|&digit| digit == b'0').count();
    let significant = all[zeros..].trim_end_matches('0');
    if significant.is_empty() {
        return Some("0".to_owned());
    }
    let point = point - i64::try_from(zeros).ok()?;
    let length = i64::try_from(significant.len()).ok()?;
    if point.unsigned_abs() > (MOST_ZEROS + significant.len()) as u64 {
        return Some(text.to_owned());
    }
    let sign = if negative { "-" } else { "" };
    let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or(0));
    Some(match point {
        point if point <= 0 => format!("{sign}0.{}{significant}", zeros(-point)),
        point if point >= length => format!("{sign}{significant}{}", zeros(point - length)),
        point => {
            let (whole, fraction) = significant.split_at(usize::try_from(point).ok()?);
            format!("{sign}{whole}.{fraction}")
        }
    })
}

/// Whether two names are the same: to the letter, or as numbers.
pub(crate) fn same_name(one: &str, other: &str) -> bool {
    one == other || canonical(one).is_some_and(|number| Some(number) == canonical(other))
}

/// Sorts names: by value where all of them are numbers, else by their code points.
pub(crate) fn sort_names(names: &mut [&str]) {
    let value = |name: &str| {
        let written = name.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
        name.parse::<f64>().ok().filter(|value| written && value.is_finite())
    };
    if names.iter().all(|name| value(name).is_some()) {
        let by_value = |one: &&str, other: &&str| {
            let order = value(one).partial_cmp(&value(other)).unwrap_or(Ordering::Equal);
            order.then_with(|| one.cmp(other))
        };
        names.sort_by(by_value);
    } else {
        names.sort_unstable();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_way_of_writing() {
        for (text, expected) in [
            ("1", "1"),
            ("1.0", "1"),
            ("10e-1", "1"),
            ("1E+2", "100"),
            ("-0.0", "0"),
            ("-2.50", "-2.5"),
            ("0.05", "0.05"),
            ("5e-2", "0.05"),
            ("12345678901234567890123", "12345678901234567890123"),
            ("1e400", "1e400"),
        ] {
            assert_eq!(canonical(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["", "007", "1.2.3", "nan", "1.", ".5", "+1", "1,5", "one", "-"] {
            assert_eq!(canonical(text), None, "{text}");
        }
        assert!(same_name("2", "2.0") && same_name("tone", "tone"));
        assert!(!same_name("2", "02") && !same_name("tone", "Tone"));
    }

    #[test]
    fn numbers_are_sorted_by_value_and_words_by_code_points() {
        let sorted = |mut names: Vec<&'static str>| {
            sort_names(&mut names);
            names
        };
        assert_eq!(sorted(vec!["10", "-1", "9", "2.5", "-10", "2"]), ["-10", "-1", "2", "2.5", "9", "10"]);
        assert_eq!(sorted(vec!["10", "9", "none"]), ["10", "9", "none"]);
        assert_eq!(sorted(vec!["inf", "1"]), ["1", "inf"]);
        assert_eq!(sorted(vec!["10", "08", "9"]), ["08", "9", "10"]);
    }
}

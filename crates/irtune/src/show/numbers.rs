//! Numbers with units, as a person reads them.

/// A length in bytes, in decimal units.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut value = count as f64;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    match unit {
        0 => format!("{count} B"),
        _ if value < 9.95 => format!("{value:.1} {}", UNITS[unit]),
        _ => format!("{value:.0} {}", UNITS[unit]),
    }
}

/// A count with a separator after every third digit.
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A time span.
pub fn seconds(value: f64) -> String {
    let whole = value.max(0.0).round() as u64;
    match whole {
        0..60 if value < 9.95 => format!("{value:.1} s"),
        0..60 => format!("{whole} s"),
        60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
    }
}

/// A share as a percentage.
pub fn percent(share: f64) -> String {
    if share.is_finite() { format!("{:.1} %", share * 100.0) } else { "n/a".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_change_where_a_reader_expects_it() {
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(1000), "1.0 kB");
        assert_eq!(bytes(98_362_432), "98 MB");
        assert_eq!(bytes(999_600), "1.0 MB");
        assert_eq!(seconds(4.25), "4.2 s");
        assert_eq!(seconds(59.6), "1 min 00 s");
        assert_eq!(seconds(3725.0), "1 h 02 min");
        assert_eq!(count(0), "0");
        assert_eq!(count(134_515_008), "134,515,008");
        assert_eq!(percent(0.517), "51.7 %");
        assert_eq!(percent(f64::NAN), "n/a");
    }
}

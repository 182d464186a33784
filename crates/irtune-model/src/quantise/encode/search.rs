//! Scales of the smallest weighted squared error, by trying some and fitting each to the codes that it leads to.

/// A scale for values that become whole numbers from `-most` to `most - 1`; zero for zeros.
///
/// Errors weigh as the squares of the values: large weights matter more.
pub(super) fn scale(values: &[f32], most: i32) -> f32 {
    let extreme =
        values.iter().fold(0.0f32, |most, &value| if value.abs() > most.abs() { value } else { most });
    if extreme == 0.0 {
        return 0.0;
    }
    let (mut best, mut best_gain) = (0.0, f32::NEG_INFINITY);
    for step in -9..=9 {
        // The extreme value becomes about the lowest number, which is one further from zero than the highest.
        let inverse = -(most as f32 + 0.1 * step as f32) / extreme;
        let (mut products, mut squares) = (0.0, 0.0);
        for &value in values {
            let code = whole(value, inverse, most) as f32;
            let weight = value * value;
            products += weight * value * code;
            squares += weight * code * code;
        }
        // With the scale that fits these codes best the error is less by so much than without any.
        if squares > 0.0 && products * products / squares > best_gain {
            (best, best_gain) = (products / squares, products * products / squares);
        }
    }
    best
}

/// The whole number of a value.
pub(super) fn whole(value: f32, inverse: f32, most: i32) -> i32 {
    ((value * inverse).round_ties_even() as i32).clamp(-most, most - 1)
}

/// Scale and minimum for values that become `scale · code − minimum` with codes up to `most`; the minimum is not negative.
///
/// Errors weigh as the values' magnitudes, and those of values near zero as the usual magnitude beside them.
pub(super) fn scale_and_minimum(values: &[f32; 32], most: u8) -> (f32, f32) {
    let smallest = values.iter().fold(0.0f32, |low, &value| low.min(value));
    let largest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    if largest <= smallest {
        return (0.0, -smallest);
    }
    let usual = (values.iter().map(|value| value * value).sum::<f32>() / 32.0).sqrt();
    let weights = values.map(|value| usual + value.abs());
    let mut best = ((largest - smallest) / f32::from(most), -smallest);
    let mut best_error = error(values, &weights, best, most);
    for step in 0..=20 {
        let tried = (largest - smallest) / (f32::from(most) - 1.0 + 0.1 * step as f32);
        let mut sums = Sums::default();
        for (&value, &weight) in values.iter().zip(&weights) {
            sums.add(weight, f32::from(code(value, tried, -smallest, most)), value);
        }
        let Some(fitted) = sums.fitted() else { continue };
        let error = error(values, &weights, fitted, most);
        if error < best_error {
            (best, best_error) = (fitted, error);
        }
    }
    best
}

/// The code of a value.
pub(super) fn code(value: f32, scale: f32, minimum: f32, most: u8) -> u8 {
    if scale == 0.0 {
        0
    } else {
        ((value + minimum) / scale).round_ties_even().clamp(0.0, f32::from(most)) as u8
    }
}

fn error(values: &[f32; 32], weights: &[f32; 32], (scale, minimum): (f32, f32), most: u8) -> f32 {
    let errors = values.iter().zip(weights).map(|(&value, weight)| {
        let found = scale * f32::from(code(value, scale, minimum, most)) - minimum;
        weight * (found - value) * (found - value)
    });
    errors.sum()
}

/// Weighted sums of codes and values.
#[derive(Default)]
struct Sums {
    weights: f32,
    codes: f32,
    codes_squared: f32,
    values: f32,
    products: f32,
}

impl Sums {
    fn add(&mut self, weight: f32, code: f32, value: f32) {
        self.weights += weight;
        self.codes += weight * code;
        self.codes_squared += weight * code * code;
        self.values += weight * value;
        self.products += weight * code * value;
    }

    /// Scale and minimum of the line through the values over their codes that errs least.
    fn fitted(&self) -> Option<(f32, f32)> {
        let determinant = self.weights * self.codes_squared - self.codes * self.codes;
        if determinant <= 0.0 {
            return None;
        }
        let scale = (self.weights * self.products - self.codes * self.values) / determinant;
        let offset = (self.codes_squared * self.values - self.codes * self.products) / determinant;
        if offset <= 0.0 {
            return Some((scale, -offset));
        }
        // A line through zero, since the minimum can't be negative.
        (self.codes_squared > 0.0).then(|| (self.products / self.codes_squared, 0.0))
    }
}

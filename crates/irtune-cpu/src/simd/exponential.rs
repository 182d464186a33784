//! `exp` in f32, in a form that the compiler vectorises.

/// `e^x`, within 2 units in the last place; 0 below −87.3, infinite above 88.7.
///
/// `FUSED` says that fused multiply-adds are instructions. Elsewhere they would be function calls.
///
/// # Source
/// Range reduction by multiples of ln 2 in two parts, and the degree-6 minimax polynomial of Cephes' `expf`.
#[inline(always)]
pub(crate) fn exp<const FUSED: bool>(x: f32) -> f32 {
    let times_plus = |a: f32, b: f32, c: f32| if FUSED { a.mul_add(b, c) } else { a * b + c };
    const SHIFT: f32 = 12_582_912.0; // 1.5 · 2²³: adding it leaves the nearest integer in the low bits
    let clamped = x.clamp(-87.3, 88.8);
    let shifted = times_plus(clamped, std::f32::consts::LOG2_E, SHIFT);
    let power = shifted - SHIFT;
    let rest = times_plus(power, 2.121_944_4e-4, times_plus(power, -0.693_359_4, clamped));
    let mut polynomial = 1.987_569_2e-4;
    polynomial = times_plus(polynomial, rest, 1.398_199_9e-3);
    polynomial = times_plus(polynomial, rest, 8.333_452e-3);
    polynomial = times_plus(polynomial, rest, 4.166_579_6e-2);
    polynomial = times_plus(polynomial, rest, 1.666_666_5e-1);
    polynomial = times_plus(polynomial, rest, 0.5);
    let value = times_plus(polynomial * rest, rest, rest) + 1.0;
    // Multiplied by 2^power in two steps, so that the largest results don't overflow on the way.
    let whole = (shifted.to_bits() as i32).wrapping_sub(SHIFT.to_bits() as i32);
    let half = whole >> 1;
    let scale = |power: i32| f32::from_bits((power.wrapping_add(127) as u32) << 23);
    let result = value * scale(half) * scale(whole.wrapping_sub(half));
    let result = if x < -87.3 { 0.0 } else { result };
    if x.is_nan() { x } else { result }
}

#[cfg(test)]
mod tests {
    use super::exp;

    #[test]
    fn it_is_close_to_the_exact_exponential() {
        let mut worst = 0.0f64;
        for step in -87_000..88_700 {
            let x = step as f32 / 1000.0;
            let exact = f64::from(x).exp();
            for found in [exp::<false>(x), exp::<true>(x)] {
                worst = worst.max((f64::from(found) - exact).abs() / exact);
            }
        }
        assert!(worst < 2.4e-7, "{worst}");
    }

    #[test]
    fn extremes() {
        for exp in [exp::<false>, exp::<true>] {
            assert_eq!(exp(0.0), 1.0);
            assert_eq!(exp(-1e9), 0.0);
            assert_eq!(exp(f32::NEG_INFINITY), 0.0);
            assert_eq!(exp(1e9), f32::INFINITY);
            assert!(exp(f32::NAN).is_nan());
        }
    }
}

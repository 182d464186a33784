//! The two element types of GEMM operands, bf16 and f32, and how they are converted.

use bytemuck::cast_slice_mut;
use half::bf16;
use irtune_device::Stored;

use super::{
    level::{Level, level},
    vectorised,
};

/// Values of a row that are handled at once: 32 bf16 fill an AVX-512 register, 32 f32 fill two.
pub(crate) const LANES: usize = 32;

/// The type of a GEMM's operands: `bf16` or `f32`. Sums are always f32.
///
/// It is sealed: kernels read raw memory and rely on what `K_PACK` says of a type.
pub trait Element:
    sealed::Sealed + Stored + Default + Send + Sync + PartialEq + std::fmt::Debug + 'static
{
    /// Neighbours along K that lie side by side in a packed panel: as many as one instruction multiplies and adds.
    const K_PACK: usize;
    /// Name of the precision.
    const NAME: &'static str;

    /// Rounds to nearest, ties to even.
    fn from_f32(value: f32) -> Self;

    /// Exact.
    fn to_f32(self) -> f32;

    /// Rounds `K_PACK` rows of values and interleaves them: column after column, the rows' values side by side.
    fn interleave_rounded(rows: &[[f32; LANES]; 2], out: &mut [Self]);

    /// Interleaves `K_PACK` rows of operands: column after column, the rows' values side by side.
    fn interleave(rows: [&[Self; LANES]; 2], out: &mut [Self]);

    /// Rounds `scale` times each value.
    #[inline(always)]
    fn round_scaled(values: &[f32; LANES], scale: f32, out: &mut [Self; LANES]) {
        round_each(values, scale, out);
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for half::bf16 {}
}

/// [`Element::round_scaled`] on every processor.
#[inline(always)]
fn round_each<E: Element>(values: &[f32; LANES], scale: f32, out: &mut [E; LANES]) {
    for (out, value) in out.iter_mut().zip(values) {
        *out = E::from_f32(value * scale);
    }
}

/// Whether the processor multiplies operands of `E` as they are.
///
/// It is false for bf16 on a processor without bf16 instructions. There operands are widened to f32 when they are packed.
pub(crate) fn is_native<E: Element>() -> bool {
    E::K_PACK == 1 || level() == Level::Avx512Bf16
}

/// Copies operands to another type, which must hold every value of theirs exactly.
pub(crate) fn widen<E: Element, P: Element>(from: &[E], to: &mut [P]) {
    match bytemuck::try_cast_slice::<E, P>(from) {
        Ok(same) if E::K_PACK == P::K_PACK => to.copy_from_slice(same),
        _ => widen_values(from, to),
    }
}

vectorised! {
    fn widen_values<E: Element, P: Element>(from: &[E], to: &mut [P]) {
        for (to, from) in to.iter_mut().zip(from) {
            *to = P::from_f32(from.to_f32());
        }
    }
}

impl Element for f32 {
    const K_PACK: usize = 1;
    const NAME: &'static str = "f32";

    #[inline(always)]
    fn from_f32(value: f32) -> Self {
        value
    }

    #[inline(always)]
    fn to_f32(self) -> f32 {
        self
    }

    #[inline(always)]
    fn interleave_rounded(rows: &[[f32; LANES]; 2], out: &mut [Self]) {
        out.copy_from_slice(&rows[0][..out.len()]);
    }

    #[inline(always)]
    fn interleave(rows: [&[Self; LANES]; 2], out: &mut [Self]) {
        out.copy_from_slice(rows[0]);
    }
}

impl Element for bf16 {
    const K_PACK: usize = 2;
    const NAME: &'static str = "bf16";

    // The `half` crate asks for CPU features at every value, which keeps loops from being vectorised.
    #[inline(always)]
    fn from_f32(value: f32) -> Self {
        let bits = value.to_bits();
        let rounded = (bits.wrapping_add(0x7fff + ((bits >> 16) & 1)) >> 16) as u16;
        bf16::from_bits(if value.is_nan() { 0x7fc0 } else { rounded })
    }

    #[inline(always)]
    fn to_f32(self) -> f32 {
        f32::from_bits(u32::from(self.to_bits()) << 16)
    }

    #[inline(always)]
    fn interleave_rounded(rows: &[[f32; LANES]; 2], out: &mut [Self]) {
        let bits = |value: f32| u32::from(<Self as Element>::from_f32(value).to_bits());
        let mut words = [0u32; LANES];
        for ((word, &low), &high) in words.iter_mut().zip(&rows[0]).zip(&rows[1]) {
            *word = bits(low) | bits(high) << 16;
        }
        cast_slice_mut(out).copy_from_slice(&words);
    }

    #[inline(always)]
    fn interleave(rows: [&[Self; LANES]; 2], out: &mut [Self]) {
        let mut words = [0u32; LANES];
        for ((word, low), high) in words.iter_mut().zip(rows[0]).zip(rows[1]) {
            *word = u32::from(low.to_bits()) | u32::from(high.to_bits()) << 16;
        }
        cast_slice_mut(out).copy_from_slice(&words);
    }

    #[inline(always)]
    fn round_scaled(values: &[f32; LANES], scale: f32, out: &mut [Self; LANES]) {
        #[cfg(target_arch = "x86_64")]
        if level() == Level::Avx512Bf16 {
            // SAFETY: the level guarantees the instructions.
            return unsafe { avx512_bf16::round_scaled(values, scale, out) };
        }
        round_each(values, scale, out);
    }
}

#[cfg(target_arch = "x86_64")]
mod avx512_bf16 {
    use std::arch::x86_64::*;

    use super::{LANES, bf16};

    /// # Safety
    /// AVX-512 F and BF16.
    #[target_feature(enable = "avx512f,avx512bf16")]
    pub(super) unsafe fn round_scaled(values: &[f32; LANES], scale: f32, out: &mut [bf16; LANES]) {
        let scale = _mm512_set1_ps(scale);
        // SAFETY: two halves of 16 values are read and 32 operands of two bytes written; both types are plain data.
        unsafe {
            let low = _mm512_mul_ps(_mm512_loadu_ps(values.as_ptr()), scale);
            let high = _mm512_mul_ps(_mm512_loadu_ps(values.as_ptr().add(16)), scale);
            let rounded: __m512i = std::mem::transmute(_mm512_cvtne2ps_pbh(high, low));
            _mm512_storeu_si512(out.as_mut_ptr().cast(), rounded);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaled_rounding_is_the_same_at_every_level() {
        let values: [f32; LANES] = std::array::from_fn(|index| (index as f32 * 0.37).sin() * 3.0);
        let expected = values.map(|value| <bf16 as Element>::from_f32(value * 0.7));
        crate::simd::at_every_level(|set| {
            let mut found = [bf16::ZERO; LANES];
            bf16::round_scaled(&values, 0.7, &mut found);
            assert_eq!(found, expected, "{set:?}");
        });
    }

    #[test]
    fn bf16_rounding_is_that_of_the_half_crate() {
        for bits in (0..u32::MAX).step_by(40_503) {
            let value = f32::from_bits(bits);
            let (ours, theirs) = (<bf16 as Element>::from_f32(value), bf16::from_f32(value));
            assert!(
                ours == theirs || (ours.is_nan() && theirs.is_nan()),
                "{value} ({bits:#x}): {ours} {theirs}"
            );
        }
    }
}

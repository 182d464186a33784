//! Packs panels of B in 8-bit integers.

use irtune_device::WeightView;

use super::{Int8PanelMut, quantise::quantise_panel};
use crate::gemm::pack::{PanelRange, pack};

/// Packs a range of B. `unpacked` is working memory for the range in f32, `[depth, 32]`.
pub(crate) fn pack_panel(weight: &WeightView, range: PanelRange, unpacked: &mut [f32], out: Int8PanelMut) {
    #[cfg(target_arch = "x86_64")]
    if crate::simd::level::has_vnni() && crate::quant::four_bit::has_codes(weight.format) {
        // SAFETY: the processor has VNNI, and `has_vnni` says so only at a level with AVX-512 F, BW and VL.
        return unsafe { super::four_bit::pack(weight, range, out) };
    }
    pack(weight, range, unpacked);
    quantise_panel(unpacked, out);
}

//! Packs panels of B in 8-bit integers.

use irtune_device::WeightView;

use super::{Int8PanelMut, quantise::quantise_panel};
use crate::gemm::pack::{PanelRange, pack};

/// Packs a range of B. `unpacked` is working memory for the range in f32, `[depth, 32]`.
pub(crate) fn pack_panel(weight: &WeightView, range: PanelRange, unpacked: &mut [f32], out: Int8PanelMut) {
    #[cfg(target_arch = "x86_64")]
    let out = if crate::simd::level::has_vnni() {
        // SAFETY: the processor has VNNI, and `has_vnni` says so only at a level with AVX-512 F, BW and VL.
        match unsafe { super::blocks::pack(weight, range, out) } {
            None => return,
            Some(out) => out,
        }
    } else {
        out
    };
    pack(weight, range, unpacked);
    quantise_panel(unpacked, out);
}

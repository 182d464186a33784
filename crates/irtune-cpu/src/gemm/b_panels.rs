//! The packed panels of a task over one K block, and what multiplies them.

use bytemuck::{cast_slice, cast_slice_mut};

use super::{
    a_block::ABlock,
    integer::{
        Integers,
        int8::{self, Int8Panel, Int8PanelMut},
        int16::{self, Int16Group},
    },
    k_blocks::{BlockSize, KSlice},
    microkernel::{self, PrefetchRows},
    pack::{PanelRange, pack},
    prepacked::PrepackedPanel,
    term::Term,
    tile::{Accumulate, NR, Tile, panel_length},
};
use crate::{
    simd::{element::Element, level::Level},
    threads::scratch::{self, Arena},
};

/// Packed panels of B, in operands or in integers. A panel's slices follow each other.
pub(super) struct BPanels<'a, P> {
    /// Of one panel.
    size: BlockSize,
    values: &'a mut [P],
    integers: &'a mut [u8],
    /// Of the integers, `[groups, 32]` for each panel.
    scales: &'a mut [f32],
    /// Of 8-bit integers, as many.
    compensation: &'a mut [i32],
    /// A slice in f32, before it is quantised.
    unpacked: &'a mut [f32],
}

/// One of a task's panels.
#[derive(Clone, Copy)]
pub(super) struct Panel {
    /// Its number in the task.
    pub(super) index: usize,
    /// Its first column in B.
    pub(super) column: usize,
}

/// A block of A and the slice of K that it is multiplied over.
pub(super) struct Step<'a, E, P> {
    pub(super) level: Level,
    pub(super) term: &'a Term<'a, E>,
    pub(super) slice: &'a KSlice,
    pub(super) a: ABlock<'a, P>,
    /// Rows of A.
    pub(super) rows: usize,
}

impl<'a, P: Element> BPanels<'a, P> {
    /// Bytes of scratch that so many panels take.
    pub(super) fn bytes(size: BlockSize, panels: usize) -> usize {
        let scales = size.groups * panels * NR;
        scratch::bytes::<P>(size.values * panels)
            + scratch::bytes::<u8>(size.integers * panels)
            + scratch::bytes::<f32>(scales)
            + scratch::bytes::<i32>(scales)
            + scratch::bytes::<f32>(size.unpacked * NR)
    }

    pub(super) fn take(arena: &mut Arena<'a>, size: BlockSize, panels: usize) -> Self {
        let scales = size.groups * panels * NR;
        Self {
            size,
            values: arena.take(size.values * panels),
            integers: arena.take(size.integers * panels),
            scales: arena.take(scales),
            compensation: arena.take(scales),
            unpacked: arena.take(size.unpacked * NR),
        }
    }

    /// Packs a slice of one panel.
    pub(super) fn pack<E: Element>(&mut self, term: &Term<E>, slice: &KSlice, panel: Panel) {
        let Term { b, side, .. } = term;
        if term.prepacked.is_some() {
            return;
        }
        let range = PanelRange { side: *side, column: panel.column, k: slice.start, depth: slice.depth };
        let Some(integers) = slice.integers else {
            let out = &mut self.values[panel.index * self.size.values + slice.offset..];
            return pack(b, range, &mut out[..panel_length::<P>(slice.depth)]);
        };
        let unpacked = &mut self.unpacked[..slice.depth * NR];
        let out =
            &mut self.integers[panel.index * self.size.integers + slice.offset..][..slice.panel_bytes()];
        let group = (panel.index * self.size.groups + slice.group) * NR;
        let scales = &mut self.scales[group..][..slice.groups() * NR];
        match integers {
            Integers::Int16 => {
                pack(b, range, unpacked);
                int16::quantise_panel(unpacked, cast_slice_mut(out), scales);
            }
            Integers::Int8 => {
                let compensation = &mut self.compensation[group..][..slice.groups() * NR];
                let out = Int8PanelMut { values: cast_slice_mut(out), scales, compensation };
                int8::pack::pack_panel(b, range, unpacked, out);
            }
        }
    }

    /// Adds the step's products with one panel to the first rows of `tile`, or writes them there.
    #[inline]
    pub(super) fn multiply<E: Element>(
        &self,
        step: &Step<E, P>,
        panel: Panel,
        accumulate: Accumulate,
        prefetch: PrefetchRows,
        tile: &mut Tile,
    ) {
        let Step { level, term, slice, a, rows } = step;
        let prepacked = term.prepacked.map(|prepacked| prepacked.panel(panel.column, slice.start));
        let values = || {
            let values = match prepacked {
                Some(PrepackedPanel::Bf16(values)) => cast_slice(values),
                _ => &self.values[panel.index * self.size.values + slice.offset..],
            };
            &values[..panel_length::<P>(slice.depth)]
        };
        let integers =
            || &self.integers[panel.index * self.size.integers + slice.offset..][..slice.panel_bytes()];
        let group = (panel.index * self.size.groups + slice.group) * NR;
        match a {
            ABlock::Operands(a) => {
                microkernel::multiply(*level, *a, values(), accumulate, prefetch, tile);
            }
            ABlock::Int16(a, a_scales) => {
                let group = Int16Group {
                    a,
                    a_scales,
                    b: cast_slice(integers()),
                    b_scales: &self.scales[group..],
                    depth: slice.padded(),
                };
                accumulate.prepare(&mut tile[..*rows]);
                int16::multiply(*level, *rows, &group, tile);
            }
            ABlock::Int8(a) => {
                let b = match prepacked {
                    Some(PrepackedPanel::Int8(panel)) => panel,
                    _ => Int8Panel {
                        values: cast_slice(integers()),
                        scales: &self.scales[group..],
                        compensation: &self.compensation[group..],
                    },
                };
                int8::microkernel::multiply(*rows, a, &b, accumulate, tile);
            }
        }
    }
}

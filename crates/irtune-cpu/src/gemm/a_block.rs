//! A block of A: up to 12 rows over one slice of K, as the microkernel reads them.

use super::{
    cut::int16_group,
    integer::{
        Integers,
        int8::{self, Int8Rows},
    },
    k_blocks::{KSlice, is_copied},
    microkernel::{ARows, PrefetchRows},
    quantised_a::QuantisedA,
    term::Term,
    tile::MR,
};
use crate::simd::element::{Element, widen};

/// Up to 12 rows of A over one slice of K.
pub(super) enum ABlock<'a, P> {
    /// Where A lies, or copied.
    Operands(ARows<'a, P>),
    /// In 16 bits, `[rows, depth]`, and the rows' scales.
    Int16(&'a [i16], &'a [f32]),
    /// In 8 bits.
    Int8(Int8Rows<'a>),
}

/// Which rows of A a block has.
#[derive(Clone, Copy)]
pub(super) struct RowRange {
    /// First row.
    pub(super) first: usize,
    /// Rows, at most 12.
    pub(super) count: usize,
}

/// Finds a block of a term's A: in place, quantised before, or copied to `copied`.
pub(super) fn a_block<'a, E: Element, P: Element>(
    term: &Term<'a, E>,
    quantised: &QuantisedA<'a>,
    slice: &KSlice,
    rows: RowRange,
    copied: &'a mut [P],
) -> ABlock<'a, P> {
    let (a, QuantisedA { values, scales }) = (term.a, *quantised);
    let RowRange { first: row, count } = rows;
    match slice.integers {
        None => {}
        Some(Integers::Int16) => {
            let group = slice.start / int16_group(a.columns);
            let first = slice.start * a.rows + row * slice.padded();
            let values = &bytemuck::cast_slice(values)[first..][..count * slice.padded()];
            return ABlock::Int16(values, &scales[group * a.rows + row..][..count]);
        }
        Some(Integers::Int8) => {
            let (stride, scales_stride) =
                (a.columns.next_multiple_of(int8::K_PACK), a.columns.div_ceil(int8::GROUP));
            return ABlock::Int8(Int8Rows {
                values: &values[row * stride + slice.start..],
                stride,
                scales: &scales[row * scales_stride + slice.start / int8::GROUP..],
                scales_stride,
                depth: slice.padded(),
            });
        }
    }
    let here = &a.data[row * a.stride + slice.start..];
    let depth = slice.depth;
    match bytemuck::try_cast_slice::<E, P>(here) {
        Ok(values) if !is_copied::<E, P>(term) => {
            ABlock::Operands(ARows { values, stride: a.stride, rows: count, depth })
        }
        _ => {
            let stride = slice.copied_stride();
            for (index, out) in copied[..count * stride].chunks_exact_mut(stride).enumerate() {
                widen(&here[index * a.stride..][..depth], &mut out[..depth]);
            }
            ABlock::Operands(ARows { values: copied, stride, rows: count, depth })
        }
    }
}

/// Depth of a slice that is too short to prefetch: cutting its loop into shares would cost more.
const SHORT: usize = 128;

/// The rows of the next block to prefetch while panel `panel` of `panels` is multiplied: each panel has its share.
///
/// `row` is the next block's first row.
pub(super) fn next_rows<E: Element>(
    term: &Term<E>,
    slice: &KSlice,
    row: usize,
    panel: usize,
    panels: usize,
) -> PrefetchRows {
    if slice.depth < SHORT {
        return PrefetchRows::NONE;
    }
    let share = MR.div_ceil(panels);
    let row = row + (share * panel).min(MR);
    PrefetchRows {
        start: term.a.data.as_ptr().wrapping_add(row * term.a.stride + slice.start).cast(),
        stride: term.a.stride * size_of::<E>(),
        rows: share.min(MR.saturating_sub(share * panel)),
    }
}

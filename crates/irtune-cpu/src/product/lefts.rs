//! Left sides of a pass's pieces, a block of rows at a time.

use super::{
    Term,
    passes::Piece,
    rounded::{RoundedLeft, stretch},
};
use crate::{
    element::{Element, widen},
    integer::{Width, eight},
    microkernel::{Ahead, TILE},
};

/// A piece's left side for a block of rows.
pub(super) enum Left<'a, P> {
    /// In place or copied, and the distance between rows.
    Values(&'a [P], usize),
    /// Rounded to 16 bits, and the rows' scales.
    Sixteen(&'a [i16], &'a [f32]),
    /// Rounded to 8 bits and the distance between rows, the rows' scales and the distance between those.
    Eight(&'a [u8], usize, &'a [f32], usize),
}

/// Bytes after which the first-level cache begins anew with the same lines.
const WAY: usize = 4096;

/// Whether a term's left side is copied row block by row block: to be widened, or because all its rows begin at the same
/// lines of the first-level cache, which holds 8 of them where a block has 12.
pub(super) fn is_copied<E: Element, P: Element>(term: &Term<E>) -> bool {
    E::GROUP != P::GROUP || (term.left.stride * size_of::<E>()).is_multiple_of(WAY)
}

/// Finds the left side of a piece for `count` rows from `row` on: in place, rounded before, or copied to `space`.
pub(super) fn gather_left<'a, E: Element, P: Element>(
    term: &Term<'a, E>,
    rounded: &RoundedLeft<'a>,
    piece: &Piece,
    row: usize,
    count: usize,
    space: &'a mut [P],
) -> Left<'a, P> {
    let (left, RoundedLeft { values, scales }) = (term.left, *rounded);
    match piece.integers {
        None => {}
        Some(Width::Sixteen) => {
            let number = piece.start / stretch(left.columns);
            let first = piece.start * left.rows + row * piece.padded();
            let values = &bytemuck::cast_slice(values)[first..][..count * piece.padded()];
            return Left::Sixteen(values, &scales[number * left.rows + row..][..count]);
        }
        Some(Width::Eight) => {
            let (stride, stretches) =
                (left.columns.next_multiple_of(eight::GROUP), left.columns.div_ceil(eight::STRETCH));
            let values = &values[row * stride + piece.start..];
            let scales = &scales[row * stretches + piece.start / eight::STRETCH..];
            return Left::Eight(values, stride, scales, stretches);
        }
    }
    let here = &left.data[row * left.stride + piece.start..];
    match bytemuck::try_cast_slice::<E, P>(here) {
        Ok(same) if !is_copied::<E, P>(term) => Left::Values(same, left.stride),
        _ => {
            let stride = piece.copied_stride();
            for (index, out) in space[..count * stride].chunks_exact_mut(stride).enumerate() {
                widen(&here[index * left.stride..][..piece.depth], &mut out[..piece.depth]);
            }
            Left::Values(space, stride)
        }
    }
}

/// Summed values of a piece that is so short that its rows aren't asked for ahead: cutting its work in shares would cost
/// more.
const SHORT: usize = 128;

/// The share that is asked for with the `panel`-th of so many panels of a piece's rows from `row` on.
pub(super) fn ahead<E: Element>(
    term: &Term<E>,
    piece: &Piece,
    row: usize,
    panel: usize,
    panels: usize,
) -> Ahead {
    if piece.depth < SHORT {
        return Ahead::NONE;
    }
    let share = TILE.div_ceil(panels);
    let row = row + (share * panel).min(TILE);
    Ahead {
        start: term.left.data.as_ptr().wrapping_add(row * term.left.stride + piece.start).cast(),
        stride: term.left.stride * size_of::<E>(),
        rows: share.min(TILE.saturating_sub(share * panel)),
    }
}

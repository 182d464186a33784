//! Left sides of a pass's pieces, for a block of rows at a time.

use arrayvec::ArrayVec;

use super::{
    Term,
    passes::{PIECES, Piece},
    rounded::{RoundedLeft, stretch},
};
use crate::{
    element::{Element, widen},
    integer::{Width, eight},
    microkernel::TILE,
    prefetch,
};

/// A piece's left side for a block of rows.
pub(super) enum Left<'a, P> {
    /// In place, and the distance between rows.
    Values(&'a [P], usize),
    /// Copied or widened, from there on in the space for it.
    Copied(usize),
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

/// Finds the left sides of the pieces for `count` rows from `row` on: in place, rounded before, or copied to `space`.
pub(super) fn gather_lefts<'a, E: Element, P: Element>(
    terms: &'a [Term<E>],
    rounded: &[RoundedLeft<'a>],
    pieces: &[Piece],
    row: usize,
    count: usize,
    space: &mut [P],
    lefts: &mut ArrayVec<Left<'a, P>, PIECES>,
) {
    lefts.clear();
    let mut filled = 0;
    for piece in pieces {
        let left = terms[piece.term].left;
        let RoundedLeft { values, scales } = rounded[piece.term];
        match piece.integers {
            None => {}
            Some(Width::Sixteen) => {
                let number = piece.start / stretch(left.columns);
                let first = piece.start * left.rows + row * piece.padded();
                let values = &bytemuck::cast_slice(values)[first..][..count * piece.padded()];
                lefts.push(Left::Sixteen(values, &scales[number * left.rows + row..][..count]));
                continue;
            }
            Some(Width::Eight) => {
                let (stride, stretches) =
                    (left.columns.next_multiple_of(eight::GROUP), left.columns.div_ceil(eight::STRETCH));
                let values = &values[row * stride + piece.start..];
                let scales = &scales[row * stretches + piece.start / eight::STRETCH..];
                lefts.push(Left::Eight(values, stride, scales, stretches));
                continue;
            }
        }
        let here = &left.data[row * left.stride + piece.start..];
        match bytemuck::try_cast_slice::<E, P>(here) {
            Ok(same) if !is_copied::<E, P>(&terms[piece.term]) => lefts.push(Left::Values(same, left.stride)),
            _ => {
                let stride = piece.copied_stride();
                let out = &mut space[filled..][..count * stride];
                for (index, out) in out.chunks_exact_mut(stride).enumerate() {
                    widen(&here[index * left.stride..][..piece.depth], &mut out[..piece.depth]);
                    // The same row of the next block, which is copied when this one is multiplied.
                    let next = here.as_ptr().wrapping_add((index + TILE) * left.stride);
                    for line in (0..piece.depth).step_by(64 / size_of::<E>()) {
                        prefetch::read(next.wrapping_add(line));
                    }
                }
                lefts.push(Left::Copied(filled));
                filled += count * stride;
            }
        }
    }
}

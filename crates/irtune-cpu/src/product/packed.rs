//! Weight sides of a pass's pieces, packed for all panels of a task, and what multiplies them.

use bytemuck::{cast_slice, cast_slice_mut};

use super::{
    Term,
    lefts::Left,
    merged::MergedPiece,
    passes::{Piece, Room},
};
use crate::{
    element::Element,
    integer::{
        Width,
        eight::{self, Bytes},
        sixteen::{self, Integers},
    },
    level::Level,
    microkernel::{Ahead, Begin, Tile, multiply},
    pack::{PANEL, pack, panel_length},
    scratch::{self, Arena},
};

/// Panels of operands or of integers, each panel's pieces one after the other.
pub(super) struct Packed<'a, P> {
    room: Room,
    values: &'a mut [P],
    integers: &'a mut [u8],
    /// Of the integers' columns, a line of 32 a stretch.
    scales: &'a mut [f32],
    /// Where sums of 8-bit integers start, as many.
    starts: &'a mut [i32],
    /// A piece in f32, before it is rounded.
    unpacked: &'a mut [f32],
}

impl<'a, P: Element> Packed<'a, P> {
    /// Bytes of scratch that so many panels take.
    pub(super) fn bytes(room: Room, panels: usize) -> usize {
        let lines = room.lines * panels * PANEL;
        scratch::bytes::<P>(room.values * panels)
            + scratch::bytes::<u8>(room.integers * panels)
            + scratch::bytes::<f32>(lines)
            + scratch::bytes::<i32>(lines)
            + scratch::bytes::<f32>(room.longest * PANEL)
    }

    pub(super) fn take(arena: &mut Arena<'a>, room: Room, panels: usize) -> Self {
        let lines = room.lines * panels * PANEL;
        Self {
            room,
            values: arena.take(room.values * panels),
            integers: arena.take(room.integers * panels),
            scales: arena.take(lines),
            starts: arena.take(lines),
            unpacked: arena.take(room.longest * PANEL),
        }
    }

    /// Packs a piece of one panel, whose outputs begin at `column`.
    pub(super) fn pack<E: Element>(&mut self, term: &Term<E>, piece: &Piece, panel: usize, column: usize) {
        let Term { weight, side, .. } = term;
        if term.merged.is_some() {
            return;
        }
        let Some(width) = piece.integers else {
            let out = &mut self.values[panel * self.room.values + piece.place..];
            return pack(
                weight,
                *side,
                column,
                piece.start,
                piece.depth,
                &mut out[..panel_length::<P>(piece.depth)],
            );
        };
        let unpacked = &mut self.unpacked[..piece.depth * PANEL];
        let out = &mut self.integers[panel * self.room.integers + piece.place..][..piece.panel_bytes()];
        let line = (panel * self.room.lines + piece.line) * PANEL;
        let scales = &mut self.scales[line..][..piece.stretches() * PANEL];
        match width {
            Width::Sixteen => {
                pack(weight, *side, column, piece.start, piece.depth, unpacked);
                sixteen::round_panel(unpacked, cast_slice_mut(out), scales);
            }
            Width::Eight => {
                let (out, starts) =
                    (cast_slice_mut(out), &mut self.starts[line..][..piece.stretches() * PANEL]);
                eight::pack_panel(weight, *side, column, piece.start, unpacked, out, scales, starts);
            }
        }
    }

    /// Makes the first `rows` rows of `tile` their beginning plus `left`'s products with a piece of one panel, whose
    /// outputs begin at `column`.
    #[inline]
    #[allow(clippy::too_many_arguments)]
    pub(super) fn multiply<E: Element>(
        &self,
        level: Level,
        rows: usize,
        term: &Term<E>,
        piece: &Piece,
        left: &Left<P>,
        panel: usize,
        column: usize,
        begin: Begin,
        ahead: Ahead,
        tile: &mut Tile,
    ) {
        let merged = term.merged.map(|merged| merged.piece(column, piece.start));
        let values = || {
            let values = match merged {
                Some(MergedPiece::Operands(values)) => cast_slice(values),
                _ => &self.values[panel * self.room.values + piece.place..],
            };
            &values[..panel_length::<P>(piece.depth)]
        };
        let integers = || &self.integers[panel * self.room.integers + piece.place..][..piece.panel_bytes()];
        let line = (panel * self.room.lines + piece.line) * PANEL;
        match left {
            Left::Values(left, stride) => {
                multiply(level, rows, piece.depth, left, *stride, values(), begin, ahead, tile);
            }
            Left::Sixteen(left, left_scales) => {
                let piece = Integers {
                    left,
                    left_scales,
                    panel: cast_slice(integers()),
                    panel_scales: &self.scales[line..],
                    depth: piece.padded(),
                };
                begin.fill(&mut tile[..rows]);
                sixteen::multiply(level, rows, &piece, tile);
            }
            Left::Eight(left, stride, left_scales, scales_stride) => {
                let (panel, panel_scales, starts) = match merged {
                    Some(MergedPiece::Integers(panel, scales, starts)) => (panel, scales, starts),
                    _ => (cast_slice(integers()), &self.scales[line..], &self.starts[line..]),
                };
                let piece = Bytes {
                    left,
                    stride: *stride,
                    left_scales,
                    scales_stride: *scales_stride,
                    panel,
                    panel_scales,
                    starts,
                    depth: piece.padded(),
                };
                eight::multiply(rows, &piece, begin, tile);
            }
        }
    }
}

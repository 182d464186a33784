//! Attention forward.

use irtune_device::{AttentionShape, Scores, Side};

use super::{
    head::{HeadColumns, Panels, gather, gather_rows, multiply_all, multiply_into, pack_all, panels_length},
    inputs::Inputs,
};
use crate::{
    gemm::{
        microkernel::ARows,
        tile::{MR, NR},
    },
    ops::activation::tanh,
    simd::{
        element::{Element, is_native},
        exponential::exp,
        level::level,
        vectorised,
    },
    threads::{disjoint::DisjointSlice, parallel, scratch},
};

/// `out = softmax(scores) · v` for every head, scores made of `q · kᵀ` as the shape says; `logsumexp` keeps what the backward needs of the softmax.
///
/// # Shapes
/// `out`: `[query rows, heads · head_size]`; `logsumexp`: `[query rows, heads]`.
///
/// # Source
/// Vaswani et al. 2017; grouped heads: Ainslie et al. 2023; logsumexp kept instead of the probabilities: Dao et al.,
/// "FlashAttention", 2022.
pub fn forward<E: Element>(shape: &AttentionShape, inputs: &Inputs<E>, out: &mut [E], logsumexp: &mut [f32]) {
    inputs.check(shape);
    assert_eq!(out.len(), shape.query_rows() * shape.query_columns(), "length of attention's output");
    assert_eq!(logsumexp.len(), shape.query_rows() * shape.heads, "length of attention's logsumexp");
    let task = Task { shape, inputs, out: DisjointSlice::new(out), logsumexp: DisjointSlice::new(logsumexp) };
    let heads = shape.key_value_heads;
    parallel::for_each(shape.segments.len() * heads, |index| {
        if is_native::<E>() {
            one_head::<E, E>(&task, index / heads, index % heads);
        } else {
            one_head::<E, f32>(&task, index / heads, index % heads);
        }
    });
}

/// What the tasks have in common.
struct Task<'a, E> {
    shape: &'a AttentionShape<'a>,
    inputs: &'a Inputs<'a, E>,
    out: DisjointSlice<'a, E>,
    logsumexp: DisjointSlice<'a, f32>,
}

/// One key head of one segment, with all query heads that it serves; multiplied as `P`.
fn one_head<E: Element, P: Element>(task: &Task<E>, index: usize, head: usize) {
    let (shape, inputs) = (task.shape, task.inputs);
    let segment = &shape.segments[index];
    if segment.queries == 0 {
        return;
    }
    let (size, reach, level) = (shape.head_size, segment.reach(), level());
    let padded = reach.next_multiple_of(NR);
    let key_length = panels_length::<P>(reach, size);
    let value_length = panels_length::<P>(size, reach);
    let bytes = scratch::bytes::<P>(reach * size)
        + scratch::bytes::<P>(key_length)
        + scratch::bytes::<P>(value_length)
        + scratch::bytes::<f32>(MR * padded)
        + scratch::bytes::<P>(MR * padded)
        + scratch::bytes::<P>(MR * size);
    scratch::with(bytes, |mut arena| {
        let rows = arena.take::<P>(reach * size);
        let keys = arena.take::<P>(key_length);
        let values = arena.take::<P>(value_length);
        let scores = arena.take::<f32>(MR * padded);
        let weights = arena.take::<P>(MR * padded);
        let queries = arena.take::<P>(MR * size);
        let columns = HeadColumns { first: head * size, size };
        gather(inputs.keys, shape, index, columns, rows);
        pack_all(rows, reach, size, Side::Forward, keys);
        gather(inputs.values, shape, index, columns, rows);
        pack_all(rows, reach, size, Side::Backward, values);
        let (keys, values) = (Panels { values: keys, depth: size }, Panels { values, depth: reach });
        for query_head in head * shape.group()..(head + 1) * shape.group() {
            let columns = HeadColumns { first: query_head * size, size };
            for first in (0..segment.queries).step_by(MR) {
                let count = MR.min(segment.queries - first);
                let most = segment.visible(first + count - 1);
                let seen = shape.scores.first_seen(segment.visible(first))..most;
                let start = segment.first_query + first;
                gather_rows(inputs.queries, start..start + count, columns, queries);
                let a = ARows { values: queries, stride: size, rows: count, depth: size };
                multiply_into(level, a, keys, seen, scores, padded);
                let depth = most.next_multiple_of(P::K_PACK);
                let mut sums = [(0.0, 0.0); MR];
                for (row, sum) in sums[..count].iter_mut().enumerate() {
                    let visible = segment.visible(first + row);
                    let seen = shape.scores.first_seen(visible)..visible;
                    let weights = &mut weights[row * padded..][..depth];
                    weights[..seen.start].fill(P::default());
                    let (scores, weights) =
                        (&mut scores[row * padded..][seen.clone()], &mut weights[seen.start..]);
                    let Scores { scale, cap, .. } = shape.scores;
                    *sum = match cap {
                        None => exponentials(scores, scale, weights),
                        Some(cap) => {
                            bend(scores, scale, cap);
                            exponentials(scores, 1.0, weights)
                        }
                    };
                }
                let a = ARows { values: weights, stride: padded, rows: count, depth };
                multiply_all(level, a, values, 0..size, |row, column, values| {
                    let place = (start + row) * shape.query_columns() + columns.first + column;
                    // SAFETY: each task writes its own segment's rows in its own heads' columns.
                    let out = unsafe { task.out.part(place, values.len()) };
                    divide(values, sums[row].0, out);
                });
                for (row, (sum, largest)) in sums[..count].iter().enumerate() {
                    let place = (start + row) * shape.heads + query_head;
                    // SAFETY: as above.
                    let logsumexp = unsafe { task.logsumexp.part(place, 1) };
                    logsumexp[0] = largest + sum.ln();
                }
            }
        }
    });
}

vectorised! {
    fn divide<E: Element>(values: &[f32], divisor: f32, out: &mut [E]) {
        for (out, value) in out.iter_mut().zip(values) {
            *out = E::from_f32(value / divisor);
        }
    }
}

vectorised! {
    /// Scores that stay below a cap: `cap · tanh(scale · score / cap)`.
    fn bend(scores: &mut [f32], scale: f32, cap: f32) {
        for score in scores {
            *score = cap * tanh(*score * scale / cap);
        }
    }
}

vectorised! {
    /// The softmax before its division: `weights = exp(scale · score − largest)`, zero past the scores.
    ///
    /// Gives their sum and the largest scaled score.
    fn exponentials<E: Element>(scores: &[f32], scale: f32, weights: &mut [E]) -> (f32, f32) {
        // What is left of the scores is filled up to whole vectors, with scores that weigh nothing.
        let (vectors, rest) = scores.as_chunks::<16>();
        let mut last = [f32::NEG_INFINITY; 16];
        last[..rest.len()].copy_from_slice(rest);
        let mut largest = last;
        for vector in vectors {
            for (largest, &score) in largest.iter_mut().zip(vector) {
                *largest = if score > *largest { score } else { *largest };
            }
        }
        let largest = largest.iter().fold(f32::NEG_INFINITY, |a, &b| a.max(b)) * scale;
        let (seen, unseen) = weights.split_at_mut(scores.len());
        let (weights, rest) = seen.as_chunks_mut::<16>();
        let mut sums = [0.0f32; 16];
        let mut weigh = |scores: &[f32; 16], weights: &mut [E; 16]| {
            for ((score, weight), sum) in scores.iter().zip(weights).zip(&mut sums) {
                let rounded = E::from_f32(exp::<FUSED>(score * scale - largest));
                *weight = rounded;
                *sum += rounded.to_f32();
            }
        };
        for (scores, weights) in vectors.iter().zip(weights) {
            weigh(scores, weights);
        }
        if !rest.is_empty() {
            let mut weights = [E::default(); 16];
            weigh(&last, &mut weights);
            rest.copy_from_slice(&weights[..rest.len()]);
        }
        unseen.fill(E::default());
        (sums.iter().sum(), largest)
    }
}

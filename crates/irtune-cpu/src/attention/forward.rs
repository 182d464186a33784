use super::{
    Inputs, Shape,
    head::{gather, gather_rows, multiply_all, multiply_into, pack_all, panels_length},
};
use crate::{
    element::{Element, multiplied_as_stored},
    exponential::exp,
    level::{level, vectorised},
    microkernel::TILE,
    pack::{PANEL, Side},
    parallel::{self, Shared},
    scratch,
};

/// `out = softmax(q · kᵀ / √head_size) · v` for every head; `log_sums` keeps what the backward needs of the softmax.
///
/// # Shapes
/// `out`: `[query rows, heads · head_size]`; `log_sums`: `[query rows, heads]`.
///
/// # Source
/// Vaswani et al. 2017; grouped heads: Ainslie et al. 2023; log-sum-exp kept instead of the probabilities: Dao et al.,
/// "FlashAttention", 2022.
pub fn forward<E: Element>(shape: &Shape, inputs: &Inputs<E>, out: &mut [E], log_sums: &mut [f32]) {
    inputs.check(shape);
    assert_eq!(out.len(), shape.query_rows() * shape.query_columns(), "length of attention's output");
    assert_eq!(log_sums.len(), shape.query_rows() * shape.heads, "length of attention's log sums");
    let (out, log_sums) = (Shared::new(out), Shared::new(log_sums));
    let heads = shape.key_value_heads;
    parallel::for_each(shape.segments.len() * heads, |task| {
        if multiplied_as_stored::<E>() {
            one_head::<E, E>(shape, inputs, task / heads, task % heads, &out, &log_sums);
        } else {
            one_head::<E, f32>(shape, inputs, task / heads, task % heads, &out, &log_sums);
        }
    });
}

/// One key head of one segment, multiplied as `P`.
fn one_head<E: Element, P: Element>(
    shape: &Shape,
    inputs: &Inputs<E>,
    index: usize,
    head: usize,
    out: &Shared<E>,
    log_sums: &Shared<f32>,
) {
    let segment = &shape.segments[index];
    if segment.queries == 0 {
        return;
    }
    let (size, reach, level) = (shape.head_size, segment.reach(), level());
    let padded = reach.next_multiple_of(PANEL);
    let key_length = panels_length::<P>(reach, size);
    let value_length = panels_length::<P>(size, reach);
    let bytes = scratch::bytes::<P>(reach * size)
        + scratch::bytes::<P>(key_length)
        + scratch::bytes::<P>(value_length)
        + scratch::bytes::<f32>(TILE * padded)
        + scratch::bytes::<P>(TILE * padded)
        + scratch::bytes::<P>(TILE * size);
    scratch::with(bytes, |mut arena| {
        let rows = arena.take::<P>(reach * size);
        let keys = arena.take::<P>(key_length);
        let values = arena.take::<P>(value_length);
        let scores = arena.take::<f32>(TILE * padded);
        let weights = arena.take::<P>(TILE * padded);
        let asking = arena.take::<P>(TILE * size);
        gather(inputs.keys, shape, index, head * size, rows);
        pack_all(rows, reach, size, Side::Forward, keys);
        gather(inputs.values, shape, index, head * size, rows);
        pack_all(rows, reach, size, Side::Backward, values);
        for query_head in head * shape.group()..(head + 1) * shape.group() {
            for first in (0..segment.queries).step_by(TILE) {
                let count = TILE.min(segment.queries - first);
                let most = segment.visible(first + count - 1);
                let start = segment.first_query + first;
                gather_rows(inputs.queries, start, count, query_head * size, size, asking);
                multiply_into(level, count, size, most, asking, size, keys, scores, padded);
                let depth = most.next_multiple_of(P::GROUP);
                let mut sums = [(0.0, 0.0); TILE];
                for (row, sum) in sums[..count].iter_mut().enumerate() {
                    let visible = segment.visible(first + row);
                    let (scores, weights) =
                        (&scores[row * padded..][..visible], &mut weights[row * padded..][..depth]);
                    *sum = soften(scores, shape.scale(), weights);
                }
                multiply_all(
                    level,
                    count,
                    depth,
                    reach,
                    size,
                    weights,
                    padded,
                    values,
                    |row, column, values| {
                        let place = (start + row) * shape.query_columns() + query_head * size + column;
                        // SAFETY: each task writes its own segment's rows in its own heads' columns.
                        let out = unsafe { out.part(place, values.len()) };
                        divide(values, sums[row].0, out);
                    },
                );
                for (row, (sum, largest)) in sums[..count].iter().enumerate() {
                    // SAFETY: as above.
                    let log_sum = unsafe { log_sums.part((start + row) * shape.heads + query_head, 1) };
                    log_sum[0] = largest + sum.ln();
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
    /// `weights = exp(scale · score − largest)`, zero past the scores; gives their sum and the largest scaled score.
    fn soften<E: Element>(scores: &[f32], scale: f32, weights: &mut [E]) -> (f32, f32) {
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

//! Attention backward.

use irtune_device::{AttentionShape, Scores, Segment, Side};

use super::{
    head::{HeadColumns, Panels, gather, gather_rows, multiply_all, multiply_into, pack_all, panels_length},
    inputs::Inputs,
};
use crate::{
    gemm::{
        microkernel::ARows,
        tile::{MR, NR},
    },
    matrix::Matrix,
    ops::{activation::tanh, rows::round_range},
    simd::{
        element::{Element, is_native},
        exponential::exp,
        level::level,
        vectorised,
    },
    threads::{disjoint::DisjointSlice, parallel, scratch},
};

/// Query rows whose probabilities are held at once.
const CHUNK: usize = 8 * MR;

/// Where the gradients go, and the working memory that those of shared rows need.
#[derive(Debug)]
pub struct Gradients<'a, E> {
    /// `[query rows, heads · head_size]`
    pub queries: &'a mut [E],
    /// `[key rows, key_value_heads · head_size]`
    pub keys: &'a mut [E],
    /// `[key rows, key_value_heads · head_size]`
    pub values: &'a mut [E],
    /// What each segment adds to rows that others see too, `[partial rows, 2 · key_value_heads · head_size]`;
    /// overwritten.
    pub partial: &'a mut [f32],
}

/// Gradients of queries, keys and values; those of shared rows are summed over all segments that see them.
///
/// The probabilities P are recomputed from the scores and the logsumexp. With D the row sums of dO ∘ O: `dV = Pᵀ·dO`,
/// `dS = scale · P ∘ (dO·Vᵀ − D)`, `dQ = dS·K`, `dK = dSᵀ·Q`. Under a cap dS is also multiplied by `1 − (score/cap)²`.
///
/// # Shapes
/// `out`, `out_gradient`: `[query rows, heads · head_size]`; `logsumexp`: `[query rows, heads]`, from the forward.
pub fn backward<E: Element>(
    shape: &AttentionShape,
    inputs: &Inputs<E>,
    out: &[E],
    logsumexp: &[f32],
    out_gradient: &[E],
    gradients: Gradients<E>,
) {
    inputs.check(shape);
    let (queries, keys) =
        (shape.query_rows() * shape.query_columns(), shape.key_rows() * shape.key_columns());
    let partial_length = shape.partial_rows() * 2 * shape.key_columns();
    assert!(
        out.len() == queries && out_gradient.len() == queries && gradients.queries.len() == queries,
        "query rows"
    );
    assert!(gradients.keys.len() == keys && gradients.values.len() == keys, "key rows");
    assert!(logsumexp.len() == shape.query_rows() * shape.heads && gradients.partial.len() >= partial_length);
    let heads = shape.key_value_heads;
    {
        let task = Task {
            shape,
            inputs,
            out,
            logsumexp,
            out_gradient,
            queries: DisjointSlice::new(gradients.queries),
            keys: DisjointSlice::new(gradients.keys),
            values: DisjointSlice::new(gradients.values),
            partial: DisjointSlice::new(gradients.partial),
        };
        parallel::for_each(shape.segments.len() * heads, |index| {
            if is_native::<E>() {
                one_head::<E, E>(&task, index / heads, index % heads)
            } else {
                one_head::<E, f32>(&task, index / heads, index % heads)
            }
        });
    }
    sum_shared(shape, gradients.partial, [gradients.keys, gradients.values]);
}

/// Gradients of the shared segments' rows: each the sum over the segments that see it, in their order.
fn sum_shared<E: Element>(shape: &AttentionShape, partial: &[f32], targets: [&mut [E]; 2]) {
    let columns = shape.key_columns();
    let targets = targets.map(DisjointSlice::new);
    parallel::for_each(shape.segments.len(), |index| {
        let shared = &shape.segments[index];
        if !shared.shared {
            return;
        }
        // In `partial` the rows of one segment lie together, keys beside values.
        let length = shared.keys * 2 * columns;
        scratch::with(scratch::bytes::<f32>(length), |mut arena| {
            let sums = arena.take::<f32>(length);
            sums.fill(0.0);
            for (below, segment) in shape.segments.iter().enumerate().skip(index) {
                if shape.path(below).any(|above| std::ptr::eq(above, shared)) {
                    let place = (segment.first_partial + shared.context) * 2 * columns;
                    add(&partial[place..][..length], sums);
                }
            }
            for (row, sums) in sums.chunks_exact(2 * columns).enumerate() {
                for (target, sums) in targets.iter().zip(sums.chunks_exact(columns)) {
                    // SAFETY: each task writes its own segment's rows.
                    let out = unsafe { target.part((shared.first_key + row) * columns, columns) };
                    for (out, sum) in out.iter_mut().zip(sums) {
                        *out = E::from_f32(*sum);
                    }
                }
            }
        });
    });
}

vectorised! {
    fn add(values: &[f32], sum: &mut [f32]) {
        for (sum, value) in sum.iter_mut().zip(values) {
            *sum += value;
        }
    }
}

/// What the tasks have in common.
struct Task<'a, E> {
    shape: &'a AttentionShape<'a>,
    inputs: &'a Inputs<'a, E>,
    out: &'a [E],
    logsumexp: &'a [f32],
    out_gradient: &'a [E],
    queries: DisjointSlice<'a, E>,
    keys: DisjointSlice<'a, E>,
    values: DisjointSlice<'a, E>,
    partial: DisjointSlice<'a, f32>,
}

/// One key head of one segment, with all query heads that it serves; multiplied as `P`.
fn one_head<E: Element, P: Element>(task: &Task<E>, index: usize, head: usize) {
    let (shape, segment, size) = (task.shape, &task.shape.segments[index], task.shape.head_size);
    let (reach, level, columns) = (segment.reach(), level(), shape.query_columns());
    let padded = reach.next_multiple_of(NR);
    let forward_length = panels_length::<P>(reach, size);
    let backward_length = panels_length::<P>(size, reach);
    let chunk_rows = CHUNK.min(segment.queries);
    let chunk_length = panels_length::<P>(reach, chunk_rows);
    let bytes = scratch::bytes::<P>(reach * size)
        + 2 * scratch::bytes::<P>(forward_length)
        + scratch::bytes::<P>(backward_length)
        + 2 * scratch::bytes::<f32>(MR * padded)
        + 2 * scratch::bytes::<P>(chunk_rows * padded)
        + scratch::bytes::<P>(size * chunk_rows)
        + scratch::bytes::<P>(chunk_length)
        + scratch::bytes::<P>(MR * size)
        + 2 * scratch::bytes::<f32>(size * padded);
    scratch::with(bytes, |mut arena| {
        let rows = arena.take::<P>(reach * size);
        let values_forward = arena.take::<P>(forward_length);
        let keys_forward = arena.take::<P>(forward_length);
        let keys_backward = arena.take::<P>(backward_length);
        let scores = arena.take::<f32>(MR * padded);
        let weight_gradients = arena.take::<f32>(MR * padded);
        let weights = arena.take::<P>(chunk_rows * padded);
        let score_gradients = arena.take::<P>(chunk_rows * padded);
        let transposed = arena.take::<P>(size * chunk_rows);
        let packed = arena.take::<P>(chunk_length);
        let block_rows = arena.take::<P>(MR * size);
        let key_gradients = arena.take::<f32>(size * padded);
        let value_gradients = arena.take::<f32>(size * padded);
        let key_columns = HeadColumns { first: head * size, size };
        gather(task.inputs.values, shape, index, key_columns, rows);
        pack_all(rows, reach, size, Side::Forward, values_forward);
        gather(task.inputs.keys, shape, index, key_columns, rows);
        pack_all(rows, reach, size, Side::Forward, keys_forward);
        pack_all(rows, reach, size, Side::Backward, keys_backward);
        let values_forward = Panels { values: values_forward, depth: size };
        let keys_forward = Panels { values: keys_forward, depth: size };
        let keys_backward = Panels { values: keys_backward, depth: reach };
        key_gradients.fill(0.0);
        value_gradients.fill(0.0);
        for query_head in head * shape.group()..(head + 1) * shape.group() {
            let query_columns = HeadColumns { first: query_head * size, size };
            let queries = task.inputs.queries;
            let out_gradients = Matrix::new(task.out_gradient, shape.query_rows(), columns);
            for chunk in (0..segment.queries).step_by(CHUNK) {
                let chunk_count = CHUNK.min(segment.queries - chunk);
                for block in (0..chunk_count).step_by(MR) {
                    let (first, count) = (chunk + block, MR.min(chunk_count - block));
                    let most = segment.visible(first + count - 1);
                    let seen = shape.scores.first_seen(segment.visible(first))..most;
                    let start = segment.first_query + first;
                    for (rows, panels, out) in [
                        (queries, keys_forward, &mut *scores),
                        (out_gradients, values_forward, &mut *weight_gradients),
                    ] {
                        gather_rows(rows, start..start + count, query_columns, block_rows);
                        let a = ARows { values: block_rows, stride: size, rows: count, depth: size };
                        multiply_into(level, a, panels, seen.clone(), out, padded);
                    }
                    for row in 0..count {
                        let visible = segment.visible(first + row);
                        let place = (start + row) * columns + query_columns.first;
                        let dot = dot(&task.out[place..][..size], &task.out_gradient[place..][..size]);
                        let logsumexp = task.logsumexp[(start + row) * shape.heads + query_head];
                        let Scores { scale, cap, .. } = shape.scores;
                        let seen = shape.scores.first_seen(visible)..visible;
                        let of_row = |values: &mut [P]| {
                            let values = &mut values[(block + row) * padded..][..padded];
                            values[..seen.start].fill(P::default());
                        };
                        of_row(weights);
                        of_row(score_gradients);
                        let (scores, gradients) = (
                            &scores[row * padded..][seen.clone()],
                            &weight_gradients[row * padded..][seen.clone()],
                        );
                        let from = (block + row) * padded + seen.start;
                        let unseen = padded - seen.start;
                        let (weights, score_gradients) =
                            (&mut weights[from..][..unseen], &mut score_gradients[from..][..unseen]);
                        match cap {
                            None => {
                                let scalars = [scale, logsumexp, dot];
                                softmax_backward(scores, gradients, scalars, weights, score_gradients);
                            }
                            Some(cap) => {
                                let scalars = [scale, logsumexp, dot, cap];
                                capped_backward(scores, gradients, scalars, weights, score_gradients);
                            }
                        }
                    }
                    let values = &score_gradients[block * padded..];
                    let depth = most.next_multiple_of(P::K_PACK);
                    let a = ARows { values, stride: padded, rows: count, depth };
                    multiply_all(level, a, keys_backward, 0..size, |row, column, sums| {
                        let place = (start + row) * columns + query_columns.first + column;
                        // SAFETY: each task writes its own segment's rows in its own heads' columns.
                        round_range(sums, unsafe { task.queries.part(place, sums.len()) });
                    });
                }
                let start = segment.first_query + chunk;
                let most = segment.visible(chunk + chunk_count - 1);
                for (left, right, sums) in [
                    (out_gradients, &*weights, &mut *value_gradients),
                    (queries, &*score_gradients, &mut *key_gradients),
                ] {
                    let transposed = &mut transposed[..size * chunk_count];
                    let left_rows = &left.data[start * left.stride + query_columns.first..];
                    transpose(left_rows, left.stride, chunk_count, size, transposed);
                    let packed = &mut packed[..panels_length::<P>(padded, chunk_count)];
                    pack_all(right, chunk_count, padded, Side::Backward, packed);
                    let panels = Panels { values: packed, depth: chunk_count };
                    for block in (0..size).step_by(MR) {
                        let a = ARows {
                            values: &transposed[block * chunk_count..],
                            stride: chunk_count,
                            rows: MR.min(size - block),
                            depth: chunk_count,
                        };
                        multiply_all(level, a, panels, 0..most, |row, column, part| {
                            add(part, &mut sums[(block + row) * padded + column..][..part.len()]);
                        });
                    }
                }
            }
        }
        write(task, segment, head, padded, [key_gradients, value_gradients]);
    });
}

/// Writes the transposed sums `[size, padded]` to the rows they belong to.
fn write<E: Element>(task: &Task<E>, segment: &Segment, head: usize, padded: usize, sums: [&mut [f32]; 2]) {
    let (size, columns) = (task.shape.head_size, task.shape.key_columns());
    for (half, (sums, target)) in sums.into_iter().zip([&task.keys, &task.values]).enumerate() {
        for row in 0..segment.reach() {
            if row < segment.partial_rows() {
                let place = ((segment.first_partial + row) * 2 + half) * columns + head * size;
                // SAFETY: each task writes its own segment's partial sums in its own head's columns.
                let out = unsafe { task.partial.part(place, size) };
                for (inner, out) in out.iter_mut().enumerate() {
                    *out = sums[inner * padded + row];
                }
            } else {
                let place = (segment.first_key + row - segment.context) * columns + head * size;
                // SAFETY: each task writes its own segment's rows in its own head's columns.
                let out = unsafe { target.part(place, size) };
                for (inner, out) in out.iter_mut().enumerate() {
                    *out = E::from_f32(sums[inner * padded + row]);
                }
            }
        }
    }
}

/// Transposes `rows` strided rows of `size` values.
fn transpose<E: Element, P: Element>(input: &[E], stride: usize, rows: usize, size: usize, out: &mut [P]) {
    match bytemuck::try_cast_slice::<E, P>(input) {
        Ok(same) if E::K_PACK == P::K_PACK => transpose_values(same, stride, rows, size, out, |value| value),
        _ => transpose_values(input, stride, rows, size, out, |value| P::from_f32(value.to_f32())),
    }
}

fn transpose_values<E: Element, P: Element>(
    input: &[E],
    stride: usize,
    rows: usize,
    size: usize,
    out: &mut [P],
    map: impl Fn(E) -> P,
) {
    for row in 0..rows {
        for (column, &value) in input[row * stride..][..size].iter().enumerate() {
            out[column * rows + row] = map(value);
        }
    }
}

vectorised! {
    fn dot<E: Element>(left: &[E], right: &[E]) -> f32 {
        let mut sums = [0.0f32; 16];
        let ((lefts, left), (rights, right)) = (left.as_chunks::<16>(), right.as_chunks::<16>());
        for (left, right) in lefts.iter().zip(rights) {
            for ((left, right), sum) in left.iter().zip(right).zip(&mut sums) {
                *sum += left.to_f32() * right.to_f32();
            }
        }
        for ((left, right), sum) in left.iter().zip(right).zip(&mut sums) {
            *sum += left.to_f32() * right.to_f32();
        }
        sums.iter().sum()
    }
}

vectorised! {
    /// Probabilities and score gradients of a row, zero past the visible keys; `scalars`: scale, logsumexp, dO·O.
    fn softmax_backward<E: Element>(
        scores: &[f32],
        weight_gradients: &[f32],
        scalars: [f32; 3],
        weights: &mut [E],
        score_gradients: &mut [E],
    ) {
        let [scale, logsumexp, dot] = scalars;
        let (seen, unseen) = weights.split_at_mut(scores.len());
        let (seen_gradients, unseen_gradients) = score_gradients.split_at_mut(scores.len());
        for (((score, gradient), weight), score_gradient) in
            scores.iter().zip(weight_gradients).zip(seen).zip(seen_gradients)
        {
            let probability = exp::<FUSED>(score * scale - logsumexp);
            *weight = E::from_f32(probability);
            *score_gradient = E::from_f32(probability * (gradient - dot) * scale);
        }
        unseen.fill(E::default());
        unseen_gradients.fill(E::default());
    }
}

vectorised! {
    /// The same of scores under a cap; `scalars`: scale, logsumexp, dO·O, cap.
    fn capped_backward<E: Element>(
        scores: &[f32],
        weight_gradients: &[f32],
        scalars: [f32; 4],
        weights: &mut [E],
        score_gradients: &mut [E],
    ) {
        let [scale, logsumexp, dot, cap] = scalars;
        let (seen, unseen) = weights.split_at_mut(scores.len());
        let (seen_gradients, unseen_gradients) = score_gradients.split_at_mut(scores.len());
        for (((score, gradient), weight), score_gradient) in
            scores.iter().zip(weight_gradients).zip(seen).zip(seen_gradients)
        {
            let bent = tanh(score * scale / cap);
            let probability = exp::<FUSED>(bent * cap - logsumexp);
            *weight = E::from_f32(probability);
            *score_gradient = E::from_f32(probability * (gradient - dot) * (1.0 - bent * bent) * scale);
        }
        unseen.fill(E::default());
        unseen_gradients.fill(E::default());
    }
}

use super::{
    Inputs, Segment, Shape,
    head::{gather, gather_rows, multiply_all, multiply_into, pack_all, panels_length},
};
use crate::{
    element::{Element, multiplied_as_stored},
    exponential::exp,
    level::{level, vectorised},
    matrix::Matrix,
    microkernel::TILE,
    pack::{PANEL, Side},
    parallel::{self, Shared},
    rows::round_range,
    scratch,
};

/// Query rows whose probabilities are held at once.
const CHUNK: usize = 8 * TILE;

/// Where the gradients go, and the working memory that the prefix's needs.
#[derive(Debug)]
pub struct Gradients<'a, E> {
    /// `[query rows, heads · head_size]`
    pub queries: &'a mut [E],
    /// `[key rows, key_value_heads · head_size]`
    pub keys: &'a mut [E],
    /// `[key rows, key_value_heads · head_size]`
    pub values: &'a mut [E],
    /// `[partial rows, 2 · key_value_heads · head_size]`: what each segment adds to rows that others see too,
    /// overwritten.
    pub partial: &'a mut [f32],
}

/// Gradients of queries, keys and values; those of shared rows are summed over all segments that see them.
///
/// With P the probabilities and D the row sums of dO ∘ O: `dV = Pᵀ·dO`, `dS = P ∘ (dO·Vᵀ − D)/√head_size`, `dQ = dS·K`,
/// `dK = dSᵀ·Q`.
///
/// # Shapes
/// `out`, `out_gradient`: `[query rows, heads · head_size]`; `log_sums`: `[query rows, heads]`, from the forward.
pub fn backward<E: Element>(
    shape: &Shape,
    inputs: &Inputs<E>,
    out: &[E],
    log_sums: &[f32],
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
    assert!(log_sums.len() == shape.query_rows() * shape.heads && gradients.partial.len() >= partial_length);
    let task_inputs = TaskInputs { shape, inputs, out, log_sums, out_gradient };
    let heads = shape.key_value_heads;
    {
        let shared = SharedGradients {
            queries: Shared::new(gradients.queries),
            keys: Shared::new(gradients.keys),
            values: Shared::new(gradients.values),
            partial: Shared::new(gradients.partial),
        };
        parallel::for_each(shape.segments.len() * heads, |task| {
            if multiplied_as_stored::<E>() {
                one_head::<E, E>(&task_inputs, task / heads, task % heads, &shared)
            } else {
                one_head::<E, f32>(&task_inputs, task / heads, task % heads, &shared)
            }
        });
    }
    sum_shared(shape, gradients.partial, [gradients.keys, gradients.values]);
}

/// Gradients of the shared segments' rows: each the sum over the segments that see it, in their order.
fn sum_shared<E: Element>(shape: &Shape, partial: &[f32], targets: [&mut [E]; 2]) {
    let columns = shape.key_columns();
    let targets = targets.map(Shared::new);
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

struct TaskInputs<'a, E> {
    shape: &'a Shape<'a>,
    inputs: &'a Inputs<'a, E>,
    out: &'a [E],
    log_sums: &'a [f32],
    out_gradient: &'a [E],
}

struct SharedGradients<'a, E> {
    queries: Shared<'a, E>,
    keys: Shared<'a, E>,
    values: Shared<'a, E>,
    partial: Shared<'a, f32>,
}

/// One key head of one segment, multiplied as `P`.
fn one_head<E: Element, P: Element>(
    task: &TaskInputs<E>,
    index: usize,
    head: usize,
    shared: &SharedGradients<E>,
) {
    let (shape, segment, size) = (task.shape, &task.shape.segments[index], task.shape.head_size);
    let (reach, level, columns) = (segment.reach(), level(), shape.query_columns());
    let padded = reach.next_multiple_of(PANEL);
    let forward_length = panels_length::<P>(reach, size);
    let backward_length = panels_length::<P>(size, reach);
    let chunk_rows = CHUNK.min(segment.queries);
    let chunk_length = panels_length::<P>(reach, chunk_rows);
    let bytes = scratch::bytes::<P>(reach * size)
        + 2 * scratch::bytes::<P>(forward_length)
        + scratch::bytes::<P>(backward_length)
        + 2 * scratch::bytes::<f32>(TILE * padded)
        + 2 * scratch::bytes::<P>(chunk_rows * padded)
        + scratch::bytes::<P>(size * chunk_rows)
        + scratch::bytes::<P>(chunk_length)
        + scratch::bytes::<P>(TILE * size)
        + 2 * scratch::bytes::<f32>(size * padded);
    scratch::with(bytes, |mut arena| {
        let rows = arena.take::<P>(reach * size);
        let values_forward = arena.take::<P>(forward_length);
        let keys_forward = arena.take::<P>(forward_length);
        let keys_backward = arena.take::<P>(backward_length);
        let scores = arena.take::<f32>(TILE * padded);
        let weight_gradients = arena.take::<f32>(TILE * padded);
        let weights = arena.take::<P>(chunk_rows * padded);
        let score_gradients = arena.take::<P>(chunk_rows * padded);
        let turned = arena.take::<P>(size * chunk_rows);
        let packed = arena.take::<P>(chunk_length);
        let asking = arena.take::<P>(TILE * size);
        let key_gradients = arena.take::<f32>(size * padded);
        let value_gradients = arena.take::<f32>(size * padded);
        gather(task.inputs.values, shape, index, head * size, rows);
        pack_all(rows, reach, size, Side::Forward, values_forward);
        gather(task.inputs.keys, shape, index, head * size, rows);
        pack_all(rows, reach, size, Side::Forward, keys_forward);
        pack_all(rows, reach, size, Side::Backward, keys_backward);
        key_gradients.fill(0.0);
        value_gradients.fill(0.0);
        for query_head in head * shape.group()..(head + 1) * shape.group() {
            let first_column = query_head * size;
            let queries = task.inputs.queries;
            let out_gradients = Matrix::new(task.out_gradient, shape.query_rows(), columns);
            for chunk in (0..segment.queries).step_by(CHUNK) {
                let chunk_count = CHUNK.min(segment.queries - chunk);
                for block in (0..chunk_count).step_by(TILE) {
                    let (first, count) = (chunk + block, TILE.min(chunk_count - block));
                    let most = segment.visible(first + count - 1);
                    let start = segment.first_query + first;
                    for (rows, panels, out) in [
                        (queries, &*keys_forward, &mut *scores),
                        (out_gradients, &*values_forward, &mut *weight_gradients),
                    ] {
                        gather_rows(rows, start, count, first_column, size, asking);
                        multiply_into(level, count, size, most, asking, size, panels, out, padded);
                    }
                    for row in 0..count {
                        let visible = segment.visible(first + row);
                        let place = (start + row) * columns + first_column;
                        let dot = dot(&task.out[place..][..size], &task.out_gradient[place..][..size]);
                        let log_sum = task.log_sums[(start + row) * shape.heads + query_head];
                        differentiate(
                            &scores[row * padded..][..visible],
                            &weight_gradients[row * padded..][..visible],
                            [shape.scale(), log_sum, dot],
                            &mut weights[(block + row) * padded..][..padded],
                            &mut score_gradients[(block + row) * padded..][..padded],
                        );
                    }
                    let depth = most.next_multiple_of(P::GROUP);
                    let left = &score_gradients[block * padded..];
                    multiply_all(
                        level,
                        count,
                        depth,
                        reach,
                        size,
                        left,
                        padded,
                        keys_backward,
                        |row, column, sums| {
                            // SAFETY: each task writes its own segment's rows in its own heads' columns.
                            let out = unsafe {
                                shared
                                    .queries
                                    .part((start + row) * columns + first_column + column, sums.len())
                            };
                            round_range(sums, out);
                        },
                    );
                }
                let start = segment.first_query + chunk;
                let most = segment.visible(chunk + chunk_count - 1);
                let passes = [
                    (out_gradients, &*weights, &mut *value_gradients),
                    (queries, &*score_gradients, &mut *key_gradients),
                ];
                for (left, right, sums) in passes {
                    let turned = &mut turned[..size * chunk_count];
                    turn(
                        &left.data[start * left.stride + first_column..],
                        left.stride,
                        chunk_count,
                        size,
                        turned,
                    );
                    let packed = &mut packed[..panels_length::<P>(padded, chunk_count)];
                    pack_all(right, chunk_count, padded, Side::Backward, packed);
                    for block in (0..size).step_by(TILE) {
                        let left = &turned[block * chunk_count..];
                        let count = TILE.min(size - block);
                        multiply_all(
                            level,
                            count,
                            chunk_count,
                            chunk_count,
                            most,
                            left,
                            chunk_count,
                            packed,
                            |row, column, part| {
                                add(part, &mut sums[(block + row) * padded + column..][..part.len()]);
                            },
                        );
                    }
                }
            }
        }
        write(shape, segment, head, padded, [key_gradients, value_gradients], shared);
    });
}

/// Writes the transposed sums `[size, padded]` to the rows they belong to.
fn write<E: Element>(
    shape: &Shape,
    segment: &Segment,
    head: usize,
    padded: usize,
    sums: [&mut [f32]; 2],
    shared: &SharedGradients<E>,
) {
    let (size, columns) = (shape.head_size, shape.key_columns());
    for (half, (sums, target)) in sums.into_iter().zip([&shared.keys, &shared.values]).enumerate() {
        for row in 0..segment.reach() {
            if row < segment.partial_rows() {
                let place = ((segment.first_partial + row) * 2 + half) * columns + head * size;
                // SAFETY: each task writes its own segment's partial sums in its own head's columns.
                let out = unsafe { shared.partial.part(place, size) };
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
fn turn<E: Element, P: Element>(input: &[E], stride: usize, rows: usize, size: usize, out: &mut [P]) {
    match bytemuck::try_cast_slice::<E, P>(input) {
        Ok(same) if E::GROUP == P::GROUP => turn_values(same, stride, rows, size, out, |value| value),
        _ => turn_values(input, stride, rows, size, out, |value| P::from_f32(value.to_f32())),
    }
}

fn turn_values<E: Element, P: Element>(
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
    /// Probabilities and score gradients of a row, zero past the visible keys; `scalars`: scale, log-sum, dO·O.
    fn differentiate<E: Element>(
        scores: &[f32],
        weight_gradients: &[f32],
        scalars: [f32; 3],
        weights: &mut [E],
        score_gradients: &mut [E],
    ) {
        let [scale, log_sum, dot] = scalars;
        let (seen, unseen) = weights.split_at_mut(scores.len());
        let (seen_gradients, unseen_gradients) = score_gradients.split_at_mut(scores.len());
        for (((score, gradient), weight), score_gradient) in
            scores.iter().zip(weight_gradients).zip(seen).zip(seen_gradients)
        {
            let probability = exp::<FUSED>(score * scale - log_sum);
            *weight = E::from_f32(probability);
            *score_gradient = E::from_f32(probability * (gradient - dot) * scale);
        }
        unseen.fill(E::default());
        unseen_gradients.fill(E::default());
    }
}

//! Every operation but GEMM, on the sizes of a SmolLM2 batch, against what the machine can do at best.
//!
//! `cargo bench -p irtune-cpu --bench operations` holds each operation against a slow twin in f64, prints its speed
//! and its share of the peak (attention: of the measured arithmetic, the others: of a large copy, which operations whose
//! arrays stay in the cache may pass), and then lets criterion time the same operations.
#![allow(clippy::disallowed_macros, reason = "a benchmark prints its figures")]

use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput};
use irtune_cpu::{
    Element, Matrix, MatrixMut,
    attention::{self, Gradients, Inputs},
    bf16,
    gemm::{Mask, peak},
    ops::{adamw, dropout, gated, loss, norm, rotary},
};
use irtune_device::{
    AdamW, AttentionShape, Gate, LossOptions, RotaryTable, Scores, Segment, Side, Targets, mix_key,
};
use rayon::prelude::*;

const ROWS: usize = 1550;
const HIDDEN: usize = 576;
const INTERMEDIATE: usize = 1536;
const HEADS: usize = 9;
const KEY_VALUE_HEADS: usize = 3;
const HEAD_SIZE: usize = 64;
const PREFIX: usize = 44;
const EXAMPLES: usize = 16;
const CLASSES: usize = 5;
const PARAMETERS: usize = 1 << 22;

/// What one call does.
#[derive(Clone, Copy)]
enum Work {
    /// Bytes read and written.
    Bytes(usize),
    /// Additions and multiplications.
    Arithmetic(usize),
}

/// An operation that was found right, with its data.
struct Operation {
    name: &'static str,
    work: Work,
    /// Runs once and says how long it took.
    run: Box<dyn FnMut() -> Duration + Send>,
}

impl Operation {
    fn new(name: &'static str, work: Work, mut run: impl FnMut() + Send + 'static) -> Self {
        let run = move || {
            let start = Instant::now();
            run();
            start.elapsed()
        };
        Self { name, work, run: Box::new(run) }
    }
}

/// Every operation, each checked when it is made.
fn operations<E: Element>() -> Vec<Operation> {
    let mut all = attentions::<E>();
    all.extend(norms::<E>());
    all.extend(rotaries::<E>());
    all.extend(swiglus::<E>());
    all.extend(dropouts::<E>());
    all
}

/// Those that are f32 whatever the operands are.
fn f32_operations() -> Vec<Operation> {
    vec![cross_entropy(), adamw_step()]
}

/// Numbers within ±0.5, without a pattern.
fn values<E: Element>(count: usize, seed: u64) -> Vec<E> {
    let value = |index: usize| (mix_key(&[seed, index as u64]) >> 40) as f32 / (1 << 24) as f32 - 0.5;
    (0..count).map(|index| E::from_f32(value(index))).collect()
}

fn wide<E: Element>(values: &[E]) -> Vec<f64> {
    values.iter().map(|value| f64::from(value.to_f32())).collect()
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}

/// Fails unless all values are right, measured by the largest.
fn same<E: Element>(what: &str, found: &[E], exact: &[f64]) {
    let tolerance = if E::NAME == "f32" { 1e-4 } else { 2e-2 };
    let largest = exact.iter().fold(1e-6, |largest: f64, value| largest.max(value.abs()));
    assert!(!exact.is_empty() && found.len() == exact.len(), "{what}: numbers of values");
    for (index, (found, exact)) in wide(found).iter().zip(exact).enumerate() {
        assert!((found - exact).abs() <= tolerance * largest, "{what}[{index}] is {found}, not {exact}");
    }
}

fn norms<E: Element>() -> [Operation; 2] {
    const EPSILON: f32 = 1e-5;
    let (input, gain) = (values::<f32>(ROWS * HIDDEN, 1), values::<f32>(HIDDEN, 2));
    let out_gradient = values::<f32>(ROWS * HIDDEN, 3);
    let (mut out, mut scales) = (vec![E::default(); ROWS * HIDDEN], vec![0.0; ROWS]);
    let mut gradient = vec![0.0; ROWS * HIDDEN];
    norm::forward(&input, &gain, EPSILON, &mut out, &mut scales);
    norm::backward(&input, &gain, &scales, &out_gradient, &mut gradient);

    let row = (ROWS - 1) * HIDDEN..;
    let (x, g, d) = (wide(&input[row.clone()]), wide(&gain), wide(&out_gradient[row.clone()]));
    let r = 1.0 / (dot(&x, &x) / HIDDEN as f64 + f64::from(EPSILON)).sqrt();
    let pulled: f64 =
        (0..HIDDEN).map(|column| x[column] * g[column] * d[column]).sum::<f64>() / HIDDEN as f64;
    let forward: Vec<f64> = (0..HIDDEN).map(|column| x[column] * r * g[column]).collect();
    let backward = |column: usize| r * g[column] * d[column] - x[column] * r.powi(3) * pulled;
    same("norm", &out[row.clone()], &forward);
    same("norm's gradient", &gradient[row], &(0..HIDDEN).map(backward).collect::<Vec<_>>());

    let (same_input, same_gain, same_scales) = (input.clone(), gain.clone(), scales.clone());
    [
        Operation::new("rms norm forward", Work::Bytes(ROWS * HIDDEN * (4 + size_of::<E>())), move || {
            norm::forward(&input, &gain, EPSILON, &mut out, &mut scales);
        }),
        Operation::new("rms norm backward", Work::Bytes(ROWS * HIDDEN * 16), move || {
            norm::backward(&same_input, &same_gain, &same_scales, &out_gradient, &mut gradient);
        }),
    ]
}

fn rotaries<E: Element>() -> [Operation; 2] {
    let half = HEAD_SIZE / 2;
    let frequency = |index: usize| 10_000f32.powf(-(index as f32) / half as f32);
    let table = RotaryTable::new(&(0..half).map(frequency).collect::<Vec<_>>(), 256);
    let positions: Vec<u32> = (0..ROWS as u32).map(|row| row % 256).collect();
    let start = values::<E>(ROWS * HIDDEN, 4);
    let mut rows = start.clone();
    rotary::forward(MatrixMut::new(&mut rows, ROWS, HIDDEN), &table, &positions);

    let row = (ROWS - 1) * HIDDEN..;
    let (x, position) = (wide(&start[row.clone()]), f64::from(positions[ROWS - 1]));
    let turned = |column: usize| {
        let index = column % HEAD_SIZE % half;
        let (sine, cosine) = (position * f64::from(frequency(index))).sin_cos();
        let first = column - column % HEAD_SIZE + index;
        let (a, b) = (x[first], x[first + half]);
        if column == first { a * cosine - b * sine } else { b * cosine + a * sine }
    };
    same("rotary", &rows[row], &(0..HIDDEN).map(turned).collect::<Vec<_>>());
    let mut back = rows.clone();
    rotary::backward(MatrixMut::new(&mut back, ROWS, HIDDEN), &table, &positions);
    same("rotary's gradient", &back, &wide(&start));

    let work = Work::Bytes(2 * ROWS * HIDDEN * size_of::<E>());
    let (same_table, same_positions) = (table.clone(), positions.clone());
    [
        Operation::new("rotary forward", work, move || {
            rotary::forward(MatrixMut::new(&mut rows, ROWS, HIDDEN), &table, &positions);
        }),
        Operation::new("rotary backward", work, move || {
            rotary::backward(MatrixMut::new(&mut back, ROWS, HIDDEN), &same_table, &same_positions);
        }),
    ]
}

fn swiglus<E: Element>() -> [Operation; 2] {
    let length = ROWS * INTERMEDIATE;
    let (gate, up, out_gradient) = (values::<E>(length, 5), values::<E>(length, 6), values::<E>(length, 7));
    let (mut out, mut gate_gradient, mut up_gradient) =
        (vec![E::default(); length], gate.clone(), up.clone());
    gated::forward(Gate::Silu, &gate, &up, &mut out);
    gated::backward(Gate::Silu, &out_gradient, &mut gate_gradient, &mut up_gradient);

    let (g, u, d) = (wide(&gate), wide(&up), wide(&out_gradient));
    let sigmoid = |index: usize| 1.0 / (1.0 + (-g[index]).exp());
    let exact = |value: &dyn Fn(usize) -> f64| (0..length).map(value).collect::<Vec<_>>();
    same("swiglu", &out, &exact(&|index| g[index] * sigmoid(index) * u[index]));
    same("up's gradient", &up_gradient, &exact(&|index| d[index] * g[index] * sigmoid(index)));
    let slope = |index: usize| sigmoid(index) * (1.0 + g[index] * (1.0 - sigmoid(index)));
    same("gate's gradient", &gate_gradient, &exact(&|index| d[index] * u[index] * slope(index)));

    let (same_gate, same_up) = (gate.clone(), up.clone());
    let backward = move || {
        // It works in place: it would shrink its own results to nothing.
        gate_gradient.copy_from_slice(&same_gate);
        up_gradient.copy_from_slice(&same_up);
        let start = Instant::now();
        gated::backward(Gate::Silu, &out_gradient, &mut gate_gradient, &mut up_gradient);
        start.elapsed()
    };
    let work = |arrays: usize| Work::Bytes(arrays * length * size_of::<E>());
    [
        Operation::new("swiglu forward", work(3), move || gated::forward(Gate::Silu, &gate, &up, &mut out)),
        Operation { name: "swiglu backward", work: work(5), run: Box::new(backward) },
    ]
}

fn dropouts<E: Element>() -> [Operation; 2] {
    const P: f32 = 0.05;
    let (words_a_row, keys) = (HIDDEN.div_ceil(32), (0..ROWS as u64).collect::<Vec<_>>());
    let mut words = vec![0; ROWS * words_a_row];
    dropout::draw(8, &keys, HIDDEN, P, &mut words);
    let kept = words.iter().map(|word| f64::from(word.count_ones())).sum::<f64>() / (ROWS * HIDDEN) as f64;
    // Five standard deviations of the share.
    assert!((kept - 0.95).abs() < 0.0012, "{kept} of the values are kept");

    let (input, scale, mut out) =
        (values::<E>(ROWS * HIDDEN, 9), 1.0 / (1.0 - P), vec![E::default(); ROWS * HIDDEN]);
    let drawn = words.clone();
    dropout::apply(Matrix::new(&input, ROWS, HIDDEN), Mask { words: &words, words_a_row, scale }, &mut out);
    let exact = wide(&input).into_iter().enumerate().map(|(index, value)| {
        let (row, column) = (index / HIDDEN, index % HIDDEN);
        let bit = drawn[row * words_a_row + column / 32] >> (column % 32) & 1;
        value * f64::from(scale) * f64::from(bit)
    });
    same("dropout", &out, &exact.collect::<Vec<_>>());
    [
        Operation::new("dropout draw", Work::Bytes(4 * words.len()), move || {
            dropout::draw(8, &keys, HIDDEN, P, &mut words);
        }),
        Operation::new("dropout apply", Work::Bytes(2 * ROWS * HIDDEN * size_of::<E>()), move || {
            let mask = Mask { words: &drawn, words_a_row, scale };
            dropout::apply(Matrix::new(&input, ROWS, HIDDEN), mask, &mut out);
        }),
    ]
}

fn cross_entropy() -> Operation {
    let (logits, mut gradient) = (values::<f32>(ROWS * CLASSES, 10), vec![0.0; ROWS * CLASSES]);
    let targets: Vec<u32> = (0..ROWS).map(|row| (row % CLASSES) as u32).collect();
    let options = LossOptions::default();
    let sum = loss::cross_entropy(&logits, Targets::Classes(&targets), CLASSES, &options, 0.5, &mut gradient);
    let (mut exact, mut exact_gradient) = (0.0, Vec::new());
    for (logits, &target) in wide(&logits).chunks(CLASSES).zip(&targets) {
        let total: f64 = logits.iter().map(|logit| logit.exp()).sum();
        exact -= (logits[target as usize].exp() / total).ln();
        let right = |class: usize| f64::from(u8::from(class == target as usize));
        exact_gradient.extend((0..CLASSES).map(|class| 0.5 * (logits[class].exp() / total - right(class))));
    }
    assert!((sum - exact).abs() < 1e-6 * exact, "the loss is {sum}, not {exact}");
    same("the loss's gradient", &gradient, &exact_gradient);
    Operation::new("cross-entropy", Work::Bytes(ROWS * CLASSES * 8), move || {
        let targets = Targets::Classes(&targets);
        std::hint::black_box(loss::cross_entropy(&logits, targets, CLASSES, &options, 0.5, &mut gradient));
    })
}

fn adamw_step() -> Operation {
    let settings = AdamW { learning_rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.01 };
    let (start, gradient) = (values::<f32>(PARAMETERS, 11), values::<f32>(PARAMETERS, 12));
    let (mut values, mut first, mut second) = (start.clone(), vec![0.0; PARAMETERS], vec![0.0; PARAMETERS]);
    adamw::step(&settings, 1, &mut values, &gradient, &mut first, &mut second);
    // The first step's corrected moments are the gradient and its square.
    let exact = wide(&start)
        .into_iter()
        .zip(wide(&gradient))
        .map(|(value, gradient)| value * (1.0 - 1e-3 * 0.01) - 1e-3 * gradient / (gradient.abs() + 1e-8));
    same("AdamW", &values, &exact.collect::<Vec<_>>());
    Operation::new("AdamW", Work::Bytes(PARAMETERS * 28), move || {
        adamw::step(&settings, 2, &mut values, &gradient, &mut first, &mut second);
    })
}

/// A prefix and examples behind it, in packed rows.
fn segments() -> Vec<Segment> {
    let mut all = vec![Segment {
        first_query: 0,
        queries: PREFIX,
        first_key: 0,
        keys: PREFIX,
        parent: None,
        context: 0,
        shared: true,
        first_partial: 0,
    }];
    let mut first = PREFIX;
    for example in 0..EXAMPLES {
        let rows = 56 + 5 * example;
        let first_partial = PREFIX * all.len();
        all.push(Segment {
            first_query: first,
            queries: rows,
            first_key: first,
            keys: rows,
            parent: Some(0),
            context: PREFIX,
            shared: false,
            first_partial,
        });
        first += rows;
    }
    all
}

fn attentions<E: Element>() -> Vec<Operation> {
    let segments = segments();
    let shape = AttentionShape {
        heads: HEADS,
        key_value_heads: KEY_VALUE_HEADS,
        head_size: HEAD_SIZE,
        scores: Scores::plain(HEAD_SIZE),
        segments: &segments,
    };
    let (rows, queries, keys) = (shape.key_rows(), HEADS * HEAD_SIZE, KEY_VALUE_HEADS * HEAD_SIZE);
    let data = Attention {
        q: values(rows * queries, 13),
        k: values(rows * keys, 14),
        v: values(rows * keys, 15),
        out_gradient: values(rows * queries, 16),
        out: vec![E::default(); rows * queries],
        logsumexp: vec![0.0; rows * HEADS],
        gradients: [queries, keys, keys].map(|columns| vec![E::default(); rows * columns]),
        partial: vec![0.0; segments.len() * PREFIX * 2 * keys],
        segments,
    };
    let seen = |segment: &Segment| segment.queries * segment.context + segment.keys * (segment.keys + 1) / 2;
    let scores: usize = data.segments.iter().map(seen).sum::<usize>() * HEADS;
    let (mut forward, mut backward) = (data.clone(), data);
    backward.run(Side::Forward);
    backward.run(Side::Backward);
    backward.validate();
    // Two products forward; backward the scores again and four gradients.
    vec![
        Operation::new("attention forward", Work::Arithmetic(2 * 2 * scores * HEAD_SIZE), move || {
            forward.run(Side::Forward);
        }),
        Operation::new("attention backward", Work::Arithmetic(5 * 2 * scores * HEAD_SIZE), move || {
            backward.run(Side::Backward);
        }),
    ]
}

/// An attention's operands and results.
#[derive(Clone)]
struct Attention<E> {
    segments: Vec<Segment>,
    q: Vec<E>,
    k: Vec<E>,
    v: Vec<E>,
    out_gradient: Vec<E>,
    out: Vec<E>,
    logsumexp: Vec<f32>,
    /// Of queries, keys and values.
    gradients: [Vec<E>; 3],
    partial: Vec<f32>,
}

impl<E: Element> Attention<E> {
    fn run(&mut self, side: Side) {
        let shape = AttentionShape {
            heads: HEADS,
            key_value_heads: KEY_VALUE_HEADS,
            head_size: HEAD_SIZE,
            scores: Scores::plain(HEAD_SIZE),
            segments: &self.segments,
        };
        let rows = shape.key_rows();
        let inputs = Inputs {
            queries: Matrix::new(&self.q, rows, HEADS * HEAD_SIZE),
            keys: Matrix::new(&self.k, rows, KEY_VALUE_HEADS * HEAD_SIZE),
            values: Matrix::new(&self.v, rows, KEY_VALUE_HEADS * HEAD_SIZE),
        };
        if side == Side::Forward {
            return attention::forward(&shape, &inputs, &mut self.out, &mut self.logsumexp);
        }
        let [queries, keys, values] = &mut self.gradients;
        let gradients = Gradients { queries, keys, values, partial: &mut self.partial };
        attention::backward(&shape, &inputs, &self.out, &self.logsumexp, &self.out_gradient, gradients);
    }

    /// The last row of the last example, which alone sees its own key: its output and all its gradients in f64.
    fn validate(&self) {
        let segment = *self.segments.last().expect("an example");
        let last = segment.first_query + segment.queries - 1;
        let seen: Vec<usize> = (0..segment.context).chain(segment.first_key..=last).collect();
        let slice = |data: &[E], row: usize, heads: usize, head: usize| {
            wide(&data[(row * heads + head) * HEAD_SIZE..][..HEAD_SIZE])
        };
        let group = HEADS / KEY_VALUE_HEADS;
        let (mut key_gradient, mut value_gradient) = ([0.0; HEAD_SIZE], [0.0; HEAD_SIZE]);
        for head in 0..group {
            let query = slice(&self.q, last, HEADS, head);
            let keys: Vec<_> = seen.iter().map(|&row| slice(&self.k, row, KEY_VALUE_HEADS, 0)).collect();
            let values: Vec<_> = seen.iter().map(|&row| slice(&self.v, row, KEY_VALUE_HEADS, 0)).collect();
            let scale = (HEAD_SIZE as f64).sqrt();
            let weights: Vec<f64> = keys.iter().map(|key| (dot(&query, key) / scale).exp()).collect();
            let total: f64 = weights.iter().sum();
            let sum = |factors: &[f64], rows: &[Vec<f64>]| -> Vec<f64> {
                let column = |column: usize| factors.iter().zip(rows).map(|(f, row)| f * row[column]).sum();
                (0..HEAD_SIZE).map(column).collect()
            };
            let weights: Vec<f64> = weights.iter().map(|weight| weight / total).collect();
            let out = sum(&weights, &values);
            same("attention", &self.out[(last * HEADS + head) * HEAD_SIZE..][..HEAD_SIZE], &out);
            let gradient = slice(&self.out_gradient, last, HEADS, head);
            let pull = dot(&gradient, &out);
            let slope = |(weight, value): (&f64, &Vec<f64>)| weight * (dot(&gradient, value) - pull) / scale;
            let slopes: Vec<f64> = weights.iter().zip(&values).map(slope).collect();
            let found = &self.gradients[0][(last * HEADS + head) * HEAD_SIZE..][..HEAD_SIZE];
            same("queries' gradient", found, &sum(&slopes, &keys));
            for column in 0..HEAD_SIZE {
                key_gradient[column] += slopes[seen.len() - 1] * query[column];
                value_gradient[column] += weights[seen.len() - 1] * gradient[column];
            }
        }
        let row = last * KEY_VALUE_HEADS * HEAD_SIZE;
        same("keys' gradient", &self.gradients[1][row..][..HEAD_SIZE], &key_gradient);
        same("values' gradient", &self.gradients[2][row..][..HEAD_SIZE], &value_gradient);
    }
}

/// Bytes a second, read and written, of the best of five copies of an array that no cache holds.
fn copy_bandwidth() -> f64 {
    let from = vec![1u8; 256 << 20];
    let mut to = vec![0u8; from.len()];
    let mut copy = || {
        let start = Instant::now();
        to.par_chunks_mut(1 << 20)
            .zip(from.par_chunks(1 << 20))
            .for_each(|(to, from)| to.copy_from_slice(from));
        start.elapsed()
    };
    let best = (0..5).map(|_| copy()).min().expect("five copies");
    2.0 * from.len() as f64 / best.as_secs_f64()
}

/// Prints the median speed of each operation and its share of the peak.
fn table(precision: &str, operations: &mut [Operation], arithmetic: f64, bandwidth: f64) {
    for operation in operations {
        let mut times: Vec<Duration> = (0..21).map(|_| (operation.run)()).collect();
        times.sort();
        let seconds = times[times.len() / 2].as_secs_f64();
        let (speed, unit, peak) = match operation.work {
            Work::Bytes(bytes) => (bytes as f64 / seconds, "GB/s", bandwidth),
            Work::Arithmetic(count) => (count as f64 / seconds, "GFLOP/s", arithmetic),
        };
        println!(
            "{precision:5}{:20} {:8.0} µs {:8.1} {unit:8} {:5.1} % of peak",
            operation.name,
            seconds * 1e6,
            speed / 1e9,
            100.0 * speed / peak
        );
    }
}

fn criterion_group(criterion: &mut Criterion, precision: &str, operations: &mut [Operation]) {
    let mut group = criterion.benchmark_group(precision);
    for operation in operations {
        group.throughput(match operation.work {
            Work::Bytes(bytes) => Throughput::Bytes(bytes as u64),
            Work::Arithmetic(count) => Throughput::Elements(count as u64),
        });
        group.bench_function(BenchmarkId::from_parameter(operation.name), |bencher| {
            bencher.iter_custom(|count| (0..count).map(|_| (operation.run)()).sum())
        });
    }
}

fn main() {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a thread pool");
    pool.install(|| {
        let peaks = [peak::gflops::<bf16>(10), peak::gflops::<f32>(10)];
        let bandwidth = copy_bandwidth();
        println!(
            "{threads} threads, peak {:.0} GFLOP/s in bf16, {:.0} in f32, copies at {:.1} GB/s",
            peaks[0],
            peaks[1],
            bandwidth / 1e9
        );
        let mut wide = operations::<f32>();
        wide.extend(f32_operations());
        let mut all = [("bf16", operations::<bf16>(), peaks[0]), ("f32", wide, peaks[1])];
        for (precision, operations, peak) in &mut all {
            table(precision, operations, *peak * 1e9, bandwidth);
        }
        let mut criterion = Criterion::default().configure_from_args().sample_size(20);
        for (precision, operations, _) in &mut all {
            criterion_group(&mut criterion, precision, operations);
        }
        criterion.final_summary();
    });
}

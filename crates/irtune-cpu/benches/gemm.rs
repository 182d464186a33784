//! GEMMs on the shapes of real models, against the peak of the same machine's arithmetic.
//!
//! `cargo bench -p irtune-cpu --bench gemm` validates each GEMM against a slow sum, prints a table of GFLOP/s and the
//! share of the measured peak, and then lets criterion time the same GEMMs.
//! A second table has every quantised format beside Q4_1.
//! `IRTUNE_RESULTS=FILE` also writes the table as JSON, `IRTUNE_SHAPES=N` keeps to the first N shapes of the first table,
//! `IRTUNE_TRIES=N` takes the median of N runs, `IRTUNE_THREADS=N` sets the threads.
#![allow(clippy::disallowed_macros, reason = "a benchmark prints its figures")]

use std::{fmt::Write as _, time::Instant};

use criterion::{BenchmarkId, Criterion, Throughput};
use irtune_cpu::{
    Element, Level, Matrix, MatrixMut, bf16,
    gemm::{Integers, Output, Term, gemm, peak},
    has_vnni, level,
};
use irtune_device::{Format, Side, WeightView};

/// Rows of an average batch of 16 sentence pairs.
const ROWS: usize = 1550;

/// N and K of linear layers: SmolLM2-135M, Llama-3.2-1B, Llama-3.1-8B.
const SHAPES: [(usize, usize); 10] = [
    (576, 576),
    (192, 576),
    (1536, 576),
    (576, 1536),
    (2048, 2048),
    (8192, 2048),
    (2048, 8192),
    (4096, 4096),
    (14336, 4096),
    (4096, 14336),
];

/// N and K whose rows fill blocks of 256: of Qwen2.5-1.5B's layers.
const WIDE: [(usize, usize); 3] = [(1536, 1536), (8960, 1536), (1536, 8960)];

struct Case<E> {
    n: usize,
    k: usize,
    side: Side,
    format: Format,
    /// The integers it is made in.
    integers: Option<Integers>,
    weight: Vec<u8>,
    a: Vec<E>,
    out: Vec<E>,
}

impl<E: Element> Case<E> {
    fn new(n: usize, k: usize, side: Side, format: Format, integers: Option<Integers>) -> Self {
        let (rows, columns) = if side == Side::Forward { (n, k) } else { (k, n) };
        let row_bytes = format.row_bytes(columns).expect("whole blocks");
        // Any bytes are codes; scales are set to small numbers.
        let mut weight: Vec<u8> = (0..rows * row_bytes).map(|index| (index * 197 % 251) as u8).collect();
        for block in weight.chunks_exact_mut(format.block().1) {
            for (&place, number) in format.halves().iter().zip([[0x00, 0x20], [0x00, 0xa4]]) {
                block[place..place + 2].copy_from_slice(&number);
            }
            if format == Format::MXFP4 {
                block[0] = 120;
            }
        }
        let a = (0..ROWS * k).map(|index| E::from_f32((index % 17) as f32 / 17.0 - 0.5)).collect();
        let out = vec![E::default(); ROWS * n];
        Self { n, k, side, format, integers, weight, a, out }.validated()
    }

    fn weight(&self) -> WeightView<'_> {
        let (rows, columns) = if self.side == Side::Forward { (self.n, self.k) } else { (self.k, self.n) };
        WeightView {
            format: self.format,
            rows,
            columns,
            bytes: &self.weight,
            interleaved_head: None,
            transposed: false,
            scales: None,
        }
    }

    fn run(&mut self) {
        let mut out = std::mem::take(&mut self.out);
        let a = Matrix::new(&self.a, ROWS, self.k);
        let term = Term {
            a,
            b: self.weight(),
            side: self.side,
            mask: None,
            integers: self.integers,
            prepacked: None,
        };
        gemm(&[term], 1.0, Output::Operand(MatrixMut::new(&mut out, ROWS, self.n)));
        self.out = out;
    }

    /// One GEMM, three of its values against sums in f64.
    fn validated(mut self) -> Self {
        self.run();
        let weight = self.weight();
        let mut rows = vec![vec![0.0; weight.columns]; weight.rows];
        rows.iter_mut().enumerate().for_each(|(row, out)| weight.decode_row(row, out));
        for (row, output) in [(0, 0), (ROWS / 2, self.n / 2), (ROWS - 1, self.n - 1)] {
            let exact: f64 = (0..self.k)
                .map(|inner| {
                    let weight =
                        if self.side == Side::Forward { rows[output][inner] } else { rows[inner][output] };
                    f64::from(self.a[row * self.k + inner].to_f32()) * f64::from(E::from_f32(weight).to_f32())
                })
                .sum();
            let found = f64::from(self.out[row * self.n + output].to_f32());
            let tolerance = if self.integers == Some(Integers::Int8) { 0.02 } else { 0.01 };
            assert!((found - exact).abs() <= tolerance * exact.abs().max(1.0), "{found} is not {exact}");
        }
        self
    }

    fn operations(&self) -> f64 {
        2.0 * (ROWS * self.n * self.k) as f64
    }

    fn precision(&self) -> &'static str {
        self.integers.map_or(E::NAME, Integers::name)
    }

    fn name(&self) -> String {
        format!("{} {:?} {} {}×{}", self.precision(), self.side, self.format.name(), self.n, self.k)
    }
}

/// An environment variable that is a number.
fn setting(name: &str, default: usize) -> usize {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")),
        Err(_) => default,
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Times GEMMs and the peak in turn, so that a drifting machine changes both.
fn table<E: Element>(format: Format, integers: Option<Integers>, json: &mut String) {
    for (n, k) in SHAPES.into_iter().take(setting("IRTUNE_SHAPES", SHAPES.len())) {
        for side in [Side::Forward, Side::Backward] {
            let mut case = Case::<E>::new(n, k, side, format, integers);
            let (mut speeds, mut shares) = (Vec::new(), Vec::new());
            for _ in 0..setting("IRTUNE_TRIES", 11).max(1) {
                let peak = match integers {
                    Some(Integers::Int8) => peak::int8_gflops(1),
                    _ => peak::gflops::<E>(1),
                };
                let start = Instant::now();
                case.run();
                let speed = case.operations() / start.elapsed().as_secs_f64() / 1e9;
                speeds.push(speed);
                shares.push(speed / peak);
            }
            let (speed, share) = (median(speeds), median(shares));
            println!("{:40} {speed:7.0} GFLOP/s {:5.1} % of peak", case.name(), 100.0 * share);
            let comma = if json.is_empty() { "" } else { ",\n" };
            let (name, precision) = (case.name(), case.precision());
            let side = if side == Side::Forward { "forward" } else { "backward" };
            write!(
                json,
                "{comma}  {{\"product\": \"{name}\", \"precision\": \"{precision}\", \"side\": \"{side}\", \
                 \"outputs\": {n}, \"summed\": {k}, \"gflops\": {speed:.1}, \
                 \"share_of_peak\": {share:.4}}}"
            )
            .expect("writing to memory");
        }
    }
}

/// Times GEMMs with every quantised format of a GGUF and the peak in turn; `IRTUNE_FORMATS` keeps to some, by their names.
fn formats_table<E: Element>(integers: Option<Integers>, json: &mut String) {
    let kept = std::env::var("IRTUNE_FORMATS");
    let is_kept = |format: &Format| match &kept {
        Ok(names) => names.split(',').any(|name| name == format.name()) || *format == Format::Q4_1,
        Err(_) => format.is_self_contained() && format.block().0 > 1,
    };
    let formats: Vec<Format> = Format::ALL.into_iter().filter(is_kept).collect();
    for (n, k) in WIDE {
        for side in [Side::Forward, Side::Backward] {
            let mut cases: Vec<_> =
                formats.iter().map(|&format| Case::<E>::new(n, k, side, format, integers)).collect();
            let mut speeds = vec![Vec::new(); cases.len()];
            let mut peaks = Vec::new();
            for _ in 0..setting("IRTUNE_TRIES", 11).max(1) {
                peaks.push(match integers {
                    Some(Integers::Int8) => peak::int8_gflops(1),
                    _ => peak::gflops::<E>(1),
                });
                for (case, speeds) in cases.iter_mut().zip(&mut speeds) {
                    let start = Instant::now();
                    case.run();
                    speeds.push(case.operations() / start.elapsed().as_secs_f64() / 1e9);
                }
            }
            let speeds: Vec<f64> = speeds.into_iter().map(median).collect();
            let beside = formats.iter().position(|&format| format == Format::Q4_1).expect("Q4_1 is kept");
            let (peak, beside) = (median(peaks), speeds[beside]);
            for (case, speed) in cases.iter().zip(speeds) {
                println!(
                    "{:40} {speed:7.0} GFLOP/s {:5.1} % of peak {:6.3} of Q4_1",
                    case.name(),
                    100.0 * speed / peak,
                    speed / beside
                );
                let comma = if json.is_empty() { "" } else { ",\n" };
                write!(
                    json,
                    "{comma}  {{\"product\": \"{}\", \"gflops\": {speed:.1}, \"share_of_peak\": {:.4}, \
                     \"share_of_q4_1\": {:.4}}}",
                    case.name(),
                    speed / peak,
                    speed / beside
                )
                .expect("writing to memory");
            }
        }
    }
}

fn criterion_group<E: Element>(criterion: &mut Criterion, format: Format, integers: Option<Integers>) {
    let mut group = criterion.benchmark_group(format!("gemm {}", integers.map_or(E::NAME, Integers::name)));
    for (n, k) in &SHAPES[..4] {
        for side in [Side::Forward, Side::Backward] {
            let mut case = Case::<E>::new(*n, *k, side, format, integers);
            group.throughput(Throughput::Elements(case.operations() as u64));
            group.bench_function(BenchmarkId::from_parameter(case.name()), |bencher| {
                bencher.iter(|| case.run())
            });
        }
    }
}

fn main() {
    let threads = setting("IRTUNE_THREADS", std::thread::available_parallelism().map_or(1, usize::from));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a thread pool");
    pool.install(|| {
        let (bf16_peak, f32_peak) = (peak::gflops::<bf16>(20), peak::gflops::<f32>(20));
        println!("{threads} threads, peak {bf16_peak:.0} GFLOP/s in bf16, {f32_peak:.0} in f32, {ROWS} rows");
        let (mut json, mut formats) = (String::new(), String::new());
        // What `precision = "auto"` takes on this processor, and f32.
        let integers = (level() != Level::Avx512Bf16).then_some(Integers::Int16);
        table::<bf16>(Format::Q4_1, integers, &mut json);
        if has_vnni() {
            table::<bf16>(Format::Q4_1, Some(Integers::Int8), &mut json);
        }
        table::<f32>(Format::Q4_1, None, &mut json);
        formats_table::<bf16>(integers, &mut formats);
        if has_vnni() {
            formats_table::<bf16>(Some(Integers::Int8), &mut formats);
        }
        formats_table::<f32>(None, &mut formats);
        if let Ok(path) = std::env::var("IRTUNE_RESULTS") {
            let text = format!(
                "{{\"threads\": {threads}, \"rows\": {ROWS}, \"peak_gflops\": {{\"bf16\": {bf16_peak:.1}, \
                 \"f32\": {f32_peak:.1}}}, \"products\": [\n{json}\n], \"formats\": [\n{formats}\n]}}\n"
            );
            std::fs::write(&path, text).unwrap_or_else(|error| panic!("{path}: {error}"));
        }
        let mut criterion = Criterion::default().configure_from_args().sample_size(20);
        criterion_group::<bf16>(&mut criterion, Format::Q4_1, integers);
        if has_vnni() {
            criterion_group::<bf16>(&mut criterion, Format::Q4_1, Some(Integers::Int8));
        }
        criterion_group::<f32>(&mut criterion, Format::Q4_1, None);
        criterion.final_summary();
    });
}

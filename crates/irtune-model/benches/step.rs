//! One training step's parts on a real base: inference, forward and backward, update; and its arithmetic efficiency.
//!
//! `IRTUNE_BASE=model.gguf cargo bench -p irtune-model --bench step`; without a base the tiny golden one is used.
//! `IRTUNE_LOWEST=N` trains layers N and above only, `IRTUNE_DROPOUT=0.05` sets dropout, `IRTUNE_PRECISION=f32` the
//! precision.
#![allow(clippy::disallowed_macros, reason = "a benchmark prints its figures")]

#[path = "../tests/suite/tiny/engine.rs"]
mod engine;

use std::{env, path::PathBuf, sync::Arc, time::Instant};

use engine::{EngineOptions, engine};
use irtune_cpu::{bf16, gemm::peak};
use irtune_model::{
    AdamW, Base, DropoutKey, LoraConfig, ModelConfig, PackedBatch, Precision, Projection, SHORTEST_SHARED,
    Trained,
};

const TARGETS: [Projection; 5] =
    [Projection::QProj, Projection::KProj, Projection::VProj, Projection::UpProj, Projection::DownProj];
const PREFIX: usize = 44;
const EXAMPLES: usize = 16;

/// An environment variable, parsed.
fn setting<T: std::str::FromStr>(name: &str, default: T) -> T {
    match env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}={text} is not usable")),
        Err(_) => default,
    }
}

/// Multiplications and additions per token of the layers' linear maps, forward and input gradient, with the adapters'.
fn operations_a_token(config: &ModelConfig, rank: usize) -> f64 {
    let size = |projection: Projection| {
        let (outputs, inputs) = config.projection_shape(projection);
        (outputs * inputs, rank * (outputs + inputs))
    };
    let frozen: usize = config.projections().map(|projection| size(projection).0).sum();
    let adapters: usize = TARGETS.into_iter().map(|projection| size(projection).1).sum();
    (config.layers * (4 * frozen + 6 * adapters)) as f64
}

fn main() {
    let tiny = irtune_testing::golden::tiny_llama("six_layers");
    let path = env::var("IRTUNE_BASE").map_or(tiny, PathBuf::from);
    let base = Arc::new(Base::open(&path).unwrap_or_else(|error| panic!("{error}")));
    let config = base.config.clone();
    let adapter = LoraConfig {
        rank: 32,
        alpha: 64.0,
        dropout: setting("IRTUNE_DROPOUT", 0.05),
        ..LoraConfig::over(TARGETS.to_vec())
    };
    let token = |index: usize, seed: usize| ((index * 7919 + seed * 31) % config.vocabulary_size) as u32;
    let tokens = |length: usize, seed: usize| (0..length).map(move |index| token(index, seed));
    let examples: Vec<Vec<u32>> = (0..EXAMPLES)
        .map(|example| tokens(PREFIX, 3).chain(tokens(56 + 5 * example, example + 100)).collect())
        .collect();
    let batch = PackedBatch::pack(&examples, SHORTEST_SHARED).expect("a batch");
    let count = batch.tokens.len();
    let targets: Vec<u32> = (0..EXAMPLES as u32).map(|example| example % 5).collect();
    let lowest = setting("IRTUNE_LOWEST", 0);
    let active: Vec<bool> = (0..config.layers).map(|layer| layer >= lowest).collect();
    let adamw = AdamW { learning_rate: 2e-4, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.0 };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a thread pool");
    pool.install(|| {
        let precision = irtune_cpu::resolve_precision(setting("IRTUNE_PRECISION", Precision::Auto));
        let options =
            EngineOptions { precision, threads, max_tokens: count, max_examples: EXAMPLES, training: true, memory_bytes: None };
        let mut engine = engine(base, Trained::Adapter(adapter.into()), 5, 1, options).unwrap_or_else(|error| panic!("{error}"));
        let peak = peak::gflops::<bf16>(10);
        println!("{count} tokens, {threads} threads, {}, bf16 peak {peak:.0} GFLOP/s", engine.precision());
        let mut logits = Vec::new();
        for step in 0..6 {
            let start = Instant::now();
            engine.logits(&batch, &mut logits).expect("logits");
            let inference = start.elapsed().as_secs_f64();
            let start = Instant::now();
            engine.zero_gradients();
            let key = Some(DropoutKey { seed: 1, step });
            let loss = engine.accumulate(&batch, &targets, &active, true, EXAMPLES as f64, key).expect("gradients");
            let gradients = start.elapsed().as_secs_f64();
            engine.update(&active, true, &adamw).expect("an update");
            let whole = start.elapsed().as_secs_f64();
            let speed = operations_a_token(&config, 32) * count as f64 / whole / 1e9;
            println!(
                "inference {inference:.3} s, gradients {gradients:.3} s, update {:.3} s, loss {:.3}: {:.2} examples/s, \
                 {:.0} tokens/s, {:.0} % of peak if all layers train",
                whole - gradients,
                loss / EXAMPLES as f64,
                EXAMPLES as f64 / whole,
                count as f64 / whole,
                100.0 * speed / peak
            );
        }
    });
}

//! A warm training step allocates nothing: counted by an allocator that sees every thread.

#[path = "suite/tiny/engine.rs"]
mod engine;

use std::sync::Arc;

use engine::{EngineOptions, engine};
use irtune_model::{
    AdamW, AdapterConfig, Base, BottleneckActivation, BottleneckConfig, BottleneckPlace, ChangedTokens,
    CounterScaling, DoraConfig, DropoutKey, Engine, Head, HeadInput, Ia3Config, LoraConfig, LoraInit,
    PackedBatch, Precision, Trained,
};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

const ADAMW: AdamW =
    AdamW { learning_rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.0 };

fn step(
    engine: &mut dyn Engine,
    batch: &PackedBatch,
    active: &[bool],
    step: u64,
    norms: &mut Vec<f64>,
) -> f64 {
    engine.zero_gradients();
    let dropout = Some(DropoutKey { seed: 1, step });
    let loss = engine.accumulate(batch, &[0, 1, 2], active, true, 3.0, dropout).expect("a step");
    for layer in 0..active.len() {
        engine.gradient_norms(layer, norms);
    }
    engine.scale_gradients(active, true, 0.5);
    engine.update(active, true, &ADAMW).expect("an update");
    loss
}

fn blocks() -> u64 {
    dhat::HeapStats::get().total_blocks
}

// One test, since the counter is the process's.
#[test]
fn a_warm_step_allocates_nothing_and_a_growing_batch_does() {
    let _profiler = dhat::Profiler::builder().testing().build();
    let folder = irtune_testing::golden::tiny_llama("six_layers");
    let base = Arc::new(Base::open(&folder).expect("the golden's base"));
    let adapter = LoraConfig {
        rank: 4,
        alpha: 8.0,
        dropout: 0.1,
        ..LoraConfig::over(base.config.projections().collect())
    };
    let targets = || base.config.projections().collect();
    let bottleneck = |activation, place| {
        AdapterConfig::from(BottleneckConfig {
            size: 5,
            activation,
            place,
            ..BottleneckConfig::over(targets())
        })
    };
    let plus = LoraConfig { learning_rate_ratio: 4.0, init: LoraInit::Pissa, ..adapter.clone() };
    let adapters = [
        adapter.clone().into(),
        plus.into(),
        DoraConfig::of(adapter.clone()).into(),
        DoraConfig { lora: adapter, detach_norm: false }.into(),
        bottleneck(BottleneckActivation::Tanh, BottleneckPlace::Parallel),
        bottleneck(BottleneckActivation::Gelu, BottleneckPlace::Serial),
        Ia3Config { target_modules: targets() }.into(),
    ];
    let pack = |examples: &[Vec<u32>]| PackedBatch::pack(examples, 1).expect("a batch");
    let small = pack(&[vec![5, 6, 7, 8], vec![5, 6, 9], vec![5, 6, 3, 2, 1]]);
    let large = pack(&[vec![5, 6, 7, 8, 9, 10], vec![5, 6, 9], vec![5, 6, 3, 2, 1]]);
    let marked = |batch: &PackedBatch| {
        let mut batch = batch.clone();
        let change = ChangedTokens { removed: &[1], added: &[0, 2], counters: &[2.0] };
        batch.set_changes([change; 3]).expect("changes");
        batch
    };
    let (marked_small, marked_large) = (marked(&small), marked(&large));
    // On the pool's own thread, as a run is: work handed in from outside goes through a queue that allocates.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("two threads");
    pool.install(|| {
        let precisions = [Precision::F32, Precision::Bf16, Precision::Int16, Precision::Int8];
        let cases = adapters.iter().flat_map(|adapter| {
            precisions
                .into_iter()
                .flat_map(move |precision| ["pooled", "edit", "words"].map(|head| (adapter, precision, head)))
        });
        for (adapter, precision, head) in cases {
            let options = EngineOptions {
                precision,
                threads: 2,
                max_tokens: 8,
                max_examples: 3,
                training: true,
                memory_bytes: None,
            };
            let scaling = CounterScaling::of(&["words"], [&[1.0f32][..], &[3.0]].into_iter());
            let input = if head == "edit" { HeadInput::Edit(scaling) } else { HeadInput::Pooled };
            let [small, large] =
                if head == "edit" { [&marked_small, &marked_large] } else { [&small, &large] };
            let trained = Trained::Adapter(adapter.clone());
            let mut engine =
                engine(base.clone(), trained, Head { labels: 5, input }, 1, options).expect("an engine");
            if head == "words" {
                let words = [vec![11], vec![12, 13], vec![14, 15, 16], vec![12, 17], vec![18]];
                engine.classify_by_words(words.to_vec()).expect("words");
            }
            let (all, mut norms) = ([true; 6], Vec::new());
            for warm in 0..3 {
                step(engine.as_mut(), small, &all, warm, &mut norms);
            }
            let before = blocks();
            let mut losses = 0.0;
            for (index, active) in [all, [false, true, false, true, true, false], all].iter().enumerate() {
                losses += step(engine.as_mut(), small, active, 3 + index as u64, &mut norms);
            }
            assert_eq!(
                blocks() - before,
                0,
                "allocations in three warm steps, {precision}, {head}, {adapter:?}"
            );
            assert!(losses.is_finite());
            step(engine.as_mut(), large, &all, 6, &mut norms);
            assert!(blocks() > before, "a larger batch makes the buffers grow: the counter counts");
        }
        // Ten tokens either way, but what attention adds to shared rows is longer than was foreseen.
        let options = EngineOptions {
            precision: Precision::F32,
            threads: 2,
            max_tokens: 10,
            max_examples: 5,
            training: true,
            memory_bytes: None,
        };
        let mut engine =
            engine(base.clone(), Trained::Adapter(adapters[0].clone()), 5, 1, options).expect("an engine");
        let apart = pack(&[vec![1, 2], vec![3, 4], vec![5, 6], vec![7, 8], vec![9, 10]]);
        let shared = pack(&[11, 12, 13, 14, 15].map(|last| vec![1, 2, 3, 4, 5, last]));
        let mut logits = Vec::new();
        engine.logits(&apart, &mut logits).expect("logits");
        let before = blocks();
        engine.logits(&shared, &mut logits).expect("logits");
        // All buffers together are some hundred blocks.
        let made = blocks() - before;
        assert!((1..=20).contains(&made), "{made} blocks for more shared rows");
    });
}

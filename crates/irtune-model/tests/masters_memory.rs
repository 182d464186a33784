//! What training the layers' own weights costs in memory: counted by an allocator that sees every thread.

#[path = "suite/tiny/engine.rs"]
mod engine;

use std::sync::Arc;

use engine::{EngineOptions, engine};
use irtune_model::{AdamW, Base, Engine, PackedBatch, Precision, Trained};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

const ADAMW: AdamW =
    AdamW { learning_rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.0 };
const LAYERS: usize = 6;

fn step(engine: &mut dyn Engine, batch: &PackedBatch, layers: &[usize], norms: &mut Vec<f64>) {
    let mut active = [false; LAYERS];
    layers.iter().for_each(|&layer| active[layer] = true);
    engine.zero_gradients();
    let loss = engine.accumulate(batch, &[0, 1, 2], &active, true, 3.0, None).expect("a step");
    assert!(loss.is_finite());
    layers.iter().for_each(|&layer| engine.gradient_norms(layer, norms));
    engine.scale_gradients(&active, true, 0.5);
    engine.update(&active, true, &ADAMW).expect("an update");
}

fn bytes() -> usize {
    dhat::HeapStats::get().curr_bytes
}

fn blocks() -> u64 {
    dhat::HeapStats::get().total_blocks
}

// One test, since the counter is the process's.
#[test]
fn memory_is_that_of_the_layers_that_trained() {
    let _profiler = dhat::Profiler::builder().testing().build();
    let folder = irtune_testing::golden::tiny_llama("six_layers");
    let base = Arc::new(Base::open(&folder).expect("the golden's base"));
    let matrices = base.config.projections().map(|projection| base.config.projection_shape(projection));
    let layer =
        4 * (2 * base.config.hidden_size + matrices.map(|(outputs, inputs)| outputs * inputs).sum::<usize>());
    let examples = [vec![5, 6, 7, 8], vec![5, 6, 9], vec![5, 6, 3, 2, 1]];
    let batch = PackedBatch::pack(&examples, 1).expect("a batch");
    // On the pool's own thread, as a run is: work handed in from outside goes through a queue that allocates.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("two threads");
    pool.install(|| {
        for precision in [Precision::F32, Precision::Bf16, Precision::Int16, Precision::Int8] {
            let options = EngineOptions {
                precision,
                threads: 2,
                max_tokens: 12,
                max_examples: 3,
                training: true,
                memory_bytes: None,
            };
            let make =
                || engine(base.clone(), Trained::Weights { lowest: 0 }, 5, 1, options).expect("an engine");
            let mut norms = Vec::with_capacity(16);

            // Layers that take turns without state of their own, as in BAdam: a master for each, and one gradient and two
            // moments in all.
            let mut engine = make();
            let mut all_logits = Vec::with_capacity(16);
            engine.logits(&batch, &mut all_logits).expect("logits");
            step(engine.as_mut(), &batch, &[], &mut norms);
            // Threads get their scratch in a layer's first steps; another engine takes those.
            let mut other = make();
            (0..3).for_each(|_| step(other.as_mut(), &batch, &[0, 1, 2, 3, 4, 5], &mut norms));
            drop(other);
            let before = bytes();
            for (turn, layer_in_turn) in [5, 3, 0].into_iter().enumerate() {
                for _ in 0..2 {
                    step(engine.as_mut(), &batch, &[layer_in_turn], &mut norms);
                }
                assert_eq!(bytes() - before, (turn + 1 + 3) * layer, "{precision}");
                engine.reset_optimizer(layer_in_turn);
            }

            // All of it is used again: nothing is allocated where these layers take turns once more.
            let before_blocks = blocks();
            for turn in [3, 5, 0, 3] {
                step(engine.as_mut(), &batch, &[turn], &mut norms);
                engine.reset_optimizer(turn);
            }
            assert_eq!(blocks() - before_blocks, 0, "allocations in warm steps, {precision}");
            step(engine.as_mut(), &batch, &[1], &mut norms);
            assert!(blocks() > before_blocks, "a layer trains for the first time: the counter counts");
            drop(engine);

            // Layers that keep their state, as in LISA: two gradients, and a master and two moments each.
            let mut engine = make();
            step(engine.as_mut(), &batch, &[], &mut norms);
            let before = bytes();
            for layers in [[0, 4], [2, 4], [0, 2]] {
                step(engine.as_mut(), &batch, &layers, &mut norms);
            }
            assert_eq!(bytes() - before, (3 * 3 + 2) * layer, "{precision}");
            let before_blocks = blocks();
            for layers in [[0, 4], [2, 4], [0, 2]] {
                step(engine.as_mut(), &batch, &layers, &mut norms);
            }
            assert_eq!(blocks() - before_blocks, 0, "allocations in warm steps, {precision}");
        }
    });
}

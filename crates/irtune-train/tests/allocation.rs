//! A warm training step, from the choice of the layers to the update, allocates nothing: counted by an allocator that
//! sees every thread.
#![allow(missing_docs)]

use std::{collections::BTreeMap, sync::Arc};

use irtune_data::{Example, ExampleChange, Target};
use irtune_model::{Base, CounterScaling, EngineOptions, Head, HeadInput, LoraConfig, Precision, Trained};
use irtune_select::method;
use irtune_train::devices::{DeviceOptions, engine};
use irtune_train::step::{StepBatch, StepRecipe, StepScratch, training_step};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

// One test, since the counter is the process's.
#[test]
fn a_warm_step_allocates_nothing() {
    let _profiler = dhat::Profiler::builder().testing().build();
    let folder = irtune_testing::golden::tiny_llama("six_layers");
    let base = Arc::new(Base::open(&folder).expect("the golden's base"));
    let adapter = LoraConfig {
        rank: 4,
        alpha: 8.0,
        dropout: 0.1,
        ..LoraConfig::over(base.config.projections().collect())
    };
    let tokens = [vec![5, 6, 7, 8], vec![5, 6, 9], vec![5, 6, 3, 2, 1], vec![5, 6, 4, 8]];
    let plain = tokens.map(|tokens| Example { tokens, target: Some(Target::Class(1)), ..Example::default() });
    let change = ExampleChange { removed: vec![1], added: vec![0, 2], counters: vec![2.0] };
    let changed = plain.clone().map(|example| Example { change: Some(change.clone()), ..example });
    let (plain, changed): (Vec<&Example>, Vec<&Example>) = (plain.iter().collect(), changed.iter().collect());
    let scaling = CounterScaling::of(&["words"], [&[2.0f32][..], &[4.0]].into_iter());
    let edit = HeadInput::Edit(scaling);
    let recipe = StepRecipe {
        batch_size: 2,
        micro_batch_tokens: 6,
        train_head: true,
        max_grad_norm: 1e-3,
        weight_decay: 0.01,
        seed: 3,
        dropout: true,
        norms_of_micro_batches: false,
    };
    // On the pool's own thread: work handed to a pool from outside goes through a queue that allocates now and then.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("two threads");
    pool.install(|| {
        for (name, precision, examples, input) in [
            ("ir", Precision::Bf16, &plain, &HeadInput::Pooled),
            ("ir-cost", Precision::F32, &plain, &HeadInput::Pooled),
            ("rst", Precision::F32, &plain, &HeadInput::Pooled),
            ("lisa", Precision::F32, &plain, &HeadInput::Pooled),
            ("badam", Precision::F32, &plain, &HeadInput::Pooled),
            ("fixed", Precision::F32, &plain, &HeadInput::Pooled),
            ("full", Precision::F32, &plain, &HeadInput::Pooled),
            ("ir", Precision::Bf16, &changed, &edit),
            ("full", Precision::F32, &changed, &edit),
        ] {
            let options =
                EngineOptions { max_tokens: 8, max_examples: 2, training: true, memory_bytes: None };
            let device = DeviceOptions { precision, threads: 2 };
            let trained = Trained::Adapter(adapter.clone().into());
            let head = Head { labels: 5, input: input.clone() };
            let mut engine = engine(device, base.clone(), trained, head, 1, options).expect("an engine");
            let mut policy = method(name).and_then(|method| method.build(6, &BTreeMap::new())).expect(name);
            let mut scratch = StepScratch::new(6);
            let mut train = |step| {
                let batch = StepBatch { step, examples, learning_rate: 1e-3 };
                training_step(engine.as_mut(), policy.as_mut(), &recipe, &batch, &mut scratch)
                    .expect("a step")
            };
            // Until every layer has trained once, so that all buffers have met their largest use.
            (0..8).for_each(|step| assert!(train(step).loss.is_finite()));
            let before = dhat::HeapStats::get().total_blocks;
            let losses: f64 = (8..14).map(|step| train(step).loss).sum();
            assert_eq!(
                dhat::HeapStats::get().total_blocks - before,
                0,
                "allocations in six warm steps of {name}, {input:?}"
            );
            assert!(losses.is_finite() && before > 0);
        }
    });
}

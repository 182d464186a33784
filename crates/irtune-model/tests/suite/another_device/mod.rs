//! A device that is not the CPU crate's: the engine trains through it to the same bits, and crosses the seam as rarely as
//! a device across a bus would need.

mod counted;

use std::sync::{Arc, atomic::Ordering::Relaxed};

use irtune_cpu::{Cpu, bf16};
use irtune_device::Device;
use irtune_model::{
    AdamW, AdapterConfig, ChangedTokens, CounterScaling, DoraConfig, DropoutKey, Engine, EngineOptions, Head,
    HeadInput, Ia3Config, LoraConfig, PackedBatch, Projection, StepReadings, Targets, Trained, TrainingPass,
    engine_over,
};

use crate::tiny::Tiny;
use counted::{Counted, Counts};

const ADAMW: AdamW =
    AdamW { learning_rate: 3e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.01 };
const LABEL_TOKENS: [&[u32]; 5] = [&[11], &[12, 13], &[14, 15, 16], &[12, 17], &[18]];

/// What tells the labels.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Teller {
    Pooled,
    Edit,
    Words,
}

/// A counter of a change.
const COUNTERS: [f32; 1] = [3.0];

impl Teller {
    fn head(self, labels: usize) -> Head {
        match self {
            Teller::Edit => {
                let scaling = CounterScaling::of(&["words"], [&COUNTERS[..], &[1.0]].into_iter());
                Head { labels, input: HeadInput::Edit(scaling) }
            }
            Teller::Pooled | Teller::Words => labels.into(),
        }
    }

    /// Marks changed tokens of what all examples share and of their own.
    fn mark(self, batch: &mut PackedBatch) {
        if self == Teller::Edit {
            let change = ChangedTokens { removed: &[2, 5], added: &[6], counters: &COUNTERS };
            batch.set_changes((0..batch.examples()).map(|_| change)).expect("changes");
        }
    }
}

fn made(device: impl Device + 'static, tiny: &Tiny, trained: &Trained, teller: Teller) -> Box<dyn Engine> {
    let options = EngineOptions { max_tokens: 64, max_examples: 4, training: true, memory_bytes: None };
    let mut engine =
        engine_over(device, tiny.base.clone(), trained.clone(), teller.head(tiny.labels), 1, options)
            .expect("an engine");
    if teller == Teller::Words {
        engine
            .classify_by_words(LABEL_TOKENS[..tiny.labels].iter().map(|tokens| tokens.to_vec()).collect())
            .expect("words");
    }
    engine
}

/// One step of two passes as a run makes it; what it read.
fn step(engine: &mut dyn Engine, tiny: &Tiny, teller: Teller, number: u64, active: &[bool]) -> StepReadings {
    engine.zero_gradients();
    engine.watch_cosines(number.is_multiple_of(2));
    for range in [0..2, 2..4] {
        let (mut batch, targets) = tiny.pack(range);
        teller.mark(&mut batch);
        let dropout = Some(DropoutKey { seed: 5, step: number });
        let pass = TrainingPass { active, train_head: true, normalizer: 4.0, dropout };
        engine.add_gradients(&batch, Targets::Classes(&targets), pass).expect("gradients");
    }
    let mut readings = StepReadings::default();
    engine.read_step(active, true, &mut readings);
    engine.scale_gradients(active, true, 0.5);
    engine.update(active, true, &ADAMW).expect("an update");
    readings
}

/// Trains over the plain device and the counted one, and compares bit by bit.
fn trains_alike<D: Device + 'static>(make: impl Fn() -> D, tiny: &Tiny, trained: &Trained, teller: Teller) {
    let counts = Arc::new(Counts::default());
    let mut plain = made(make(), tiny, trained, teller);
    let counted = Counted { inner: make(), counts: counts.clone() };
    let mut counted = made(counted, tiny, trained, teller);
    let all = vec![!matches!(trained, Trained::Head); tiny.layers];
    for number in 0..4 {
        let mut active = all.clone();
        active[number as usize % tiny.layers] = false;
        let before = counts.crossings();
        let operations = counts.operations.load(Relaxed);
        let found = step(&mut *counted, tiny, teller, number, &active);
        let crossings: Vec<usize> =
            counts.crossings().iter().zip(before).map(|(after, before)| after - before).collect();
        assert_eq!(crossings[0], 2, "one layout a pass, {trained:?}");
        assert_eq!(crossings[2..], [1, 0], "one read a step and no download, {trained:?}");
        assert_eq!(crossings[1], 0, "nothing else is uploaded, {trained:?}");
        assert!(counts.operations.load(Relaxed) > operations + 10 * tiny.layers);
        assert_eq!(found, step(&mut *plain, tiny, teller, number, &active), "{trained:?} step {number}");
        assert!(found.losses.len() == 2 && found.losses.iter().all(|loss| loss.is_finite()));
    }
    assert_eq!(counted.parameters(), plain.parameters(), "{trained:?}");
    assert_eq!(counted.optimizer_state(), plain.optimizer_state(), "{trained:?}");

    let examples: Vec<&[u32]> = tiny.examples.iter().map(Vec::as_slice).collect();
    let mut batch = PackedBatch::pack(&examples, 1).expect("examples pack");
    teller.mark(&mut batch);
    let (mut expected, mut found, before) = (Vec::new(), Vec::new(), counts.crossings());
    plain.logits(&batch, &mut expected).expect("logits");
    counted.logits(&batch, &mut found).expect("logits");
    assert_eq!(found, expected, "{trained:?}");
    let after = counts.crossings();
    assert_eq!(after[0] - before[0], 1, "one layout a batch");
    assert_eq!((after[2] + after[3]) - (before[2] + before[3]), 1, "logits are fetched once");
}

fn kinds(tiny: &Tiny) -> Vec<Trained> {
    let targets: Vec<Projection> = tiny.base.config.projections().collect();
    let lora = LoraConfig { rank: 3, alpha: 6.0, dropout: 0.2, ..LoraConfig::over(targets.clone()) };
    let adapters: [AdapterConfig; 3] =
        [lora.clone().into(), DoraConfig::of(lora).into(), Ia3Config { target_modules: targets }.into()];
    let adapters = adapters.into_iter().map(Trained::Adapter);
    [Trained::Head, Trained::Weights { lowest: 0 }].into_iter().chain(adapters).collect()
}

#[test]
fn another_device_trains_to_the_same_bits_and_is_read_once_a_step() {
    for case in [
        "tiny_llama/six_layers",
        "tiny_families/qwen3/biased",
        "tiny_families/gpt2/narrow",
        "tiny_families/phi/grouped",
    ] {
        let tiny = Tiny::bare(case);
        for trained in kinds(&tiny) {
            for teller in [Teller::Pooled, Teller::Edit] {
                trains_alike(|| Cpu::<f32>::new(1).expect("a device"), &tiny, &trained, teller);
                trains_alike(|| Cpu::<bf16>::new(1).expect("a device"), &tiny, &trained, teller);
            }
        }
    }
}

#[test]
fn words_are_read_once_too() {
    let tiny = Tiny::bare("tiny_llama/six_layers");
    for trained in kinds(&tiny) {
        trains_alike(|| Cpu::<f32>::new(1).expect("a device"), &tiny, &trained, Teller::Words);
    }
}

#[test]
fn a_batch_without_room_says_what_to_lower() {
    let tiny = Tiny::bare("tiny_llama/six_layers");
    let trained = Trained::Adapter(LoraConfig::over(tiny.base.config.projections().collect()).into());
    let options = EngineOptions { max_tokens: 1 << 56, max_examples: 4, training: true, memory_bytes: None };
    let device = Cpu::<f32>::new(1).expect("a device");
    let error = engine_over(device, tiny.base.clone(), trained, tiny.labels, 1, options).err();
    let message = error.expect("no room").to_string();
    assert!(message.contains("there is no room for a buffer of"), "{message}");
    assert!(message.contains("that are needed in all"), "{message}");
    for lower in ["--memory", "max_length", "micro_batch_tokens", "batch size"] {
        assert!(message.contains(lower), "{message}");
    }
}

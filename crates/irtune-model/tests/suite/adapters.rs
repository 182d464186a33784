//! Every kind of adapter held against PEFT, or PyTorch where PEFT has no such kind (`golden/adapters`), and against what
//! must hold of all of them.
use crate::tiny::{
    CASES, Tiny, compare_gradients,
    engine::{EngineOptions, engine},
    find, host_tensor, layer_of, name_of, options,
    slope::steepest,
};
use irtune_model::{
    AdamW, AdapterConfig, BottleneckActivation, BottleneckConfig, BottleneckPlace, DoraConfig, DropoutKey,
    Engine, HostTensor, Ia3Config, LoraConfig, LoraInit, ModelError, Precision, Projection, Targets, Trained,
    merged_weight, read_adapter,
};
use irtune_testing::golden::{Errors, Golden, assert_close, golden_folder, sections, tolerance};

const PRECISIONS: [Precision; 3] = [Precision::F32, Precision::Bf16, Precision::Int16];
const GOLDENS: [&str; 10] = [
    "rank_stabilised",
    "lora_plus",
    "pissa",
    "dora",
    "dora_with_norm",
    "ia3",
    "ia3_everywhere",
    "bottleneck",
    "bottleneck_relu",
    "bottleneck_serial",
];
const KEY: DropoutKey = DropoutKey { seed: 7, step: 3 };

/// A golden of an adapter over the tiny base of three layers.
struct Case {
    tiny: Tiny,
    golden: Golden,
    adapter: AdapterConfig,
    start: Vec<HostTensor>,
}

impl Case {
    fn open(name: &str, sections: &[&str]) -> Self {
        let sections: Vec<&str> = ["adapter"].iter().chain(sections).copied().collect();
        let golden = Golden::open(&format!("adapters/{name}"), &sections);
        let adapter = serde_json::from_value(golden.facts["adapter"].clone()).expect("settings");
        let start = golden.keys("adapter").iter().map(|key| host_tensor(&golden, "adapter/", key)).collect();
        Self { tiny: Tiny::bare(CASES[0]), golden, adapter, start }
    }

    fn engine(&self, precision: Precision) -> Box<dyn Engine> {
        let (base, adapter) = (self.tiny.base.clone(), Some(self.adapter.clone()));
        let mut made =
            engine(base, adapter.into(), self.tiny.labels, 1, options(precision)).expect("an engine");
        made.load_parameters(&self.start).expect("the golden's adapter fits");
        made
    }
}

/// A relu's slope jumps at 0: what 16 bits turn over there turns a whole gradient.
fn gradients_rung(adapter: &AdapterConfig) -> &'static str {
    match adapter {
        AdapterConfig::Bottleneck(bottleneck) if bottleneck.activation == BottleneckActivation::Relu => {
            "relu_gradients"
        }
        _ => "adapter_gradients",
    }
}

fn everywhere(sections: &[&str], check: impl Fn(&Case, Precision)) {
    for name in GOLDENS {
        for precision in PRECISIONS {
            let case = Case::open(name, sections);
            check(&case, precision);
            println!("{name} {}", name_of(precision));
            case.golden.passes();
        }
    }
}

#[test]
fn every_section_of_the_goldens_is_read_by_a_test() {
    let known = ["adapter", "start", "norms", "logits", "loss", "gradients", "trace", "merged"];
    for name in GOLDENS {
        let found = sections(&format!("adapters/{name}"));
        assert!(found.iter().all(|section| known.contains(&section.as_str())), "{name}: {found:?}");
    }
}

#[test]
fn logits_loss_and_every_gradient() {
    everywhere(&["logits", "loss", "gradients"], |case, precision| {
        let Case { tiny, golden, .. } = case;
        let tolerance = |rung| tolerance(rung, name_of(precision));
        let (batch, targets) = tiny.first();
        let mut engine = case.engine(precision);
        let mut logits = Vec::new();
        engine.logits(&batch, &mut logits).expect("logits");
        golden.compare("logits/adapted", &logits, tolerance("adapter_logits"));
        let examples = targets.len() as f64;
        let active = vec![true; tiny.layers];
        let sum = engine.accumulate(&batch, &targets, &active, true, examples, None).expect("gradients");
        golden.compare("loss/mean", &[(sum / examples) as f32], tolerance("adapter_loss"));
        assert_eq!(engine.gradients().len(), case.start.len());
        compare_gradients(golden, engine.as_ref(), tolerance(gradients_rung(&case.adapter)));
    });
}

#[test]
fn a_perturbed_golden_is_refused() {
    for name in GOLDENS {
        let mut case = Case::open(name, &["gradients"]);
        let limit = tolerance("adapter_gradients", "f32").largest as f32;
        let key = case.golden.keys("gradients").swap_remove(0);
        case.golden.perturb(&key, 1, 4.0 * limit);
        let (batch, targets) = case.tiny.first();
        let mut engine = case.engine(Precision::F32);
        engine.accumulate(&batch, &targets, &[true; 3], true, 5.0, None).expect("gradients");
        for gradient in engine.gradients() {
            let key = format!("gradients/{}", gradient.name);
            case.golden.compare(&key, &gradient.data, tolerance("adapter_gradients", "f32"));
        }
        assert_eq!(case.golden.finish().expect_err("a perturbed golden").len(), 1, "{name}");
    }
}

#[test]
fn four_steps() {
    everywhere(&["trace"], |case, precision| {
        let Case { tiny, golden, .. } = case;
        let fact = |name: &str| golden.facts[name].as_f64().expect(name);
        let settings = AdamW {
            learning_rate: fact("learning_rate"),
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: fact("weight_decay"),
        };
        let mut engine = case.engine(precision);
        let (active, mut losses) = (vec![true; tiny.layers], Vec::new());
        for step in 0..4 {
            let first = step % 2 * tiny.batch;
            let (batch, targets) = tiny.pack(first..first + tiny.batch);
            let examples = targets.len() as f64;
            engine.zero_gradients();
            let sum = engine.accumulate(&batch, &targets, &active, true, examples, None).expect("a step");
            losses.push((sum / examples) as f32);
            engine.update(&active, true, &settings).expect("an update");
        }
        let tolerance = |rung| tolerance(rung, name_of(precision));
        golden.compare("trace/losses", &losses, tolerance("adapter_trace_losses"));
        for parameter in engine.parameters() {
            let key = format!("trace/final.{}", parameter.name);
            golden.compare(&key, &parameter.data, tolerance("adapter_trace_final"));
        }
    });
}

/// An engine with nothing loaded.
fn fresh(case: &Case) -> Box<dyn Engine> {
    let (base, adapter) = (case.tiny.base.clone(), Some(case.adapter.clone()));
    engine(base, adapter.into(), case.tiny.labels, 1, options(Precision::F32)).expect("an engine")
}

#[test]
fn dora_starts_from_the_norms_that_peft_starts_from() {
    for name in ["dora", "dora_with_norm"] {
        let case = Case::open(name, &["norms"]);
        let parameters = fresh(&case).parameters();
        for key in case.golden.keys("norms") {
            let found = find(&parameters, key.strip_prefix("norms/").expect("a key of the section"));
            case.golden.compare(&key, &found.data, tolerance("adapter_start", "f32"));
        }
        case.golden.passes();
    }
}

/// `B A` of a module, `[outputs, inputs]`.
fn product(a: &HostTensor, b: &HostTensor) -> Vec<f32> {
    let (rank, inputs, outputs) = (a.shape[0], a.shape[1], b.shape[0]);
    let value = |output: usize, input: usize| {
        let products =
            (0..rank).map(|k| f64::from(b.data[output * rank + k]) * f64::from(a.data[k * inputs + input]));
        products.sum::<f64>() as f32
    };
    (0..outputs)
        .flat_map(|output| (0..inputs).map(move |input| (output, input)))
        .map(|(o, i)| value(o, i))
        .collect()
}

#[test]
fn pissa_starts_from_the_principal_part_that_peft_starts_from() {
    let case = Case::open("pissa", &["start"]);
    let parameters = fresh(&case).parameters();
    let mut compared = 0;
    for a in case.golden.keys("start").iter().filter(|key| key.contains("lora_A")) {
        let b = a.replace("lora_A", "lora_B");
        let theirs = [a, &b].map(|key| host_tensor(&case.golden, "start/", key));
        let [ours_a, ours_b] = [&theirs[0], &theirs[1]].map(|tensor| find(&parameters, &tensor.name));
        let (expected, found) = (product(&theirs[0], &theirs[1]), product(ours_a, ours_b));
        assert_close(a, &expected, &found, tolerance("adapter_start", "f32"));
        compared += 1;
    }
    assert_eq!(compared, 3 * 4);
    case.golden.lends();
}

#[test]
fn pissa_is_exported_as_a_lora_that_does_the_same() {
    for rank_stabilised in [false, true] {
        let mut case = Case::open("pissa", &[]);
        let AdapterConfig::Lora(lora) = &mut case.adapter else { panic!("a LoRA") };
        lora.rank_stabilised = rank_stabilised;
        let mut pissa = case.engine(Precision::F32);
        let exported = case.adapter.exported();
        let AdapterConfig::Lora(lora) = &exported else { panic!("a LoRA") };
        assert_eq!((lora.rank, lora.init), (4, LoraInit::Default));
        let options = options(Precision::F32);
        let mut plain =
            engine(case.tiny.base.clone(), Trained::Adapter(exported.clone()), case.tiny.labels, 1, options)
                .expect("a LoRA");
        plain.load_parameters(&pissa.exported(pissa.parameters())).expect("exported parameters");
        let (batch, _) = case.tiny.first();
        let (mut expected, mut found) = (Vec::new(), Vec::new());
        pissa.logits(&batch, &mut expected).expect("logits");
        plain.logits(&batch, &mut found).expect("logits");
        let errors = Errors::of(&expected, &found).expect("values");
        assert!(errors.largest <= 1e-5, "{errors:?}");
        case.golden.lends();
    }
}

#[test]
fn folders_by_peft_are_read_as_what_peft_saved() {
    for name in ["rank_stabilised", "dora", "ia3"] {
        let case = Case::open(name, &[]);
        let folder = golden_folder().join("adapters").join(name).join("peft");
        let found = read_adapter(&folder, &case.tiny.base.config).expect("a folder by PEFT");
        // PEFT saves a set, and so in any order.
        let sorted = |adapter: &AdapterConfig| {
            let mut targets = adapter.target_modules().to_vec();
            targets.sort();
            targets
        };
        assert_eq!(sorted(&found.adapter), sorted(&case.adapter));
        assert_eq!((found.adapter.name(), found.adapter.dropout()), (case.adapter.name(), 0.0));
        assert_eq!(found.tensors.len(), case.start.len());
        for tensor in &found.tensors {
            assert_eq!(tensor, find(&case.start, &tensor.name), "{name}");
        }
        let options = options(Precision::F32);
        let mut theirs =
            engine(case.tiny.base.clone(), Trained::Adapter(found.adapter), case.tiny.labels, 1, options)
                .expect("an engine");
        theirs.load_parameters(&found.tensors).expect("its own tensors");
        let (batch, _) = case.tiny.first();
        let (mut expected, mut logits) = (Vec::new(), Vec::new());
        case.engine(Precision::F32).logits(&batch, &mut expected).expect("logits");
        theirs.logits(&batch, &mut logits).expect("logits");
        assert_eq!(logits, expected, "{name}");
        case.golden.lends();
    }
}

#[test]
fn merged_weights_are_those_of_peft() {
    for (name, count) in
        [("rank_stabilised", 1), ("dora", 1), ("dora_with_norm", 1), ("ia3", 2), ("pissa", 1)]
    {
        let case = Case::open(name, &["merged"]);
        let mut engine = fresh(&case);
        engine.load_parameters(&case.start).expect("the golden's adapter fits");
        let (adapter, tensors) = (case.adapter.exported(), engine.exported(case.start.clone()));
        let merged = |projection| merged_weight(&case.tiny.base, &adapter, &tensors, 1, projection);
        let base = &case.tiny.base.config;
        let keys = case.golden.keys("merged");
        assert_eq!(keys.len(), count, "{name}");
        for key in keys {
            let of = |projection: &Projection| key.ends_with(&base.family.weight_name(1, *projection));
            let projection = base.projections().find(of).expect("a projection");
            let found = merged(projection).expect("it merges");
            case.golden.compare(&key, &found, tolerance("adapter_merged", "f32"));
        }
        // One without an adapter stays as it is.
        let weight =
            case.tiny.base.weights.get(&base.family.weight_name(1, Projection::OProj)).expect("a matrix");
        let mut row = vec![0.0; weight.columns];
        weight.decode_row(0, &mut row);
        assert_eq!(merged(Projection::OProj).expect("the base's own")[..row.len()], row);
        case.golden.passes();
    }
}

#[test]
fn what_cannot_be_merged_says_why() {
    let error = |name: &str, change: &dyn Fn(&mut Vec<HostTensor>)| {
        let mut case = Case::open(name, &[]);
        change(&mut case.start);
        let merged = merged_weight(&case.tiny.base, &case.adapter, &case.start, 0, Projection::DownProj);
        case.golden.lends();
        merged.expect_err("not this one").to_string()
    };
    assert!(error("bottleneck", &|_| {}).contains("a bottleneck's activation is not linear"));
    assert!(error("pissa", &|_| {}).contains("have to be exported first"));
    assert!(error("ia3", &|tensors| tensors.clear()).contains("mlp.down_proj.ia3_l` is missing"));
    let turn = |tensors: &mut Vec<HostTensor>| tensors.iter_mut().for_each(|tensor| tensor.shape.reverse());
    assert!(error("dora", &turn).contains("has shape"));
}

/// A model without biases and head norms, one with both; fused matrices, stored transposed or not; attention and MLP side
/// by side; norms, or a factor, behind the last projection of a branch.
const BARE: [&str; 7] = [
    CASES[1],
    "tiny_families/qwen3/biased",
    "tiny_families/gpt2/narrow",
    "tiny_families/phi/grouped",
    "tiny_families/phi3/tied",
    "tiny_families/gemma2/capped",
    "tiny_families/granite/scaled",
];

/// One of each kind, on projections that exercise it, with dropout where there is any.
fn kinds(tiny: &Tiny, dropout: f32) -> Vec<AdapterConfig> {
    let targets: Vec<Projection> = tiny.base.config.projections().collect();
    let lora = LoraConfig { rank: 3, alpha: 6.0, dropout, ..LoraConfig::over(targets.clone()) };
    let bottleneck = |activation, place| BottleneckConfig {
        size: 5,
        activation,
        place,
        scaling: 1.5,
        dropout,
        target_modules: targets.clone(),
    };
    vec![
        LoraConfig { rank_stabilised: true, learning_rate_ratio: 4.0, ..lora.clone() }.into(),
        LoraConfig { init: LoraInit::Pissa, ..lora.clone() }.into(),
        DoraConfig::of(lora.clone()).into(),
        DoraConfig { lora, detach_norm: false }.into(),
        bottleneck(BottleneckActivation::Tanh, BottleneckPlace::Parallel).into(),
        bottleneck(BottleneckActivation::Gelu, BottleneckPlace::Serial).into(),
        Ia3Config { target_modules: targets.clone() }.into(),
    ]
}

fn make(
    tiny: &Tiny,
    adapter: &AdapterConfig,
    precision: Precision,
    memory_bytes: Option<usize>,
) -> Result<Box<dyn Engine>, ModelError> {
    let options = EngineOptions { memory_bytes, ..options(precision) };
    engine(tiny.base.clone(), Trained::Adapter(adapter.clone()), tiny.labels, 1, options)
}

/// Parameters away from where an engine starts.
fn moved(engine: &dyn Engine) -> Vec<HostTensor> {
    let mut parameters = engine.parameters();
    for (index, parameter) in parameters.iter_mut().enumerate() {
        for (at, value) in parameter.data.iter_mut().enumerate() {
            *value += ((index * 31 + at * 7) % 19) as f32 / 60.0 - 0.15;
        }
    }
    parameters
}

fn each_kind(dropout: f32, check: impl Fn(&Tiny, &AdapterConfig, Precision)) {
    for tiny in BARE.map(Tiny::bare) {
        for adapter in kinds(&tiny, dropout) {
            for precision in PRECISIONS {
                check(&tiny, &adapter, precision);
            }
        }
    }
}

#[test]
fn finite_differences_agree() {
    for tiny in BARE.map(Tiny::bare) {
        for (dropout, key) in [(0.0, None), (0.3, Some(KEY))] {
            for adapter in kinds(&tiny, dropout) {
                // A norm that is held constant is no derivative of anything.
                let detached = matches!(&adapter, AdapterConfig::Dora(dora) if dora.detach_norm);
                if !detached {
                    differences_agree(&tiny, &adapter, key);
                }
            }
        }
    }
}

/// Holds the largest gradient of every parameter against the slope of the loss.
fn differences_agree(tiny: &Tiny, adapter: &AdapterConfig, key: Option<DropoutKey>) {
    let mut engine = make(tiny, adapter, Precision::F32, None).expect("an engine");
    let (batch, targets) = tiny.first();
    let active = vec![true; tiny.layers];
    let loss = |engine: &mut dyn Engine, parameters: &[HostTensor]| {
        engine.load_parameters(parameters).expect("parameters fit");
        engine.zero_gradients();
        engine.accumulate(&batch, &targets, &active, true, 1.0, key).expect("a loss")
    };
    let mut parameters = moved(engine.as_ref());
    loss(&mut *engine, &parameters);
    let gradients = engine.gradients();
    let (mut worst, mut count) = (0.0f64, 0);
    for at in 0..parameters.len() {
        // Two layers are enough, and the last is special.
        if layer_of(&parameters[at].name).is_some_and(|layer| layer != 1 && layer + 1 != tiny.layers) {
            continue;
        }
        let gradient = &find(&gradients, &parameters[at].name).data;
        let (found, expected) =
            steepest(&mut parameters, at, gradient, &mut |changed| loss(&mut *engine, changed));
        let found = f64::from(found);
        let error = (found - expected).abs() / expected.abs();
        assert!(
            error <= tolerance("adapter_differences", "f32").largest,
            "{adapter:?} {}: {found}, by differences {expected}",
            parameters[at].name
        );
        (worst, count) = (worst.max(error), count + 1);
    }
    println!("adapter_differences f32 off by {worst:.2e}");
    // Two layers, and the head.
    let least = 2 * tiny.base.config.projections().count() + 1;
    assert!(count >= least, "{count} of {least}");
}

#[test]
fn an_adapter_at_its_start_does_nothing_and_learns() {
    each_kind(0.3, |tiny, adapter, precision| {
        let (batch, targets) = tiny.first();
        let mut plain =
            engine(tiny.base.clone(), Trained::Head, tiny.labels, 1, options(precision)).expect("an engine");
        let mut made = make(tiny, adapter, precision, None).expect("an engine");
        let start = made.parameters();
        plain.load_parameters(&start[start.len() - 1..]).expect("the head");
        let (mut expected, mut found) = (Vec::new(), Vec::new());
        plain.logits(&batch, &mut expected).expect("logits");
        made.logits(&batch, &mut found).expect("logits");
        assert_eq!(found, expected, "{adapter:?}");
        // Loading the start is the start.
        made.load_parameters(&start).expect("its own parameters");
        made.logits(&batch, &mut found).expect("logits");
        assert_eq!(found, expected, "{adapter:?} loaded");

        let settings =
            AdamW { learning_rate: 1e-2, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.0 };
        let (active, mut losses) = (vec![true; tiny.layers], Vec::new());
        for step in 0..6 {
            made.zero_gradients();
            let key = Some(DropoutKey { seed: 1, step });
            losses.push(made.accumulate(&batch, &targets, &active, false, 5.0, key).expect("a step"));
            let mut norms = Vec::new();
            made.gradient_norms(tiny.layers - 1, &mut norms);
            assert!(norms.iter().any(|&norm| norm > 0.0));
            made.update(&active, false, &settings).expect("an update");
        }
        made.logits(&batch, &mut found).expect("logits");
        assert_ne!(found, expected, "{adapter:?}");
        let last = made.loss(&batch, Targets::Classes(&targets), None).expect("a loss");
        assert!(last < losses[0], "{adapter:?}: {losses:?}, {last}");
    });
}

#[test]
fn layers_computed_again_and_layers_that_rest_change_no_gradient() {
    each_kind(0.3, |tiny, adapter, precision| {
        let (batch, targets) = tiny.first();
        let Err(ModelError::Memory { needed, .. }) = make(tiny, adapter, precision, Some(1)) else {
            panic!("a byte is not enough")
        };
        let run = |memory: Option<usize>, active: &[bool]| {
            let mut engine = make(tiny, adapter, precision, memory).expect("an engine");
            let parameters = moved(engine.as_ref());
            engine.load_parameters(&parameters).expect("parameters");
            engine.accumulate(&batch, &targets, active, true, 5.0, Some(KEY)).expect("gradients");
            engine.gradients()
        };
        let full = run(None, &vec![true; tiny.layers]);
        assert_eq!(run(Some(needed), &vec![true; tiny.layers]), full, "{adapter:?} again");
        let active: Vec<bool> = (0..tiny.layers).map(|layer| layer % 3 == 1).collect();
        for (found, full) in run(None, &active).iter().zip(&full) {
            if layer_of(&found.name).is_none_or(|layer| active[layer]) {
                assert_eq!(found, full, "{adapter:?}");
            } else {
                assert!(found.data.iter().all(|&value| value == 0.0), "{adapter:?} {}", found.name);
            }
        }
    });
}

#[test]
fn micro_batches_of_one_are_the_batch() {
    each_kind(0.3, |tiny, adapter, precision| {
        let active = vec![true; tiny.layers];
        let run = |sizes: &[usize]| {
            let mut engine = make(tiny, adapter, precision, None).expect("an engine");
            let parameters = moved(engine.as_ref());
            engine.load_parameters(&parameters).expect("parameters");
            let mut first = 0;
            for size in sizes {
                let (batch, targets) = tiny.pack(first..first + size);
                engine.accumulate(&batch, &targets, &active, true, 5.0, Some(KEY)).expect("gradients");
                first += size;
            }
            engine.gradients()
        };
        for (whole, parts) in run(&[5]).iter().zip(&run(&[1, 3, 1])) {
            let tolerance = tolerance("adapter_packed_gradients", name_of(precision));
            assert_close(&format!("{adapter:?} {}", whole.name), &whole.data, &parts.data, tolerance);
        }
    });
}

#[test]
fn kept_hidden_states_change_nothing() {
    each_kind(0.3, |tiny, adapter, precision| {
        let folder = tempfile::tempdir().expect("a folder");
        let (layers, lowest) = (tiny.layers, tiny.layers - 2);
        let active: Vec<bool> = (0..layers).map(|layer| layer >= lowest).collect();
        let mut engines = [(); 2].map(|()| make(tiny, adapter, precision, None).expect("an engine"));
        let start = engines[0].parameters();
        let away = moved(engines[0].as_ref());
        let parameters: Vec<HostTensor> = start
            .into_iter()
            .zip(away)
            .map(
                |(start, away)| {
                    if layer_of(&start.name).is_some_and(|layer| layer < lowest) { start } else { away }
                },
            )
            .collect();
        engines[1].cache_states(lowest, folder.path()).expect("a cache");
        for engine in &mut engines {
            engine.load_parameters(&parameters).expect("parameters");
        }
        for indices in [vec![0, 1, 2], vec![3, 4], vec![4, 0, 3], vec![1, 2]] {
            let (batch, targets) = tiny.pack(indices);
            let [plain, keeping] = &mut engines;
            let [expected, found] = [plain, keeping].map(|engine| {
                engine.zero_gradients();
                let loss =
                    engine.accumulate(&batch, &targets, &active, true, 5.0, Some(KEY)).expect("gradients");
                (loss, engine.gradients())
            });
            assert_eq!(expected, found, "{adapter:?}");
        }
    });
}

/// What an adapter adds to a projection is scaled, so with one target in one layer the loss moves from the base's to the
/// adapted one's.
#[test]
fn weakened_adapters_go_from_nothing_to_all() {
    each_kind(0.0, |tiny, adapter, precision| {
        let (batch, targets) = tiny.first();
        let mut engine = make(tiny, adapter, precision, None).expect("an engine");
        let nothing = engine.loss(&batch, Targets::Classes(&targets), None).expect("a loss");
        let parameters = moved(engine.as_ref());
        let head = parameters.len() - 1;
        let start = engine.parameters();
        let parameters: Vec<HostTensor> = [&parameters[..head], &start[head..]].concat();
        engine.load_parameters(&parameters).expect("parameters");
        let all = engine.loss(&batch, Targets::Classes(&targets), None).expect("a loss");
        let mut at = |factor: f32| {
            engine.loss(&batch, Targets::Classes(&targets), Some(&vec![factor; tiny.layers])).expect("a loss")
        };
        assert_eq!(at(1.0), all);
        let (zero, half) = (at(0.0), at(0.5));
        let limit = tolerance("weakened", name_of(precision)).largest;
        let error = (zero - nothing).abs() / nothing;
        println!("weakened {} off by {error:.2e}", name_of(precision));
        assert!(error <= limit, "{adapter:?}: {zero}, of the base {nothing}");
        assert!(half != zero && half != all);
        assert_eq!(engine.loss(&batch, Targets::Classes(&targets), None).expect("a loss"), all, "as it was");
    });
}

/// A weakened DoRA or (IA)³ is the blend of the base's projection and the adapted one: held against another adapter that
/// is the blend.
#[test]
fn a_weakened_vector_is_the_vector_moved_towards_ones() {
    let tiny = Tiny::bare(CASES[1]);
    let (batch, targets) = tiny.first();
    let adapter = Ia3Config { target_modules: tiny.base.config.projections().collect() }.into();
    let mut engine = make(&tiny, &adapter, Precision::F32, None).expect("an engine");
    let mut parameters = moved(engine.as_ref());
    engine.load_parameters(&parameters).expect("parameters");
    let weakened = engine.loss(&batch, Targets::Classes(&targets), Some(&[0.25; 6])).expect("a loss");
    for parameter in parameters.iter_mut().filter(|parameter| parameter.name.contains("ia3_l")) {
        parameter.data.iter_mut().for_each(|value| *value = 1.0 + 0.25 * (*value - 1.0));
    }
    engine.load_parameters(&parameters).expect("parameters");
    let expected = engine.loss(&batch, Targets::Classes(&targets), None).expect("a loss");
    assert!((weakened - expected).abs() < 1e-6 * expected, "{weakened}, expected {expected}");
}

#[test]
fn optimizer_state_and_parameters_carry_a_run_on_bitwise() {
    each_kind(0.3, |tiny, adapter, precision| {
        let settings =
            AdamW { learning_rate: 1e-2, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.1 };
        let step = |engine: &mut dyn Engine, step: u64| {
            let (batch, targets) = tiny.first();
            let mut active = vec![true; tiny.layers];
            active[step as usize % tiny.layers] = false;
            engine.zero_gradients();
            let key = Some(DropoutKey { seed: 1, step });
            engine.accumulate(&batch, &targets, &active, true, 5.0, key).expect("a step");
            engine.update(&active, true, &settings).expect("an update");
        };
        let mut whole = make(tiny, adapter, precision, None).expect("an engine");
        (0..4).for_each(|at| step(whole.as_mut(), at));
        let mut first = make(tiny, adapter, precision, None).expect("an engine");
        (0..2).for_each(|at| step(first.as_mut(), at));
        let mut second = make(tiny, adapter, precision, None).expect("an engine");
        second.load_parameters(&first.parameters()).expect("parameters");
        second.load_optimizer_state(&first.optimizer_state()).expect("moments");
        (2..4).for_each(|at| step(second.as_mut(), at));
        assert_eq!(second.parameters(), whole.parameters(), "{adapter:?}");
        assert_eq!(second.optimizer_state(), whole.optimizer_state(), "{adapter:?}");
    });
}

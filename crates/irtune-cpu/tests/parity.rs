//! Every operation held against PyTorch, forward and backward, with f32 and with bf16 operands, at every instruction
//! level of the machine.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;

use irtune_cpu::{
    Element, Matrix, MatrixMut, at_every_level,
    attention::{self, Gradients, Inputs},
    bf16,
    gemm::{Mask, Output, Term, gemm},
    ops::{adamw, dropout, gated, loss, norm, rotary, rows::transpose},
    quant::decode::decode_row,
};
use irtune_device::{
    AdamW, AttentionShape, Format, Gate, LossOptions, RotaryTable, Scores, Targets, WeightView,
    conformance::prefix_tree,
};
use irtune_testing::golden::{Golden, sections, tolerance};

const NORMS: [&str; 4] = ["rms_norm_15", "rms_norm_16", "rms_norm_33", "rms_norm_64"];
const ROTARIES: [&str; 2] = ["rotary_default", "rotary_llama3"];
const LINEARS: [&str; 2] = ["lora_linear", "lora_linear_dropout"];
const FORMATS: [(&str, Format); 5] = [
    ("dequantise_f16", Format::F16),
    ("dequantise_bf16", Format::Bf16),
    ("dequantise_q8_0", Format::Q8_0),
    ("dequantise_q4_0", Format::Q4_0),
    ("dequantise_q4_1", Format::Q4_1),
];
const QUANTISED: [Format; 10] = [
    Format::Q5_0,
    Format::Q5_1,
    Format::Q2_K,
    Format::Q3_K,
    Format::Q4_K,
    Format::Q5_K,
    Format::Q6_K,
    Format::IQ4_NL,
    Format::IQ4_XS,
    Format::MXFP4,
];
const ATTENTIONS: [&str; 9] = [
    "shared_prefix",
    "no_prefix",
    "long",
    "every_head_its_own",
    "sharp",
    "window",
    "window_of_two",
    "cap",
    "window_and_cap",
];

/// One section of a golden, its keys without the section's name.
struct Section<'a> {
    golden: Golden,
    name: &'a str,
    rung: &'a str,
    precision: &'static str,
}

impl<'a> Section<'a> {
    fn open(case: &str, name: &'a str, rung: &'a str, precision: &'static str) -> Self {
        Self { golden: Golden::open(case, &[name]), name, rung, precision }
    }

    fn fact(&self, name: &str) -> f64 {
        self.golden.facts["sections"][self.name][name].as_f64().unwrap_or_else(|| panic!("{name}"))
    }

    fn key(&self, name: &str) -> String {
        format!("{}/{name}", self.name)
    }

    fn rows(&self, name: &str) -> usize {
        self.golden.shape(&self.key(name))[0]
    }

    fn floats(&self, name: &str) -> Vec<f32> {
        self.golden.floats(&self.key(name))
    }

    fn integers(&self, name: &str) -> Vec<u32> {
        self.golden.integers(&self.key(name))
    }

    fn operands<E: Element>(&self, name: &str) -> Vec<E> {
        self.floats(name).into_iter().map(E::from_f32).collect()
    }

    fn compare<E: Element>(&self, name: &str, found: &[E]) {
        let found: Vec<f32> = found.iter().map(|value| value.to_f32()).collect();
        self.golden.compare(&self.key(name), &found, tolerance(self.rung, self.precision));
    }
}

#[test]
fn every_section_is_read_by_a_test() {
    let others = ["swiglu", "cross_entropy", "adamw", "pool"];
    let conformance = ["gelu", "gelu_tanh", "rotary_partial"];
    let layer_norms = ["layer_norm_15", "layer_norm_16", "layer_norm_33", "layer_norm_64"];
    let formats = FORMATS.map(|(section, _)| section);
    let known = [&NORMS[..], &ROTARIES, &LINEARS, &formats, &others, &conformance, &layer_norms].concat();
    assert_eq!(sections("kernels"), known.into_iter().map(str::to_owned).collect::<BTreeSet<_>>());
    assert_eq!(sections("attention"), ATTENTIONS.map(str::to_owned).into());
    assert_eq!(sections("quantised"), QUANTISED.map(|format| format.name().to_owned()).into());
    let held = FORMATS.map(|(_, format)| format).into_iter().chain(QUANTISED);
    assert!(Format::ALL.iter().all(|&format| format == Format::F32
        || !format.is_self_contained()
        || held.clone().any(|known| known == format)));
}

#[test]
fn rms_norm() {
    fn check<E: Element>() {
        for name in NORMS {
            let section = Section::open("kernels", name, "rms_norm", E::NAME);
            let (input, gain) = (section.floats("input"), section.floats("weight"));
            let (mut out, mut scales) =
                (vec![E::default(); input.len()], vec![0.0; input.len() / gain.len()]);
            norm::forward(&input, &gain, section.fact("epsilon") as f32, &mut out, &mut scales);
            section.compare("output", &out);
            let mut gradient = vec![0.0; input.len()];
            norm::backward(&input, &gain, &scales, &section.floats("output_gradient"), &mut gradient);
            section.compare("input_gradient", &gradient);
            let mut gain_gradient = vec![0.0; gain.len()];
            norm::gain_backward(
                &section.operands::<E>("input"),
                &scales,
                &section.floats("output_gradient"),
                &mut gain_gradient,
            );
            section.compare("weight_gradient", &gain_gradient);
            section.golden.passes();
        }
    }
    at_every_level(|_| {
        check::<f32>();
        check::<bf16>();
    });
}

#[test]
fn rotary_positions() {
    fn check<E: Element>() {
        for name in ROTARIES {
            let section = Section::open("kernels", name, "rotary", E::NAME);
            let columns = (section.fact("heads") * section.fact("head_size")) as usize;
            let positions = section.integers("positions");
            let reach = positions.iter().max().map_or(0, |&last| last as usize + 1);
            let table = RotaryTable::new(&section.floats("frequencies"), reach);
            let mut rows = section.operands::<E>("input");
            rotary::forward(MatrixMut::new(&mut rows, positions.len(), columns), &table, &positions);
            section.compare("output", &rows);
            let mut gradient = section.operands::<E>("output_gradient");
            rotary::backward(MatrixMut::new(&mut gradient, positions.len(), columns), &table, &positions);
            section.compare("input_gradient", &gradient);
            section.golden.passes();
        }
    }
    at_every_level(|_| {
        check::<f32>();
        check::<bf16>();
    });
}

#[test]
fn gated_activations() {
    fn check<E: Element>() {
        for (case, name, kind) in [("kernels", "swiglu", Gate::Silu), ("geglu", "geglu", Gate::GeluTanh)] {
            let section = Section::open(case, name, name, E::NAME);
            let (mut gate, mut up) = (section.operands::<E>("gate"), section.operands::<E>("up"));
            let mut out = vec![E::default(); gate.len()];
            gated::forward(kind, &gate, &up, &mut out);
            section.compare("output", &out);
            gated::backward(kind, &section.operands::<E>("output_gradient"), &mut gate, &mut up);
            section.compare("gate_gradient", &gate);
            section.compare("up_gradient", &up);
            section.golden.passes();
        }
    }
    at_every_level(|_| {
        check::<f32>();
        check::<bf16>();
    });
}

#[test]
fn linear_with_lora() {
    at_every_level(|_| {
        LINEARS.into_iter().for_each(|name| {
            lora_linear::<f32>(name);
            lora_linear::<bf16>(name);
        });
    });
}

fn lora_linear<E: Element>(name: &str) {
    let section = Section::open("kernels", name, "lora_linear", E::NAME);
    let scaling = section.fact("scaling") as f32;
    let (rows, outputs) = (section.rows("input"), section.rows("weight"));
    let (rank, inputs) = (section.rows("lora_a"), section.operands::<E>("input").len() / rows);
    let read = |name| section.operands::<E>(name);
    let (x, weight, a, b) = (read("input"), read("weight"), read("lora_a"), read("lora_b"));
    let weight = WeightView::of(&weight, outputs, inputs);
    let (a, b) = (WeightView::of(&a, rank, inputs), WeightView::of(&b, outputs, rank));

    // The mask's factors as bits, and the inputs that it leaves.
    let mask = section.golden.keys(name).contains(&section.key("mask")).then(|| section.floats("mask"));
    let words_a_row = inputs.div_ceil(32);
    let mut words = vec![0u32; rows * words_a_row];
    let mut scale = 1.0;
    for (index, &factor) in mask.iter().flatten().enumerate().filter(|(_, factor)| **factor > 0.0) {
        let (row, column) = (index / inputs, index % inputs);
        words[row * words_a_row + column / 32] |= 1 << (column % 32);
        scale = factor;
    }
    let mask = mask.is_some().then_some(Mask { words: &words, words_a_row, scale });
    let mut dropped = x.clone();
    if let Some(mask) = mask {
        dropout::apply(Matrix::new(&x, rows, inputs), mask, &mut dropped);
    }

    let matrix = |data, columns| Matrix::<E>::new(data, rows, columns);
    let mut low = vec![E::default(); rows * rank];
    let terms = [Term::forward(matrix(&dropped, inputs), a)];
    gemm(&terms, scaling, Output::Operand(MatrixMut::new(&mut low, rows, rank)));
    let mut y = vec![0.0; rows * outputs];
    let terms = [Term::forward(matrix(&x, inputs), weight), Term::forward(matrix(&low, rank), b)];
    gemm(&terms, 1.0, Output::Store(MatrixMut::new(&mut y, rows, outputs)));
    section.compare("output", &y);

    let dy = section.operands::<E>("output_gradient");
    let mut low_gradient = vec![E::default(); rows * rank];
    let terms = [Term::backward(matrix(&dy, outputs), b)];
    gemm(&terms, scaling, Output::Operand(MatrixMut::new(&mut low_gradient, rows, rank)));
    let mut dx = vec![0.0; rows * inputs];
    let terms = [
        Term::backward(matrix(&dy, outputs), weight),
        Term { mask, ..Term::backward(matrix(&low_gradient, rank), a) },
    ];
    gemm(&terms, 1.0, Output::Store(MatrixMut::new(&mut dx, rows, inputs)));
    section.compare("input_gradient", &dx);

    section.compare("lora_a_gradient", &outer(&low_gradient, rank, &dropped, inputs, rows));
    section.compare("lora_b_gradient", &outer(&dy, outputs, &low, rank, rows));
    section.golden.passes();
}

/// `leftᵀ · right`, `[left_columns, right_columns]`.
fn outer<E: Element>(
    left: &[E],
    left_columns: usize,
    right: &[E],
    right_columns: usize,
    rows: usize,
) -> Vec<f32> {
    let mut turned = vec![E::default(); left.len()];
    transpose(left, rows, left_columns, &mut turned);
    let left = Matrix::new(&turned, left_columns, rows);
    let mut out = vec![0.0; left_columns * right_columns];
    let terms = [Term::backward(left, WeightView::of(right, rows, right_columns))];
    gemm(&terms, 1.0, Output::Add(MatrixMut::new(&mut out, left_columns, right_columns)));
    out
}

#[test]
fn cross_entropy() {
    let section = Section::open("kernels", "cross_entropy", "cross_entropy", "f32");
    let (logits, targets) = (section.floats("logits"), section.integers("targets"));
    let classes = logits.len() / targets.len();
    let mut gradient = vec![0.0; logits.len()];
    let factor = 1.0 / section.fact("normalizer");
    let options = LossOptions::default();
    let sum =
        loss::cross_entropy(&logits, Targets::Classes(&targets), classes, &options, factor, &mut gradient);
    section.compare("logits_gradient", &gradient);
    let one = |example: usize| {
        let logits = &logits[example * classes..][..classes];
        let target = Targets::Classes(&targets[example..=example]);
        loss::cross_entropy(logits, target, classes, &options, 1.0, &mut vec![0.0; classes])
    };
    let losses: Vec<f64> = (0..targets.len()).map(one).collect();
    assert!((losses.iter().sum::<f64>() - sum).abs() <= 1e-9 * sum);
    section.compare("losses", &losses.iter().map(|&loss| loss as f32).collect::<Vec<_>>());
    section.golden.passes();
}

#[test]
fn cross_entropy_with_class_weights_and_label_smoothing() {
    let classes = ["weights", "smoothing", "weights_and_smoothing"];
    let names = [&classes[..], &DISTRIBUTIONS, &LABELS].concat();
    assert_eq!(sections("weighted_loss"), names.into_iter().map(str::to_owned).collect());
    for name in classes {
        let section = Section::open("weighted_loss", name, "cross_entropy", "f32");
        let (logits, targets) = (section.floats("logits"), section.integers("targets"));
        let classes = logits.len() / targets.len();
        let options = loss_options(&section, name);
        let normalizer: f64 = targets.iter().map(|&target| options.weight(target as usize)).sum();
        let mut gradient = vec![0.0; logits.len()];
        let sum = {
            let targets = Targets::Classes(&targets);
            loss::cross_entropy(&logits, targets, classes, &options, 1.0 / normalizer, &mut gradient)
        };
        section.compare("mean", &[(sum / normalizer) as f32]);
        section.compare("logits_gradient", &gradient);
        let rows = logits.chunks_exact(classes).zip(targets.chunks_exact(1));
        let losses = rows.map(|(logits, target)| {
            let target = Targets::Classes(target);
            loss::cross_entropy(logits, target, classes, &options, 1.0, &mut vec![0.0; classes]) as f32
        });
        section.compare("losses", &losses.collect::<Vec<_>>());
        section.golden.passes();
    }
}

/// Sections whose targets are distributions over the classes.
const DISTRIBUTIONS: [&str; 3] =
    ["distributions", "distributions_weights", "distributions_weights_and_smoothing"];

#[test]
fn cross_entropy_with_distributions() {
    for name in DISTRIBUTIONS {
        let section = Section::open("weighted_loss", name, "cross_entropy", "f32");
        let (logits, shares) = (section.floats("logits"), section.floats("distributions"));
        let classes = section.golden.shape(&section.key("logits"))[1];
        let examples = (logits.len() / classes) as f64;
        let options = loss_options(&section, name);
        let mut gradient = vec![0.0; logits.len()];
        let targets = Targets::Distributions(&shares);
        let sum = loss::cross_entropy(&logits, targets, classes, &options, 1.0 / examples, &mut gradient);
        section.compare("mean", &[(sum / examples) as f32]);
        section.compare("logits_gradient", &gradient);
        let rows = logits.chunks_exact(classes).zip(shares.chunks_exact(classes));
        let losses = rows.map(|(logits, shares)| {
            let target = Targets::Distributions(shares);
            loss::cross_entropy(logits, target, classes, &options, 1.0, &mut vec![0.0; classes]) as f32
        });
        section.compare("losses", &losses.collect::<Vec<_>>());
        section.golden.passes();
    }
}

/// Sections whose targets are labels of which an example may have several.
const LABELS: [&str; 2] = ["labels", "labels_weights"];

#[test]
fn binary_cross_entropy_of_several_labels() {
    for name in LABELS {
        let section = Section::open("weighted_loss", name, "cross_entropy", "f32");
        let (logits, has) = (section.floats("logits"), section.floats("labels"));
        let weights: Vec<f64> = section.floats("pos_weight").into_iter().map(f64::from).collect();
        let labels = weights.len();
        let options = LossOptions { class_weights: Some(weights.clone()), label_smoothing: 0.0 };
        let factor = 1.0 / logits.len() as f64;
        let mut gradient = vec![0.0; logits.len()];
        let sum =
            loss::cross_entropy(&logits, Targets::Labels(&has), labels, &options, factor, &mut gradient);
        section.compare("mean", &[(sum * factor) as f32]);
        section.compare("logits_gradient", &gradient);
        let values = logits.iter().zip(&has).enumerate().map(|(index, (&logit, &has))| {
            let class_weights = Some(vec![weights[index % labels]]);
            let options = LossOptions { class_weights, label_smoothing: 0.0 };
            loss::cross_entropy(&[logit], Targets::Labels(&[has]), 1, &options, 1.0, &mut [0.0]) as f32
        });
        section.compare("losses", &values.collect::<Vec<_>>());
        section.golden.passes();
    }
}

/// The options of a section of the golden.
fn loss_options(section: &Section, name: &str) -> LossOptions {
    let weights = section.golden.facts["sections"][name]["class_weights"].as_array();
    LossOptions {
        class_weights: weights.map(|weights| weights.iter().map(|weight| weight.as_f64().unwrap()).collect()),
        label_smoothing: section.fact("label_smoothing"),
    }
}

#[test]
fn adamw_steps() {
    at_every_level(|_| adamw_step());
}

fn adamw_step() {
    let section = Section::open("kernels", "adamw", "adamw", "f32");
    let settings = AdamW {
        learning_rate: section.fact("learning_rate"),
        beta1: section.fact("beta1"),
        beta2: section.fact("beta2"),
        epsilon: section.fact("epsilon"),
        weight_decay: section.fact("weight_decay"),
    };
    for (name, skipped) in [("stepped", None), ("skipped", Some(1))] {
        let mut values = section.floats(&format!("{name}_start"));
        let (mut first, mut second) = (vec![0.0; values.len()], vec![0.0; values.len()]);
        let mut count = 0;
        for step in 0..3 {
            if skipped != Some(step) {
                count += 1;
                let gradient = section.floats(&format!("{name}_gradient_{step}"));
                adamw::step(&settings, count, &mut values, &gradient, &mut first, &mut second);
            }
            section.compare(&format!("{name}_after_{step}"), &values);
        }
        section.compare(&format!("{name}_first_moment"), &first);
        section.compare(&format!("{name}_second_moment"), &second);
    }
    section.golden.passes();
}

#[test]
fn weights_decode_to_the_very_values_of_ggml() {
    at_every_level(|_| decode());
}

fn decode() {
    for (name, format) in FORMATS {
        let section = Section::open("kernels", name, "dequantise", "f32");
        assert_eq!(section.golden.facts["sections"][name]["format"], format.name());
        decode_section(section, format);
    }
    for format in QUANTISED {
        decode_section(Section::open("quantised", format.name(), "dequantise", "f32"), format);
    }
}

fn decode_section(section: Section, format: Format) {
    let (rows, columns) = (section.rows("values"), section.golden.shape(&section.key("values"))[1]);
    let bytes = section.golden.bytes(&section.key("bytes"));
    let weight = WeightView {
        format,
        rows,
        columns,
        bytes: &bytes,
        interleaved_head: None,
        transposed: false,
        scales: None,
    };
    let mut decoded = vec![0.0; rows * columns];
    decoded.chunks_mut(columns).enumerate().for_each(|(row, out)| decode_row(&weight, row, out));
    section.compare("values", &decoded);
    // Zeros have signs too.
    let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    assert!(bits(&decoded) == bits(&section.floats("values")), "{format:?}");
    section.golden.passes();
}

#[test]
fn attention_over_a_shared_prefix() {
    at_every_level(|_| {
        ATTENTIONS.into_iter().for_each(|name| {
            attend::<f32>(name);
            attend::<bf16>(name);
        });
    });
}

fn attend<E: Element>(name: &str) {
    let section = Section::open("attention", name, "attention", E::NAME);
    let count = |name| section.fact(name) as usize;
    let (heads, key_value_heads, head_size) = (count("heads"), count("key_value_heads"), count("head_size"));
    let prefix = count("prefix");
    let segments = prefix_tree(&section.integers("offsets"), prefix);
    let given = |name| Some(section.fact(name)).filter(|&value| value > 0.0);
    let scores = Scores {
        scale: given("scale").map_or(Scores::plain(head_size).scale, |scale| scale as f32),
        window: given("window").map(|window| window as usize),
        cap: given("cap").map(|cap| cap as f32),
    };
    let shape = AttentionShape { heads, key_value_heads, head_size, scores, segments: &segments };
    let (rows, query_columns, key_columns) =
        (shape.key_rows(), heads * head_size, key_value_heads * head_size);
    let (q, k, v) = (section.operands::<E>("q"), section.operands::<E>("k"), section.operands::<E>("v"));
    let inputs = Inputs {
        queries: Matrix::new(&q, rows, query_columns),
        keys: Matrix::new(&k, rows, key_columns),
        values: Matrix::new(&v, rows, key_columns),
    };
    let mut out = vec![E::default(); q.len()];
    let mut logsumexp = vec![0.0; rows * heads];
    attention::forward(&shape, &inputs, &mut out, &mut logsumexp);
    section.compare("output", &out);

    let (mut dq, mut dk, mut dv) =
        (vec![E::default(); q.len()], vec![E::default(); k.len()], vec![E::default(); v.len()]);
    let mut partial = vec![0.0; segments.len() * prefix * 2 * key_columns];
    let gradients = Gradients { queries: &mut dq, keys: &mut dk, values: &mut dv, partial: &mut partial };
    let out_gradient = section.operands::<E>("output_gradient");
    attention::backward(&shape, &inputs, &out, &logsumexp, &out_gradient, gradients);
    section.compare("q_gradient", &dq);
    section.compare("k_gradient", &dk);
    section.compare("v_gradient", &dv);
    section.golden.passes();
}

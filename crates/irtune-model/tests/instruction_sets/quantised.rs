//! A base in quantised types computes bit for bit what its decoded values in f32 do: their decoding is held to ggml's
//! elsewhere (`irtune-cpu/tests/parity.rs`), so nothing else of a pass may depend on how a weight is stored.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use irtune_cpu::at_every_level;
use irtune_device::{Format, WeightView};
use irtune_model::{
    AdamW, Base, Engine, HostTensor, LoraConfig, PackedBatch, Precision, Trained,
    weights::gguf::{Header, TensorType},
};
use irtune_testing::base::{GgufFile, Sizes, SyntheticBase};

use crate::{
    separate_projections,
    tiny::{
        engine::{EngineOptions, engine},
        options,
    },
};

const PRECISIONS: [Precision; 4] = [Precision::F32, Precision::Bf16, Precision::Int16, Precision::Int8];
const LABELS: usize = 3;

/// Two layers, wide enough for blocks of 256.
fn synthetic() -> SyntheticBase {
    let sizes = Sizes { layers: 2, hidden: 256, intermediate: 512, ..SyntheticBase::of_bytes().sizes };
    SyntheticBase { sizes, ..SyntheticBase::of_bytes() }
}

/// A GGUF's formats with blocks.
fn is_quantised(format: &Format) -> bool {
    format.is_self_contained() && format.block().0 > 1
}

/// The size of a block's f16 numbers: values are some hundredths, with a mean near zero.
fn sizes(format: Format) -> &'static [f32] {
    match format {
        Format::Q8_0 | Format::IQ4_NL => &[4e-4],
        Format::Q4_0 => &[6e-3],
        Format::Q4_1 => &[6e-3, -0.045],
        Format::Q5_0 => &[3e-3],
        Format::Q5_1 => &[3e-3, -0.047],
        Format::Q2_K => &[3e-3, 4e-3],
        Format::Q3_K => &[5e-4],
        Format::Q4_K => &[1e-4, 8e-4],
        Format::Q5_K => &[5e-5, 8e-4],
        Format::Q6_K => &[2e-5],
        Format::IQ4_XS => &[1.5e-5],
        format => panic!("{format:?} has no blocks with halves"),
    }
}

/// A row's bytes: any codes, scales and minima that differ from block to block.
fn random_row(format: Format, columns: usize, state: &mut u64) -> Vec<u8> {
    let mut byte = || {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*state >> 56) as u8
    };
    let mut row: Vec<u8> = (0..format.row_bytes(columns).expect("whole blocks")).map(|_| byte()).collect();
    for block in row.chunks_exact_mut(format.block().1) {
        let spread = 0.8 + f32::from(byte()) / 640.0;
        match format {
            Format::MXFP4 => block[0] = 121 + byte() % 4,
            _ => {
                for (&place, number) in format.halves().iter().zip(sizes(format)) {
                    block[place..place + 2]
                        .copy_from_slice(&half::f16::from_f32(spread * number).to_le_bytes());
                }
            }
        }
        // In 8-bit integers these two are only then decoded to the last bit when the extremes are there, as in files.
        if matches!(format, Format::Q4_0 | Format::Q4_1) {
            *block.last_mut().expect("codes") = 0xf0;
        }
    }
    row
}

/// Writes a base whose matrices have the quantised types one after another, from the `turn`-th on, and its twin in F32.
fn write(folder: &Path, turn: usize) -> [PathBuf; 2] {
    let types: Vec<Format> = Format::ALL.into_iter().filter(is_quantised).collect();
    let (mut quantised, plain) = (synthetic().gguf(), synthetic().gguf());
    let matrices = quantised.tensors.iter_mut().filter(|tensor| tensor.axes.len() == 2);
    for (index, tensor) in matrices.enumerate() {
        let format = types[(index + turn) % types.len()];
        let row_bytes = format.row_bytes(tensor.axes[0] as usize).expect("whole blocks");
        tensor.kind = TensorType::of_format(format).number;
        tensor.bytes = row_bytes * tensor.axes[1] as usize;
    }
    let (mut state, mut decoded) = (turn as u64 + 1, Vec::new());
    let quantised = filled(&quantised, |format, columns| {
        if format == Format::F32 {
            let gains: Vec<f32> = (0..columns).map(|index| 1.0 + (index % 7) as f32 * 0.05).collect();
            decoded.extend(gains.iter().map(|gain| gain.to_bits()));
            return gains.iter().flat_map(|gain| gain.to_le_bytes()).collect();
        }
        let row = random_row(format, columns, &mut state);
        let weight = WeightView {
            format,
            rows: 1,
            columns,
            bytes: &row,
            interleaved_head: None,
            transposed: false,
            scales: None,
        };
        let mut values = vec![0.0; columns];
        weight.decode_row(0, &mut values);
        decoded.extend(values.iter().map(|value| value.to_bits()));
        row
    });
    let mut decoded = decoded.into_iter();
    let plain =
        filled(&plain, |_, columns| decoded.by_ref().take(columns).flat_map(u32::to_le_bytes).collect());
    let paths = ["quantised.gguf", "plain.gguf"].map(|name| folder.join(name));
    std::fs::write(&paths[0], quantised).expect("a file");
    std::fs::write(&paths[1], plain).expect("a file");
    paths
}

/// The file with its rows one after another, as `row` makes them of their type and length.
fn filled(file: &GgufFile, mut row: impl FnMut(Format, usize) -> Vec<u8>) -> Vec<u8> {
    let mut bytes = file.bytes();
    let header = bytes.clone();
    let header = Header::parse(&header, Path::new("any.gguf")).expect("a header");
    for tensor in &header.tensors {
        let format = tensor.stored.and_then(|stored| stored.format).expect("a type that is read");
        let columns = *tensor.shape.last().expect("an axis");
        let row_bytes = format.row_bytes(columns).expect("whole blocks");
        for out in bytes[tensor.bytes.clone()].chunks_exact_mut(row_bytes) {
            out.copy_from_slice(&row(format, columns));
        }
    }
    bytes
}

fn lora() -> LoraConfig {
    LoraConfig { rank: 4, dropout: 0.0, ..LoraConfig::over(separate_projections()) }
}

fn examples() -> PackedBatch {
    let tokens: Vec<u32> = (0..60).map(|index| index * 37 % 257).collect();
    PackedBatch::pack(&[&tokens[..23], &[&tokens[..11], &tokens[40..]].concat()], 8).expect("examples pack")
}

/// What a base computes: logits, the loss, every gradient and the logits after an update.
fn outcomes(base: &Arc<Base>, trained: Trained, precision: Precision) -> Vec<HostTensor> {
    let mut made = engine(base.clone(), trained, LABELS, 7, options(precision)).expect("an engine");
    let settings = AdamW { learning_rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.01 };
    let mut found = vec![logits(made.as_mut())];
    // A first update, since B of a fresh LoRA is zero and A's gradient with it.
    for _ in 0..2 {
        made.zero_gradients();
        let loss = made.accumulate(&examples(), &[0, 2], &[true; 2], true, 2.0, None).expect("gradients");
        found.push(HostTensor::new("loss", vec![1], vec![loss as f32]));
        found.extend(made.gradients());
        made.update(&[true; 2], true, &settings).expect("an update");
        found.push(logits(made.as_mut()));
    }
    found
}

fn logits(engine: &mut dyn Engine) -> HostTensor {
    let mut out = Vec::new();
    engine.logits(&examples(), &mut out).expect("logits");
    HostTensor::new("logits", vec![out.len()], out)
}

fn everywhere(check: impl Fn(&[Arc<Base>; 2], Precision)) {
    for turn in [0, 6] {
        let folder = tempfile::tempdir().expect("a folder");
        let bases = write(folder.path(), turn).map(|path| Arc::new(Base::open(&path).expect("a base")));
        at_every_level(|_| PRECISIONS.into_iter().for_each(|precision| check(&bases, precision)));
    }
}

fn assert_same(found: &[HostTensor], expected: &[HostTensor], precision: Precision) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!(expected.data.iter().all(|value| value.is_finite()), "{precision:?} {}", expected.name);
        assert!(found == expected, "{precision:?} {}: {:?}", found.name, (&found.data[0], &expected.data[0]));
    }
}

#[test]
fn adapters_train_as_on_the_decoded_values() {
    everywhere(|[quantised, plain], precision| {
        let trained = || Trained::Adapter(lora().into());
        assert_same(
            &outcomes(quantised, trained(), precision),
            &outcomes(plain, trained(), precision),
            precision,
        );
    });
}

#[test]
fn weights_train_as_from_the_decoded_values() {
    everywhere(|[quantised, plain], precision| {
        let weights = || Trained::Weights { lowest: 1 };
        let of = |base| outcomes(base, weights(), precision);
        assert_same(&of(quantised), &of(plain), precision);
    });
}

#[test]
fn prepacked_matrices_are_those_of_the_decoded_values() {
    everywhere(|bases, precision| {
        let [found, expected] = bases.each_ref().map(|base| {
            let options = EngineOptions { training: false, ..options(precision) };
            let trained = Trained::Adapter(lora().into());
            let mut made = engine(base.clone(), trained, LABELS, 7, options).expect("an engine");
            made.prepack();
            [logits(made.as_mut())]
        });
        assert_same(&found, &expected, precision);
    });
}

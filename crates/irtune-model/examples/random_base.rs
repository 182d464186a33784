//! Writes a Llama of a real model's shapes with random weights in Q4_1, to time what can't be downloaded.
//!
//! `cargo run --release -p irtune-model --example random_base -- llama-3.1-8b FILE` (5 GB; `llama-3.2-1b` is 0.8 GB).

use std::{
    env,
    fs::File,
    io::{self, BufWriter, Write},
    process::ExitCode,
};

/// Sizes of a decoder.
struct Shape {
    name: &'static str,
    layers: u32,
    hidden: u32,
    intermediate: u32,
    heads: u32,
    key_value_heads: u32,
    vocabulary: u32,
}

const SHAPES: [Shape; 3] = [
    Shape {
        name: "smollm2-135m",
        layers: 30,
        hidden: 576,
        intermediate: 1536,
        heads: 9,
        key_value_heads: 3,
        vocabulary: 49_152,
    },
    Shape {
        name: "llama-3.2-1b",
        layers: 16,
        hidden: 2048,
        intermediate: 8192,
        heads: 32,
        key_value_heads: 8,
        vocabulary: 128_256,
    },
    Shape {
        name: "llama-3.1-8b",
        layers: 32,
        hidden: 4096,
        intermediate: 14_336,
        heads: 32,
        key_value_heads: 8,
        vocabulary: 128_256,
    },
];

/// Values in a quantised block.
const BLOCK: u64 = 32;
/// Formats by their numbers in GGUF, and the bytes of a Q4_1 block.
const F32: u32 = 0;
const Q4_1: u32 = 3;
const Q4_1_BYTES: u64 = 20;
const ALIGNMENT: u64 = 32;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [name, path] = arguments.as_slice() else {
        eprintln!("give a model's name and the file to write");
        return ExitCode::from(2);
    };
    let Some(shape) = SHAPES.iter().find(|shape| shape.name == name) else {
        eprintln!("there is no `{name}`; take one of {}", SHAPES.map(|shape| shape.name).join(", "));
        return ExitCode::from(2);
    };
    match File::create(path).and_then(|file| write(shape, BufWriter::new(file))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{path}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A tensor's name, its axes (fastest first) and its format.
fn tensors(shape: &Shape) -> Vec<(String, Vec<u64>, u32)> {
    let (hidden, wide) = (u64::from(shape.hidden), u64::from(shape.intermediate));
    let key = hidden / u64::from(shape.heads) * u64::from(shape.key_value_heads);
    let mut all = vec![("token_embd.weight".to_owned(), vec![hidden, u64::from(shape.vocabulary)], Q4_1)];
    for layer in 0..shape.layers {
        for (part, axes, format) in [
            ("attn_norm", vec![hidden], F32),
            ("attn_q", vec![hidden, hidden], Q4_1),
            ("attn_k", vec![hidden, key], Q4_1),
            ("attn_v", vec![hidden, key], Q4_1),
            ("attn_output", vec![hidden, hidden], Q4_1),
            ("ffn_norm", vec![hidden], F32),
            ("ffn_gate", vec![hidden, wide], Q4_1),
            ("ffn_up", vec![hidden, wide], Q4_1),
            ("ffn_down", vec![wide, hidden], Q4_1),
        ] {
            all.push((format!("blk.{layer}.{part}.weight"), axes, format));
        }
    }
    all.push(("output_norm.weight".to_owned(), vec![hidden], F32));
    all
}

fn bytes(axes: &[u64], format: u32) -> u64 {
    let values: u64 = axes.iter().product();
    if format == F32 { values * 4 } else { values / BLOCK * Q4_1_BYTES }
}

fn write(shape: &Shape, mut out: impl Write) -> io::Result<()> {
    let tensors = tensors(shape);
    let numbers = [
        ("block_count", shape.layers),
        ("context_length", 8192),
        ("embedding_length", shape.hidden),
        ("feed_forward_length", shape.intermediate),
        ("attention.head_count", shape.heads),
        ("attention.head_count_kv", shape.key_value_heads),
    ];
    let floats = [("attention.layer_norm_rms_epsilon", 1e-5f32), ("rope.freq_base", 500_000.0)];
    let mut header = Vec::new();
    header.extend(b"GGUF");
    header.extend(3u32.to_le_bytes());
    header.extend((tensors.len() as u64).to_le_bytes());
    header.extend((4 + numbers.len() as u64 + floats.len() as u64).to_le_bytes());
    let text = |header: &mut Vec<u8>, text: &str| {
        header.extend((text.len() as u64).to_le_bytes());
        header.extend(text.as_bytes());
    };
    // Types of values: 4 is an unsigned number, 6 a float, 8 a text, 9 a list, whose type and length follow.
    for (key, value) in [("general.architecture", "llama"), ("tokenizer.ggml.model", "gpt2")] {
        text(&mut header, key);
        header.extend(8u32.to_le_bytes());
        text(&mut header, value);
    }
    // A tokenizer with a vocabulary of the right size: what is timed are token ids, and no text is ever cut into them.
    for (key, length) in [("tokenizer.ggml.tokens", shape.vocabulary), ("tokenizer.ggml.merges", 0)] {
        text(&mut header, key);
        header.extend(9u32.to_le_bytes());
        header.extend(8u32.to_le_bytes());
        header.extend(u64::from(length).to_le_bytes());
        (0..length).for_each(|token| text(&mut header, &format!("<{token}>")));
    }
    for (key, value) in numbers {
        text(&mut header, &format!("llama.{key}"));
        header.extend(4u32.to_le_bytes());
        header.extend(value.to_le_bytes());
    }
    for (key, value) in floats {
        text(&mut header, &format!("llama.{key}"));
        header.extend(6u32.to_le_bytes());
        header.extend(value.to_le_bytes());
    }
    let mut offset = 0u64;
    for (name, axes, format) in &tensors {
        text(&mut header, name);
        header.extend((axes.len() as u32).to_le_bytes());
        axes.iter().for_each(|axis| header.extend(axis.to_le_bytes()));
        header.extend(format.to_le_bytes());
        header.extend(offset.to_le_bytes());
        offset = (offset + bytes(axes, *format)).next_multiple_of(ALIGNMENT);
    }
    header.resize(header.len().next_multiple_of(ALIGNMENT as usize), 0);
    out.write_all(&header)?;
    let mut random = 0x9e37_79b9_7f4a_7c15u64;
    for (_, axes, format) in &tensors {
        let length = bytes(axes, *format);
        if *format == F32 {
            (0..length / 4).try_for_each(|_| out.write_all(&1f32.to_le_bytes()))?;
        } else {
            // Values from −0.03 to 0.03: a scale of 2⁻⁸ (in half precision) over 16 steps that begin at −2⁻⁵.
            for _ in 0..length / Q4_1_BYTES {
                let mut block = [0, 0x1c, 0, 0xa8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
                for half in block[4..].chunks_exact_mut(8) {
                    random ^= random << 13;
                    random ^= random >> 7;
                    random ^= random << 17;
                    half.copy_from_slice(&random.to_le_bytes());
                }
                out.write_all(&block)?;
            }
        }
        let padding = (length.next_multiple_of(ALIGNMENT) - length) as usize;
        out.write_all(&[0; ALIGNMENT as usize][..padding])?;
    }
    out.flush()
}

//! Writes a Llama of a real model's sizes with random weights in Q4_1, to time what can't be downloaded.
//!
//! `cargo run --release -p irtune-model --example random_base -- llama-3.1-8b FILE` (5 GB; `llama-3.2-1b` is 0.8 GB).
#![allow(clippy::disallowed_macros, reason = "an example prints what it shows")]

use std::{env, path::Path, process::ExitCode};

use irtune_testing::base::{Format, Sizes, SyntheticBase, Tokenizer, Values};

const MODELS: [(&str, Sizes); 3] = [
    (
        "smollm2-135m",
        Sizes {
            layers: 30,
            hidden: 576,
            intermediate: 1536,
            heads: 9,
            key_value_heads: 3,
            vocabulary: 49_152,
            positions: 8192,
        },
    ),
    (
        "llama-3.2-1b",
        Sizes {
            layers: 16,
            hidden: 2048,
            intermediate: 8192,
            heads: 32,
            key_value_heads: 8,
            vocabulary: 128_256,
            positions: 8192,
        },
    ),
    (
        "llama-3.1-8b",
        Sizes {
            layers: 32,
            hidden: 4096,
            intermediate: 14_336,
            heads: 32,
            key_value_heads: 8,
            vocabulary: 128_256,
            positions: 8192,
        },
    ),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [name, path] = arguments.as_slice() else {
        eprintln!("give a model's name and the file to write");
        return ExitCode::from(2);
    };
    let Some((_, sizes)) = MODELS.iter().find(|(known, _)| known == name) else {
        eprintln!("there is no `{name}`; take one of {}", MODELS.map(|(name, _)| name).join(", "));
        return ExitCode::from(2);
    };
    let base = SyntheticBase {
        sizes: *sizes,
        tied: true,
        rope_theta: 500_000.0,
        format: Format::Q4_1,
        // What is timed are token ids, and no text is ever cut into them.
        tokenizer: Tokenizer::Numbered { tokens: sizes.vocabulary },
        values: Values::Random { seed: 1, spread: 0.06 },
    };
    match base.write_gguf(Path::new(path)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{path}: {error}");
            ExitCode::FAILURE
        }
    }
}

use super::{super::tests::tiny, *};
use crate::families::{FAMILIES, NormKind};
use irtune_testing::base::GgufFile;

fn read(sample: &GgufFile) -> Result<ModelConfig, ConfigError> {
    let bytes = sample.bytes();
    ModelConfig::from_gguf(&Header::parse(&bytes, Path::new("tiny.gguf")).expect("a whole file"))
}

fn changed(change: impl Fn(&mut GgufFile)) -> Result<ModelConfig, ConfigError> {
    let mut sample = GgufFile::letters();
    change(&mut sample);
    read(&sample)
}

#[test]
fn a_usual_file_is_read() {
    assert_eq!(read(&GgufFile::letters()).unwrap(), tiny());
    let untied = changed(|sample| sample.tensor("output.weight", &[64, 40])).unwrap();
    assert!(!untied.tied_embeddings);
    let plain = changed(|sample| {
        sample.remove("llama.attention.head_count_kv");
        sample.remove("llama.rope.freq_base");
        sample.remove("llama.rope.dimension_count");
        sample.unsigned("llama.attention.key_length", 8);
        sample.unsigned("tokenizer.ggml.padding_token_id", u32::MAX);
    });
    let plain = plain.unwrap();
    assert_eq!(
        (plain.key_value_heads, plain.head_size, plain.variant.rotary.theta, plain.pad_token),
        (4, 8, 10_000.0, None)
    );
}

#[test]
fn rotary_scaling_is_read() {
    let linear = changed(|sample| {
        sample.text("llama.rope.scaling.type", "linear");
        sample.float("llama.rope.scaling.factor", 2.0);
    });
    assert_eq!(linear.unwrap().variant.rotary.scaling, RopeScaling::Linear { factor: 2.0 });
    let old = changed(|sample| sample.float("llama.rope.scale_linear", 4.0));
    assert_eq!(old.unwrap().variant.rotary.scaling, RopeScaling::Linear { factor: 4.0 });
    let yarn = |change: fn(&mut GgufFile)| {
        let config = changed(|sample| {
            sample.text("llama.rope.scaling.type", "yarn");
            sample.float("llama.rope.scaling.factor", 4.0);
            change(sample);
        });
        config.unwrap().variant.rotary.scaling
    };
    let plain = RopeScaling::Yarn {
        factor: 4.0,
        original_positions: 128,
        beta_fast: 32.0,
        beta_slow: 1.0,
        attention_factor: 1.0 + 0.1 * 4f64.ln() as f32,
        truncate: true,
    };
    assert_eq!(yarn(|_| {}), plain);
    let whole = yarn(|sample| {
        sample.unsigned("llama.rope.scaling.original_context_length", 32);
        sample.float("llama.rope.scaling.yarn_beta_fast", 16.0);
        sample.float("llama.rope.scaling.yarn_beta_slow", 2.0);
        sample.float("llama.rope.scaling.yarn_log_multiplier", 1.0);
    });
    let expected = RopeScaling::Yarn {
        factor: 4.0,
        original_positions: 32,
        beta_fast: 16.0,
        beta_slow: 2.0,
        attention_factor: 1.0,
        truncate: true,
    };
    assert_eq!(whole, expected);
    let none = changed(|sample| sample.text("llama.rope.scaling.type", "none"));
    assert_eq!(none.unwrap().variant.rotary.scaling, RopeScaling::None);
}

#[test]
fn own_rotary_factors_are_read_from_their_tensor() {
    let mut sample = GgufFile::letters();
    sample.tensor("rope_freqs.weight", &[8]);
    let mut bytes = sample.bytes();
    let end = bytes.len();
    let factors = [1.0f32, 1.0, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0];
    bytes[end - 32..].copy_from_slice(&factors.map(f32::to_le_bytes).concat());
    let header = Header::parse(&bytes, Path::new("tiny.gguf")).unwrap();
    let config = ModelConfig::from_gguf(&header).unwrap();
    assert_eq!(config.variant.rotary.scaling, RopeScaling::Factors { factors: factors.to_vec() });
    assert_eq!(header.translated(&config).unwrap().known.len(), 20);
}

/// A change of the whole sample, and what the refusal must say.
type Case = (fn(&mut GgufFile), &'static str);

#[test]
fn what_cannot_be_used_is_named() {
    let cases: [Case; 15] = [
        (
            |sample| sample.text("general.architecture", "mamba"),
            "`general.architecture` is `mamba`, which is not supported",
        ),
        (|sample| sample.remove("general.architecture"), "`general.architecture` is `unnamed`"),
        (
            |sample| sample.unsigned("llama.expert_count", 8),
            "`llama.expert_count` is 8, which is not supported",
        ),
        (|sample| sample.remove("llama.block_count"), "`llama.block_count` is missing"),
        (
            |sample| sample.unsigned("llama.block_count", 0),
            "`llama.block_count` is 0, but must be a whole number from 1",
        ),
        (
            |sample| sample.text("llama.block_count", "2"),
            "`llama.block_count` is \"2\", but must be a whole number",
        ),
        (
            |sample| sample.unsigned("llama.attention.head_count", 5),
            "`llama.attention.head_count` is 5, but must be a divisor",
        ),
        (|sample| sample.unsigned("llama.attention.head_count_kv", 3), "4 heads cannot share 3"),
        (
            |sample| sample.unsigned("llama.rope.dimension_count", 18),
            "`llama.rope.dimension_count` is 18, which is not supported",
        ),
        (|sample| sample.unsigned("llama.attention.value_length", 8), "values as wide as keys"),
        (
            |sample| sample.remove("llama.attention.layer_norm_rms_epsilon"),
            "`llama.attention.layer_norm_rms_epsilon` is missing",
        ),
        (|sample| sample.float("llama.rope.freq_base", f32::NAN), "`llama.rope.freq_base` is NaN"),
        (|sample| sample.text("llama.rope.scaling.type", "yarn"), "`llama.rope.scaling.factor` is missing"),
        (
            |sample| sample.text("llama.rope.scaling.type", "longrope"),
            "`llama.rope.scaling.type` is \"longrope\"",
        ),
        (|sample| sample.tensor("rope_freqs.weight", &[5]), "have 5 factors, but a head has 8 pairs"),
    ];
    for (change, expected) in cases {
        let message = changed(change).expect_err(expected).to_string();
        assert!(
            message.starts_with("tiny.gguf: ") && message.contains(expected),
            "{message}\nlacks\n{expected}"
        );
    }
    // Zero bytes are factors of 0, which would make the frequencies infinite.
    let message = changed(|sample| sample.tensor("rope_freqs.weight", &[8])).unwrap_err().to_string();
    assert!(message.contains("`rope_freqs.weight` is 0, but must be a finite number above 0"), "{message}");
    let message = changed(|sample| {
        sample.tensors.retain(|tensor| tensor.name != "token_embd.weight");
    });
    assert!(message.unwrap_err().to_string().contains("`token_embd.weight` is missing"));
}

/// The usual file as one of another architecture, without the tensors that are its own.
fn of_architecture(architecture: &str) -> GgufFile {
    let mut sample = GgufFile::letters();
    for (key, _) in &mut sample.values {
        if let Some(rest) = key.strip_prefix("llama.") {
            *key = format!("{architecture}.{rest}");
        }
    }
    sample.text("general.architecture", architecture);
    let family = Family::by_architecture(architecture, false).expect("a family");
    if (family.layer)(&tiny().variant, 0).norm == NormKind::Layer {
        let named = sample.values.iter_mut().find(|(key, _)| key.ends_with("layer_norm_rms_epsilon"));
        let (key, _) = named.expect("the norms' epsilon");
        *key = key.replace("rms_", "");
    }
    sample
}

/// Every architecture with the family of a file that names no window.
fn architectures() -> impl Iterator<Item = (&'static str, &'static Family)> {
    let names: std::collections::BTreeSet<_> =
        FAMILIES.into_iter().filter_map(|family| family.architecture).collect();
    names.into_iter().map(|name| (name, Family::by_architecture(name, false).expect("a family")))
}

#[test]
fn every_familys_sizes_are_read_under_its_own_name() {
    for (architecture, family) in architectures() {
        let found = read(&of_architecture(architecture)).unwrap();
        // What a family has beside a plain decoder is held by the goldens.
        let variant = found.variant.clone();
        assert_eq!(found, ModelConfig { family, variant, ..tiny() });
        assert_eq!(found.variant.rotary, tiny().variant.rotary);
        let biases = |tensor: &str, length| {
            let mut sample = of_architecture(architecture);
            sample.tensor(tensor, &[length]);
            let variant = read(&sample).unwrap().variant;
            (variant.attention_bias, variant.mlp_bias)
        };
        let reads = family.reads_biases;
        assert_eq!(biases("blk.0.attn_q.bias", 64), (reads.attention, false), "{family:?}");
        assert_eq!(biases("blk.0.ffn_gate.bias", 96), (false, reads.mlp), "{family:?}");
    }
}

#[test]
fn layers_with_a_window_are_those_that_the_file_names() {
    let windows = |change: &dyn Fn(&mut GgufFile)| {
        let mut sample = of_architecture("gemma3");
        sample.unsigned("gemma3.attention.sliding_window", 16);
        change(&mut sample);
        read(&sample).map(|config| [0, 1].map(|layer| config.layer(layer).scores.window))
    };
    assert_eq!(windows(&|_| {}).unwrap(), [Some(16); 2]);
    let pattern = "gemma3.attention.sliding_window_pattern";
    assert_eq!(windows(&|sample| sample.unsigned(pattern, 2)).unwrap(), [Some(16), None]);
    assert_eq!(windows(&|sample| sample.flags(pattern, &[false, true])).unwrap(), [None, Some(16)]);
    let message = windows(&|sample| sample.flags(pattern, &[true])).unwrap_err().to_string();
    assert!(message.contains("sliding_window_pattern` is an array of 1 values, but must be true or false"));
}

#[test]
fn what_a_gguf_leaves_out_is_known_of_the_family() {
    let of = |architecture: &str, layers| {
        let mut sample = of_architecture(architecture);
        sample.unsigned(&format!("{architecture}.block_count"), layers);
        read(&sample).unwrap()
    };
    // 16 values a head; 64 values of the residual stream for 4 heads are as many, so the 27B's is told by another size.
    let scale = |architecture: &str, layers| {
        let mut sample = of_architecture(architecture);
        sample.unsigned(&format!("{architecture}.block_count"), layers);
        sample.unsigned(&format!("{architecture}.attention.key_length"), 8);
        sample.remove(&format!("{architecture}.rope.dimension_count"));
        read(&sample).unwrap().layer(0).scores.scale
    };
    for (architecture, layers) in [("gemma2", 46), ("gemma3", 62)] {
        assert_eq!(scale(architecture, 2), 1.0 / 8f32.sqrt());
        assert_eq!(scale(architecture, layers), 0.25);
    }
    assert_eq!(of("gemma2", 2).layer(0).scores.cap, Some(50.0));
    assert_eq!(of("gemma2", 2).variant.logit_cap, Some(30.0));
    assert_eq!(of("gemma3", 2).variant.local_rotary.map(|local| local.theta), Some(10_000.0));
    let turned = (0..4).map(|layer| of("smollm3", 4).layer(layer).rotary.is_some());
    assert!(turned.eq([true, true, true, false]));
    let mut sample = of_architecture("granite");
    sample.flag("granite.rope.scaling.finetuned", false);
    let message = read(&sample).unwrap_err().to_string();
    assert!(
        message.contains("`granite.rope.scaling.finetuned` is false, which is not supported"),
        "{message}"
    );
}

#[test]
fn a_window_is_read_or_refused_unless_it_reaches_over_all_positions() {
    for (architecture, _) in architectures() {
        let windowed = |keys| {
            let mut sample = of_architecture(architecture);
            sample.unsigned(&format!("{architecture}.attention.sliding_window"), keys);
            read(&sample)
        };
        assert_eq!(windowed(0).unwrap().layer(0).scores.window, None, "{architecture}");
        windowed(128).unwrap();
        match windowed(127) {
            Ok(config) => assert_eq!(config.layer(0).scores.window, Some(127), "{architecture}"),
            Err(error) => {
                let family = Family::by_architecture(architecture, true).expect("a family");
                let window = family.window.as_ref().map(|window| window.layers);
                let read = matches!(window, Some(WindowedLayers::All | WindowedLayers::AllButEvery { .. }));
                assert!(!read, "{error}");
                let expected = "attention.sliding_window` is 127, which is not supported";
                assert!(error.to_string().contains(expected), "{error}");
            }
        }
    }
}

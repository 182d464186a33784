use serde_json::json;

use super::{super::tests::tiny, *};
use crate::{base::config::RopeScaling, families::FAMILIES};

fn parse(value: &Value) -> Result<ModelConfig, ConfigError> {
    ModelConfig::parse_json(value.to_string().as_bytes(), Path::new("config.json"))
}

/// The tiny decoder as transformers 4 would write it.
fn usual() -> Value {
    json!({
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 40, "hidden_size": 64,
        "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
        "hidden_act": "silu", "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "rope_scaling": null,
        "max_position_embeddings": 128, "initializer_range": 0.02, "tie_word_embeddings": true,
        "attention_bias": false, "bos_token_id": 1, "eos_token_id": [2, 3], "pad_token_id": -1, "torch_dtype": "bfloat16",
    })
}

/// The usual configuration with some fields changed.
fn with(changes: Value) -> Value {
    let mut value = usual();
    for (field, change) in changes.as_object().expect("an object") {
        value[field] = change.clone();
    }
    value
}

#[test]
fn a_usual_configuration_is_read() {
    assert_eq!(parse(&usual()).unwrap(), tiny());
    let defaults = parse(&json!({
        "model_type": "llama", "vocab_size": 40, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2,
        "num_attention_heads": 4,
    }));
    let expected = ModelConfig {
        key_value_heads: 4,
        norm_epsilon: 1e-6,
        max_positions: 2048,
        tied_embeddings: false,
        begin_token: None,
        end_token: None,
        ..tiny()
    };
    assert_eq!(defaults.unwrap(), expected);
    assert_eq!(parse(&with(json!({"head_dim": 8}))).unwrap().head_size, 8);
}

#[test]
fn rotary_settings_are_read_in_every_spelling() {
    let llama3 = json!({"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "rope_type": "llama3",
        "original_max_position_embeddings": 64});
    let llama3_scaling = RopeScaling::Llama3 {
        factor: 8.0,
        low_frequency_factor: 1.0,
        high_frequency_factor: 4.0,
        original_positions: 64,
    };
    let cases = [
        (
            json!({"rope_scaling": {"type": "linear", "factor": 2.0}}),
            10_000.0,
            RopeScaling::Linear { factor: 2.0 },
        ),
        (
            json!({"rope_scaling": {"rope_type": "linear", "factor": 4}}),
            10_000.0,
            RopeScaling::Linear { factor: 4.0 },
        ),
        (json!({"rope_scaling": {"rope_type": "default"}}), 10_000.0, RopeScaling::None),
        (json!({"rope_scaling": llama3, "rope_theta": 500_000.0}), 500_000.0, llama3_scaling),
        (
            json!({"rope_theta": null, "rope_parameters": {"rope_type": "default", "rope_theta": 77.0}}),
            77.0,
            RopeScaling::None,
        ),
        (
            json!({"rope_parameters": {"rope_type": "linear", "factor": 3.0}, "rope_theta": 5.0}),
            5.0,
            RopeScaling::Linear { factor: 3.0 },
        ),
        (json!({"rope_theta": null}), 10_000.0, RopeScaling::None),
    ];
    for (changes, theta, scaling) in cases {
        let config = parse(&with(changes.clone())).unwrap_or_else(|error| panic!("{changes}: {error}"));
        assert_eq!((config.rope_theta, config.rope_scaling), (theta, scaling), "{changes}");
    }
}

#[test]
fn what_cannot_be_used_is_named() {
    let llama3 = |low: f64, high: f64| json!({"rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": low, "high_freq_factor": high}});
    let cases = [
        (json!({"model_type": "mamba"}), "`model_type` is `mamba`, which is not supported"),
        (json!({"model_type": null}), "`model_type` is `unnamed`"),
        (json!({"model_type": 3}), "`model_type` is 3, but must be a string"),
        (
            json!({"attention_bias": true}),
            "`attention_bias` is true, which is not supported; choose a base with attention_bias false",
        ),
        (json!({"mlp_bias": true}), "`mlp_bias` is true"),
        (json!({"hidden_act": "gelu"}), "`hidden_act` is \"gelu\", which is not supported"),
        (json!({"hidden_size": null}), "`hidden_size` is missing"),
        (json!({"hidden_size": 0}), "`hidden_size` is 0, but must be a whole number from 1"),
        (json!({"vocab_size": 4294967296u64}), "`vocab_size` is 4294967296"),
        (json!({"num_hidden_layers": "two"}), "`num_hidden_layers` is \"two\""),
        (
            json!({"num_attention_heads": 5}),
            "`num_attention_heads` is 5, but must be a divisor of hidden_size",
        ),
        (json!({"num_key_value_heads": 3}), "4 heads cannot share 3 key and value heads evenly"),
        (json!({"head_dim": 15}), "a head of 15 values cannot be turned in pairs"),
        (json!({"rms_norm_eps": -1.0}), "`rms_norm_eps` is -1.0, but must be a finite number above 0"),
        (json!({"rope_theta": 1e300}), "`rope_theta` is 1e+300, but must be a finite number above 0"),
        (json!({"tie_word_embeddings": 1}), "`tie_word_embeddings` is 1, but must be true or false"),
        (json!({"eos_token_id": [[]]}), "`eos_token_id` is [[]], but must be a token id"),
        (json!({"bos_token_id": 40}), "the begin token 40 is outside the vocabulary of 40"),
        (json!({"rope_scaling": 3}), "`rope_scaling` is 3, but must be an object"),
        (
            json!({"rope_scaling": {"type": "yarn", "factor": 2.0}}),
            "`rope_scaling.type` is \"yarn\", which is not supported",
        ),
        (json!({"rope_parameters": {"rope_type": "dynamic"}}), "`rope_parameters.rope_type` is \"dynamic\""),
        (json!({"rope_scaling": {"type": "linear"}}), "`rope_scaling.factor` is missing"),
        (llama3(4.0, 4.0), "`high_freq_factor` is 4, but must be above low_freq_factor"),
    ];
    for (changes, expected) in cases {
        let message = parse(&with(changes.clone())).expect_err(expected).to_string();
        assert!(
            message.starts_with("config.json: ") && message.contains(expected),
            "{message}\nlacks\n{expected}"
        );
    }
}

#[test]
fn files_that_are_no_configuration_are_refused() {
    let message = ModelConfig::from_json(Path::new("nowhere/config.json")).unwrap_err().to_string();
    assert!(message.starts_with("cannot read nowhere/config.json"), "{message}");
    for text in ["", "[]", "{\"model_type\": ", "\u{0}"] {
        let message =
            ModelConfig::parse_json(text.as_bytes(), Path::new("config.json")).unwrap_err().to_string();
        assert!(message.starts_with("config.json is not a JSON object"), "{message}");
    }
}

/// A configuration of a family that gives nothing that could be left out.
fn shortest(family: &Family) -> Value {
    json!({
        "model_type": family.model_type, "vocab_size": 40, "hidden_size": 64, "intermediate_size": 96,
        "num_hidden_layers": 2, "num_attention_heads": 32,
    })
}

#[test]
fn every_family_has_its_own_defaults() {
    for family in FAMILIES {
        let config = parse(&shortest(family)).unwrap_or_else(|error| panic!("{family:?}: {error}"));
        assert_eq!(config.family, family);
        assert_eq!(config.head_size, family.defaults.head_size.unwrap_or(2));
        assert_eq!(config.max_positions, family.defaults.max_positions);
        assert_eq!((config.key_value_heads, config.attention_bias), (32, false));
        assert_eq!((config.norm_epsilon, config.rope_theta, config.tied_embeddings), (1e-6, 10_000.0, false));
        let mut fewer = shortest(family);
        fewer["num_attention_heads"] = json!(4);
        fewer["num_key_value_heads"] = Value::Null;
        assert_eq!(parse(&fewer).unwrap().key_value_heads, 4);
        let written = config.to_transformers(&["a".to_owned(), "b".to_owned()]);
        assert_eq!(written["architectures"], json!([family.classifier_class]));
        assert_eq!(parse(&written).unwrap(), config);
    }
}

#[test]
fn fixed_fields_may_hold_nothing_else() {
    for (family, fixed) in
        FAMILIES.into_iter().flat_map(|family| family.fixed.iter().map(move |fixed| (family, fixed)))
    {
        let mut config = shortest(family);
        config[fixed.field] = fixed.value.to_json();
        parse(&config).unwrap();
        config[fixed.field] = json!("another");
        let message = parse(&config).unwrap_err().to_string();
        let expected = format!("choose a base with {} {}", fixed.field, fixed.value.to_json());
        assert!(message.contains(&expected), "{message}");
    }
}

#[test]
fn biases_of_attention_are_read_where_the_family_leaves_them_open() {
    let open = FAMILIES.into_iter().filter(|family| family.reads_attention_bias);
    let mut count = 0;
    for family in open {
        let mut config = shortest(family);
        config["attention_bias"] = json!(true);
        let config = parse(&config).unwrap();
        assert!(config.attention_bias && config.layer(0).biases.len() == 4);
        let written = config.to_transformers(&["a".to_owned()]);
        assert_eq!(written["attention_bias"], json!(true));
        assert_eq!(parse(&written).unwrap(), config);
        count += 1;
    }
    assert!(count > 0);
}

#[test]
fn a_window_is_refused_where_it_would_matter() {
    let windowed = FAMILIES.into_iter().filter(|family| family.window.is_some());
    let mut count = 0;
    for family in windowed {
        let with = |changes: Value| {
            let mut value = shortest(family);
            for (field, change) in changes.as_object().expect("an object") {
                value[field] = change.clone();
            }
            parse(&value)
        };
        let harmless = [
            json!({"use_sliding_window": false, "sliding_window": 16, "max_window_layers": 0}),
            json!({"use_sliding_window": true, "max_window_layers": 2}),
            json!({"use_sliding_window": true}),
            json!({"use_sliding_window": true, "sliding_window": null, "max_window_layers": 0}),
            json!({"use_sliding_window": true, "sliding_window": 32768, "max_window_layers": 0}),
            json!({"use_sliding_window": true, "max_window_layers": 0, "max_position_embeddings": 4096}),
            json!({"use_sliding_window": true, "max_window_layers": 0,
                "layer_types": ["full_attention", "full_attention"]}),
        ];
        for changes in harmless {
            with(changes.clone()).unwrap_or_else(|error| panic!("{family:?} {changes}: {error}"));
        }
        let harmful = [
            json!({"use_sliding_window": true, "sliding_window": 16, "max_window_layers": 1}),
            json!({"use_sliding_window": true, "max_window_layers": 0}),
            json!({"use_sliding_window": true, "layer_types": ["full_attention", "sliding_attention"]}),
        ];
        for changes in harmful {
            let message = with(changes).unwrap_err().to_string();
            assert!(
                message.contains("`sliding_window` is") && message.contains("use_sliding_window false"),
                "{message}"
            );
        }
        count += 1;
    }
    assert!(count > 0);
}

#[test]
fn an_unknown_family_is_named_with_the_known_ones_and_the_nearest() {
    for family in FAMILIES {
        let mut config = shortest(family);
        config["model_type"] = json!(format!("{}_moe", family.model_type));
        let message = parse(&config).unwrap_err().to_string();
        let nearest = format!("_moe`, which is not supported (the nearest that is: `{}`)", family.model_type);
        assert!(message.contains(&nearest), "{message}");
        assert!(FAMILIES.iter().all(|family| message.contains(family.models)), "{message}");
    }
}

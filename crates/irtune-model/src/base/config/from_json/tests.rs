use serde_json::json;

use super::{super::tests::tiny, *};
use crate::families::{
    FAMILIES, FieldNames,
    Projection::{self, DownProj, GateProj, KProj, OProj, QProj, UpProj, VProj},
    Quantity, QueryGrowth, RopeScaling, Variant, WindowedLayers,
};

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
    let yarn = |attention_factor| RopeScaling::Yarn {
        factor: 4.0,
        original_positions: 128,
        beta_fast: 32.0,
        beta_slow: 1.0,
        attention_factor,
        truncate: true,
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
        (
            json!({"rope_scaling": {"type": "yarn", "factor": 4.0}}),
            10_000.0,
            yarn(1.0 + 0.1 * 4f64.ln() as f32),
        ),
        (
            json!({"rope_scaling": {"rope_type": "yarn", "factor": 4.0, "mscale": 1.0, "mscale_all_dim": 1.0,
                "original_max_position_embeddings": 128, "truncate": true, "beta_fast": 32, "beta_slow": 1}}),
            10_000.0,
            yarn(1.0),
        ),
        (
            json!({"rope_scaling": {"rope_type": "yarn", "factor": 4.0, "attention_factor": 1.25}}),
            10_000.0,
            yarn(1.25),
        ),
    ];
    for (changes, theta, scaling) in cases {
        let config = parse(&with(changes.clone())).unwrap_or_else(|error| panic!("{changes}: {error}"));
        let rotary = config.variant.rotary;
        assert_eq!((rotary.theta, rotary.scaling), (theta, scaling), "{changes}");
    }
}

#[test]
fn what_cannot_be_used_is_named() {
    let llama3 = |low: f64, high: f64| json!({"rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": low, "high_freq_factor": high}});
    let cases = [
        (json!({"model_type": "mamba"}), "`model_type` is `mamba`, which is not supported"),
        (json!({"model_type": null}), "`model_type` is `unnamed`"),
        (json!({"model_type": 3}), "`model_type` is 3, but must be a string"),
        (json!({"attention_bias": 1}), "`attention_bias` is 1, but must be true or false"),
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
            json!({"rope_scaling": {"type": "longrope", "factor": 2.0}}),
            "`rope_scaling.short_factor` is missing",
        ),
        (
            json!({"partial_rotary_factor": 1.5}),
            "`partial_rotary_factor` is 1.5, but must be a number above 0",
        ),
        (
            json!({"rope_scaling": {"type": "yarn", "factor": 2.0, "beta_fast": 1.0, "beta_slow": 2.0}}),
            "`beta_fast` is 1, but must be at least beta_slow",
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
    let mut decoder = json!({
        "model_type": family.text.unwrap_or(family).model_type, "vocab_size": 40, "hidden_size": 128,
        "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 32,
    });
    if family.grows_queries {
        decoder["rope_parameters"] = json!({"rope_type": "default"});
    }
    let decoder = under_own_names(family, &decoder);
    match family.text {
        Some(_) => json!({"model_type": family.model_type, "text_config": decoder}),
        None => decoder,
    }
}

/// Fields of Llama under a family's names, without those that it lacks.
fn under_own_names(family: &Family, fields: &Value) -> Value {
    let (llama, own) = (&FieldNames::LLAMA, &family.text.unwrap_or(family).fields);
    let names = [
        (llama.hidden_size, Some(own.hidden_size)),
        (llama.intermediate_size, Some(own.intermediate_size)),
        (llama.layers, Some(own.layers)),
        (llama.heads, Some(own.heads)),
        (llama.key_value_heads.expect("a name"), own.key_value_heads),
    ];
    let fields = fields.as_object().expect("an object").iter();
    let named = fields.filter_map(|(name, value)| {
        let own = names.iter().find(|(llama, _)| llama == name).map_or(Some(name.as_str()), |(_, own)| *own);
        Some((own?.to_owned(), value.clone()))
    });
    Value::Object(named.collect())
}

#[test]
fn every_family_has_its_own_defaults() {
    for family in FAMILIES {
        let config = parse(&shortest(family)).unwrap_or_else(|error| panic!("{family:?}: {error}"));
        assert_eq!(config.family, family);
        let defaults = &family.defaults;
        assert_eq!(config.head_size, defaults.head_size.unwrap_or(4));
        assert_eq!(config.key_value_heads, defaults.key_value_heads.unwrap_or(32));
        assert_eq!(
            (config.max_positions, config.norm_epsilon),
            (defaults.max_positions, defaults.norm_epsilon)
        );
        assert_eq!(
            (config.variant.rotary.theta, config.tied_embeddings),
            (defaults.theta, defaults.tied_embeddings)
        );
        assert!(!config.variant.attention_bias && !config.variant.mlp_bias);
        let fewer = json!({"num_attention_heads": 4, "num_key_value_heads": null});
        assert_eq!(shortest_with(family, &fewer).unwrap().key_value_heads, 4);
        let written = is_written(&config);
        assert_eq!(written["architectures"], json!([family.text.unwrap_or(family).classifier_class()]));
    }
}

#[test]
fn fixed_fields_may_hold_nothing_else() {
    for (family, fixed) in
        FAMILIES.into_iter().flat_map(|family| family.fixed.iter().map(move |fixed| (family, fixed)))
    {
        let also = fixed.also.iter().map(|also| json!(also));
        for value in [fixed.value.to_json(), Value::Null].into_iter().chain(also) {
            shortest_with(family, &json!({fixed.field: value})).unwrap();
        }
        let message = shortest_with(family, &json!({fixed.field: "another"})).unwrap_err().to_string();
        let expected = format!("choose a base with {} {}", fixed.field, fixed.value.to_json());
        assert!(message.contains(&expected), "{message}");
    }
}

/// The shortest configuration with some fields set.
fn shortest_with(family: &Family, changes: &Value) -> Result<ModelConfig, ConfigError> {
    let mut value = shortest(family);
    let decoder = if family.text.is_some() { &mut value["text_config"] } else { &mut value };
    for (field, change) in under_own_names(family, changes).as_object().expect("an object") {
        decoder[field] = change.clone();
    }
    parse(&value)
}

/// That what is written of a configuration reads back as the same decoder, of a composite one as its text part.
fn is_written(config: &ModelConfig) -> Value {
    let written = config.to_transformers(&["a".to_owned()]);
    let family = config.family.text.unwrap_or(config.family);
    assert_eq!(parse(&written).unwrap(), ModelConfig { family, ..config.clone() }, "{written:#}");
    written
}

#[test]
fn biases_are_read_where_the_family_leaves_them_open() {
    let mut count = 0;
    for family in FAMILIES {
        for (field, open, projections) in [
            ("attention_bias", family.reads_biases.attention, &[QProj, KProj, VProj, OProj][..]),
            ("mlp_bias", family.reads_biases.mlp, &[GateProj, UpProj, DownProj]),
        ] {
            if !open {
                continue;
            }
            let plain = shortest_with(family, &json!({})).unwrap().layer(0);
            let config = shortest_with(family, &json!({field: true})).unwrap();
            let added = Projection::ALL
                .into_iter()
                .filter(|&one| config.layer(0).has_bias(one) && !plain.has_bias(one));
            assert!(added.eq(projections.iter().copied()), "{family:?} {field}");
            assert_eq!(is_written(&config)[field], json!(true));
            count += 1;
        }
    }
    assert!(count > 0);
}

/// The windows of both layers.
fn windows(config: &ModelConfig) -> [Option<usize>; 2] {
    [0, 1].map(|layer| config.layer(layer).scores.window)
}

#[test]
fn windows_are_read_with_the_layers_that_have_them() {
    let mut count = 0;
    for (family, window) in FAMILIES.into_iter().filter_map(|family| Some((family, family.window.as_ref()?)))
    {
        let read = |mut changes: Value| {
            if let Some(flag) = window.flag {
                changes[flag] = json!(true);
            }
            let config =
                shortest_with(family, &changes).unwrap_or_else(|error| panic!("{family:?}: {error}"));
            is_written(&config);
            windows(&config)
        };
        if let Some(flag) = window.flag {
            let config = shortest_with(family, &json!({flag: false, "sliding_window": 16})).unwrap();
            assert_eq!(windows(&config), [None, None], "{family:?}");
        }
        assert_eq!(read(json!({"sliding_window": null})), [None, None], "{family:?}");
        match window.layers {
            WindowedLayers::All => {
                assert_eq!(read(json!({})), [window.keys; 2], "{family:?}");
                assert_eq!(read(json!({"sliding_window": 16})), [Some(16); 2], "{family:?}");
            }
            WindowedLayers::AllButEvery { field, every } => {
                let of = |layer: usize, every: usize| !(layer + 1).is_multiple_of(every);
                let keys = |every| [0, 1].map(|layer| window.keys.filter(|_| of(layer, every)));
                assert_eq!(read(json!({})), keys(every), "{family:?}");
                if let Some(field) = field {
                    assert_eq!(read(json!({field: 2})), keys(2), "{family:?}");
                }
            }
            WindowedLayers::Unturned => {
                assert_eq!(read(json!({})), [None, None], "{family:?}");
                let windows = read(json!({"sliding_window": 16, "no_rope_layers": [0, 1]}));
                assert_eq!(windows, [Some(16), None], "{family:?}");
            }
            WindowedLayers::From(_) => {
                assert_eq!(read(json!({})), [None, None], "{family:?}");
                let from = |layer: usize| read(json!({"sliding_window": 16, "max_window_layers": layer}));
                assert_eq!([from(0), from(1)], [[Some(16); 2], [None, Some(16)]], "{family:?}");
            }
        }
        if window.layer_types {
            let types = json!(["sliding_attention", "full_attention"]);
            assert_eq!(read(json!({"sliding_window": 16, "layer_types": types})), [Some(16), None]);
            let mut changes = json!({"sliding_window": 16, "layer_types": ["sliding_attention"]});
            if let Some(flag) = window.flag {
                changes[flag] = json!(true);
            }
            let message = shortest_with(family, &changes).unwrap_err().to_string();
            assert!(message.contains("layer_types` is [\"sliding_attention\"], but must be"), "{message}");
        }
        count += 1;
    }
    assert!(count > 0);
}

#[test]
fn layers_without_rotary_positions_are_read() {
    let mut count = 0;
    for (family, unturned) in
        FAMILIES.into_iter().filter_map(|family| Some((family, family.unturned.as_ref()?)))
    {
        let read = |changes: Value| {
            let config = shortest_with(family, &changes).unwrap_or_else(|error| panic!("{error}"));
            is_written(&config);
            (0..config.layers).map(|layer| config.layer(layer).rotary.is_some()).collect::<Vec<_>>()
        };
        let turned =
            |every: usize| (1..=2 * every).map(|layer| !layer.is_multiple_of(every)).collect::<Vec<_>>();
        assert_eq!(read(json!({"num_hidden_layers": 2 * unturned.every})), turned(unturned.every));
        assert_eq!(read(json!({"num_hidden_layers": 6, unturned.interval: 3})), turned(3));
        assert_eq!(read(json!({unturned.field: [0, 1]})), [false, true]);
        for wrong in [json!([1]), json!([1, 2]), json!("every")] {
            let message = shortest_with(family, &json!({unturned.field: wrong})).unwrap_err().to_string();
            assert!(message.contains("but must be a list with 1 or 0 for each layer"), "{message}");
        }
        count += 1;
    }
    assert!(count > 0);
}

#[test]
fn layers_with_a_window_can_have_rotary_positions_of_their_own() {
    let mut count = 0;
    for (family, local) in
        FAMILIES.into_iter().filter_map(|family| Some((family, family.local_rotary.as_ref()?)))
    {
        let read = |changes: Value| {
            let config = shortest_with(family, &changes).unwrap_or_else(|error| panic!("{error}"));
            is_written(&config);
            let Variant { rotary, local_rotary, .. } = config.variant;
            let local = local_rotary.expect("positions of windows");
            assert_eq!(local.scaling, RopeScaling::None);
            (rotary.theta, rotary.scaling, local.theta)
        };
        let (main, linear) = (family.defaults.theta, RopeScaling::Linear { factor: 2.0 });
        assert_eq!(read(json!({})), (main, RopeScaling::None, local.theta.unwrap_or(main)));
        let old = json!({"rope_theta": 77.0, "rope_scaling": {"rope_type": "linear", "factor": 2.0}});
        assert_eq!(read(old), (77.0, linear.clone(), local.theta.unwrap_or(77.0)));
        if let Some(field) = local.field {
            assert_eq!(read(json!({field: 55.0})).2, 55.0);
        }
        let of_kinds = |windowed: Value| {
            let full = json!({"rope_type": "linear", "factor": 2.0, "rope_theta": 77.0});
            json!({"rope_parameters": {"full_attention": full, "sliding_attention": windowed}})
        };
        let new = of_kinds(json!({"rope_type": "default", "rope_theta": 5.0}));
        assert_eq!(read(new), (77.0, linear, 5.0));
        let scaled = of_kinds(json!({"rope_type": "linear", "factor": 3.0}));
        let message = shortest_with(family, &scaled).unwrap_err().to_string();
        assert!(message.contains("rotary positions of windows that are not scaled"), "{message}");
        count += 1;
    }
    assert!(count > 0);
}

#[test]
fn queries_grow_as_the_rotary_settings_say() {
    let growing = FAMILIES.into_iter().filter(|family| family.grows_queries);
    let mut count = 0;
    for family in growing {
        let rope = json!({"rope_parameters": {"rope_type": "yarn", "factor": 4.0, "rope_theta": 5.0,
            "original_max_position_embeddings": 8, "llama_4_scaling_beta": 0.5}});
        let config = shortest_with(family, &rope).unwrap();
        let expected = QueryGrowth { beta: 0.5, original_positions: 8 };
        assert_eq!(config.variant.rotary.query_growth, Some(expected));
        is_written(&config);
        let message = shortest_with(family, &json!({"rope_parameters": null})).unwrap_err().to_string();
        assert!(message.contains("rope_parameters` is missing"), "{message}");
        count += 1;
    }
    assert!(count > 0);
}

#[test]
fn numbers_are_read_with_their_defaults() {
    for (family, number) in
        FAMILIES.into_iter().flat_map(|family| family.numbers.iter().map(move |number| (family, number)))
    {
        let read = |changes: Value| {
            let config = shortest_with(family, &changes).unwrap_or_else(|error| panic!("{error}"));
            is_written(&config);
            config.variant.get(number.quantity)
        };
        assert_eq!(read(json!({number.field: 2.5})), Some(2.5), "{family:?} {}", number.field);
        let caps = matches!(number.quantity, Quantity::ScoreCap | Quantity::LogitCap);
        if number.default.is_some() || caps {
            assert_eq!(read(json!({})), number.default, "{family:?} {}", number.field);
        }
        if caps {
            assert_eq!(read(json!({number.field: null})), None, "{family:?} {}", number.field);
        }
    }
}

#[test]
fn a_composite_models_text_part_is_read() {
    let mut count = 0;
    for (family, text) in FAMILIES.into_iter().filter_map(|family| Some((family, family.text?))) {
        let config = parse(&shortest(family)).unwrap();
        assert_eq!(ModelConfig { family: text, ..config }, parse(&shortest(text)).unwrap());
        let mut tied = shortest(family);
        tied["tie_word_embeddings"] = json!(!text.defaults.tied_embeddings);
        assert_eq!(parse(&tied).unwrap().tied_embeddings, !text.defaults.tied_embeddings);
        let mut other = shortest(family);
        other["text_config"]["model_type"] = json!("llama_moe");
        let message = parse(&other).unwrap_err().to_string();
        assert!(message.contains("`text_config.model_type` is `llama_moe`"), "{message}");
        other["text_config"] = Value::Null;
        let message = parse(&other).unwrap_err().to_string();
        assert!(message.contains("`text_config` is missing"), "{message}");
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

#[test]
fn every_name_of_an_activation_is_read() {
    let field_of = |family: &Family| {
        family
            .fixed
            .iter()
            .find(|fixed| ["hidden_act", "hidden_activation", "activation_function"].contains(&fixed.field))
    };
    let hyperbolic = ["gelu_new", "gelu_pytorch_tanh", "gelu_python_tanh", "gelu_accurate", "gelu_fast"];
    for (family, fixed) in FAMILIES.into_iter().filter_map(|family| Some((family, field_of(family)?))) {
        let silu = shortest_with(family, &json!({fixed.field: "silu"})).is_ok();
        let names: &[&str] = if silu { &["silu", "swish"] } else { &hyperbolic };
        for name in names {
            let config = shortest_with(family, &json!({fixed.field: name}));
            is_written(&config.unwrap_or_else(|error| panic!("{family:?} {name}: {error}")));
        }
        let others: &[&str] = if silu { &hyperbolic } else { &["silu", "swish"] };
        for name in others.iter().chain(&["relu", "gelu_python", "quick_gelu", "tanh"]) {
            assert!(shortest_with(family, &json!({fixed.field: name})).is_err(), "{family:?} {name}");
        }
    }
}

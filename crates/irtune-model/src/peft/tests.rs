use std::{fs, path::Path};

use serde_json::{Value, json};

use super::*;
use crate::adapters::{
    bottleneck::{BottleneckActivation, BottleneckConfig, BottleneckPlace},
    config::AdapterConfig,
    dora::DoraConfig,
    ia3::Ia3Config,
    lora::LoraInit,
};
use crate::{
    CounterScaling, HeadInput, HostTensor, LoraConfig, NamedHead, Projection,
    config::{ModelConfig, tests::tiny},
};

fn lora() -> LoraConfig {
    let target_modules = vec![Projection::UpProj, Projection::QProj];
    LoraConfig { rank: 3, alpha: 4.5, dropout: 0.1, ..LoraConfig::over(target_modules) }
}

fn labels() -> Vec<String> {
    ["clarity", "fluency"].map(str::to_owned).to_vec()
}

fn edit_input() -> HeadInput {
    let names = ["words", "hunks"].map(str::to_owned).to_vec();
    HeadInput::Edit(CounterScaling { names, mean: vec![1.1, 1.0 / 3.0], deviation: vec![0.7, 1e-7] })
}

/// Every tensor, with values that differ.
fn tensors(lora: &LoraConfig) -> Vec<HostTensor> {
    values_of(&lora.clone().into())
}

fn values_of(adapter: &AdapterConfig) -> Vec<HostTensor> {
    let expected = expected_tensors(adapter, &tiny(), 2).into_iter().enumerate();
    let filled = expected.map(|(index, (name, shape))| {
        let count: usize = shape.iter().product();
        let data = (0..count).map(|value| (index * 1000 + value) as f32 / 7.0).collect();
        HostTensor::new(name, shape, data)
    });
    filled.collect()
}

fn write(folder: &Path) {
    write_adapter(folder, &lora().into(), &tiny(), "some/base", &labels(), &tensors(&lora())).unwrap();
}

fn read(folder: &Path) -> Result<AdapterFolder, AdapterError> {
    read_adapter(folder, &tiny())
}

/// Changes the settings of a written folder.
fn edit(folder: &Path, changes: &Value) {
    let path = folder.join(CONFIG_FILE);
    let mut settings: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    for (field, value) in changes.as_object().expect("an object") {
        settings[field] = value.clone();
    }
    fs::write(path, settings.to_string()).unwrap();
}

/// Writes other tensors into a written folder, in 16 or 32 bit.
fn rewrite(folder: &Path, tensors: &[HostTensor], dtype: safetensors::Dtype) {
    let bytes: Vec<Vec<u8>> = tensors
        .iter()
        .map(|tensor| match dtype {
            safetensors::Dtype::F16 => {
                tensor.data.iter().flat_map(|&value| half::f16::from_f32(value).to_le_bytes()).collect()
            }
            _ => tensor.data.iter().flat_map(|value| value.to_le_bytes()).collect(),
        })
        .collect();
    let views = tensors.iter().zip(&bytes).map(|(tensor, bytes)| {
        let view = safetensors::tensor::TensorView::new(dtype, tensor.shape.clone(), bytes).unwrap();
        (tensor.name.as_str(), view)
    });
    fs::write(folder.join(TENSOR_FILE), safetensors::serialize(views, None).unwrap()).unwrap();
}

#[test]
fn what_is_written_is_read_back() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("run/adapter");
    write(&folder);
    let found = read(&folder).unwrap();
    let expected = AdapterFolder {
        adapter: lora().into(),
        base_name: "some/base".to_owned(),
        labels: Some(labels()),
        head_input: HeadInput::Pooled,
        label_count: 2,
        layers: vec![0, 1],
        tensors: tensors(&lora()),
    };
    assert_eq!(found, expected);

    // Once more over it: nothing but the three files, and nothing beside the folder.
    write(&folder);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 3);
    assert_eq!(fs::read_dir(folder.parent().unwrap()).unwrap().count(), 1);
    let header = fs::read(folder.join(TENSOR_FILE)).unwrap();
    let (_, metadata) = safetensors::SafeTensors::read_metadata(&header).unwrap();
    assert_eq!(metadata.metadata().as_ref().unwrap()["format"], "pt");
}

#[test]
fn the_same_adapter_is_written_as_the_same_bytes() {
    let place = tempfile::tempdir().unwrap();
    let (first, second) = (place.path().join("first"), place.path().join("second"));
    write(&first);
    let mut reversed = tensors(&lora());
    reversed.reverse();
    write_adapter(&second, &lora().into(), &tiny(), "some/base", &labels(), &reversed).unwrap();
    for file in [CONFIG_FILE, TENSOR_FILE, CLASSIFIER_FILE] {
        assert_eq!(fs::read(first.join(file)).unwrap(), fs::read(second.join(file)).unwrap(), "{file}");
    }
}

#[test]
fn tensors_that_do_not_fit_are_not_written() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("adapter");
    let refused = |tensors: &[HostTensor]| {
        write_adapter(&folder, &lora().into(), &tiny(), "base", &labels(), tensors).unwrap_err().to_string()
    };
    let all = tensors(&lora());
    let q = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight";
    assert!(refused(&all[..all.len() - 1]).contains("`base_model.model.score.weight` is missing"));
    assert!(refused(&[&all[..], &all[..1]].concat()).contains("mlp.up_proj.lora_A.weight` has no place"));
    let mut other = all.clone();
    other.push(HostTensor::new("base_model.model.score.bias", vec![2], vec![0.0; 2]));
    assert!(refused(&other).contains("`base_model.model.score.bias` has no place"));
    let mut other = all.clone();
    let place_of_q = all.iter().position(|tensor| tensor.name == q).unwrap();
    other[place_of_q] = HostTensor::new(q, vec![64, 3], vec![0.0; 192]);
    assert!(refused(&other).contains("lora_A.weight` has the shape [64, 3], but [3, 64] is needed"));
    let mut other = all.clone();
    other[0].data.pop();
    assert!(refused(&other).starts_with("cannot write "));
    let zero = LoraConfig { rank: 0, ..lora() };
    let message =
        write_adapter(&folder, &zero.into(), &tiny(), "base", &labels(), &all).unwrap_err().to_string();
    assert!(message.contains("adapter_config.json: rank is 0"), "{message}");
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
}

#[test]
fn sixteen_bit_tensors_become_f32_and_a_folder_without_labels_is_read() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("adapter");
    write(&folder);
    fs::remove_file(folder.join(CLASSIFIER_FILE)).unwrap();
    rewrite(&folder, &tensors(&lora()), safetensors::Dtype::F16);
    let found = read(&folder).unwrap();
    assert_eq!((found.labels, found.label_count), (None, 2));
    let expected = half::f16::from_f32(tensors(&lora())[3].data[5]).to_f32();
    assert_eq!(found.tensors[3].data[5], expected);

    // transformers leaves the labels out when there are two without names.
    fs::write(folder.join(CLASSIFIER_FILE), "{}").unwrap();
    assert_eq!(read(&folder).unwrap().labels, None);
}

#[test]
fn patterns_and_layers_are_understood() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("adapter");
    write(&folder);
    edit(&folder, &json!({"target_modules": ".*\\.(q|up)_proj"}));
    let found = read(&folder).unwrap();
    assert_eq!(found.adapter.target_modules(), [Projection::QProj, Projection::UpProj]);
    assert_eq!(found.layers, [0, 1]);

    // Only layer 1 has an adapter: by a pattern, and by name.
    let upper: Vec<HostTensor> =
        tensors(&lora()).into_iter().filter(|tensor| !tensor.name.contains("layers.0.")).collect();
    rewrite(&folder, &upper, safetensors::Dtype::F32);
    for changes in [
        json!({"target_modules": ".*layers\\.1\\..*(q|up)_proj"}),
        json!({"target_modules": ["mlp.up_proj", "q_proj"], "layers_to_transform": [1]}),
        json!({"layers_to_transform": 1}),
    ] {
        edit(&folder, &changes);
        let found = read(&folder).unwrap();
        assert_eq!(found.layers, [1], "{changes}");
        assert_eq!(found.tensors.len(), 9);
        let (lower, others): (Vec<_>, Vec<_>) =
            found.tensors.iter().partition(|tensor| tensor.name.contains("layers.0."));
        assert!(lower.len() == 4 && lower.iter().all(|tensor| tensor.data.iter().all(|&value| value == 0.0)));
        assert!(others.iter().all(|tensor| upper.contains(tensor)));
    }
    edit(&folder, &json!({"layers_to_transform": null}));
    assert!(
        read(&folder).unwrap_err().to_string().contains("layers.0.mlp.up_proj.lora_A.weight` is missing")
    );
}

/// Settings of every kind, with values that aren't the defaults.
fn kinds() -> Vec<AdapterConfig> {
    let targets = || vec![Projection::UpProj, Projection::DownProj];
    let bottleneck = |activation, place| BottleneckConfig {
        size: 5,
        activation,
        place,
        scaling: 1.5,
        dropout: 0.25,
        target_modules: targets(),
    };
    let stabilised = LoraConfig { rank_stabilised: true, ..lora() };
    vec![
        stabilised.clone().into(),
        DoraConfig::of(lora()).into(),
        DoraConfig::of(stabilised).into(),
        bottleneck(BottleneckActivation::Relu, BottleneckPlace::Parallel).into(),
        bottleneck(BottleneckActivation::Gelu, BottleneckPlace::Serial).into(),
        Ia3Config { target_modules: targets() }.into(),
    ]
}

#[test]
fn every_kind_comes_back_as_it_was_written() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("adapter");
    for kind in kinds() {
        let tensors = values_of(&kind);
        write_adapter(&folder, &kind, &tiny(), "some/base", &labels(), &tensors).unwrap();
        let found = read(&folder).unwrap();
        assert_eq!((&found.adapter, &found.tensors), (&kind, &tensors));
        let settings: Value = serde_json::from_slice(&fs::read(folder.join(CONFIG_FILE)).unwrap()).unwrap();
        let (peft_type, file) = match kind {
            AdapterConfig::Lora(_) | AdapterConfig::Dora(_) => ("LORA", TENSOR_FILE),
            AdapterConfig::Bottleneck(_) => ("IRTUNE_BOTTLENECK", "bottleneck_model.safetensors"),
            AdapterConfig::Ia3(_) => ("IA3", TENSOR_FILE),
        };
        assert_eq!(settings["peft_type"], peft_type);
        assert!(folder.join(file).is_file(), "{file}");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 3);
    }
}

#[test]
fn pissa_is_not_written_unconverted() {
    let place = tempfile::tempdir().unwrap();
    let pissa = LoraConfig { init: LoraInit::Pissa, ..lora() };
    let refused = write_adapter(
        &place.path().join("adapter"),
        &pissa.into(),
        &tiny(),
        "some/base",
        &labels(),
        &tensors(&lora()),
    );
    assert!(matches!(refused, Err(AdapterError::Unconverted { .. })), "{refused:?}");
}

#[test]
fn layers_without_vectors_get_ones_and_dora_has_to_be_everywhere() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("adapter");
    for (kind, expected) in
        kinds().into_iter().zip([None, Some("use_dora"), Some("use_dora"), None, None, None])
    {
        let tensors = values_of(&kind);
        write_adapter(&folder, &kind, &tiny(), "some/base", &labels(), &tensors).unwrap();
        let upper: Vec<HostTensor> =
            tensors.into_iter().filter(|tensor| !tensor.name.contains("layers.0.")).collect();
        if matches!(kind, AdapterConfig::Bottleneck(_)) {
            continue;
        }
        rewrite(&folder, &upper, safetensors::Dtype::F32);
        edit(&folder, &json!({"layers_to_transform": [1]}));
        match (read(&folder), expected) {
            (Ok(found), None) => {
                let idle = if matches!(kind, AdapterConfig::Ia3(_)) { 1.0 } else { 0.0 };
                let blank = found.tensors.iter().filter(|tensor| tensor.name.contains("layers.0."));
                assert!(blank.flat_map(|tensor| &tensor.data).all(|&value| value == idle), "{kind:?}");
            }
            (Err(error), Some(field)) => assert!(error.to_string().contains(field), "{error}"),
            (found, expected) => panic!("{kind:?}: {found:?}, expected {expected:?}"),
        }
    }
}

#[test]
fn settings_of_other_kinds_that_cannot_be_used_are_named() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("adapter");
    let all = kinds();
    let cases = [
        (&all[3], json!({"activation": "silu"}), "`activation` is \"silu\", but must be tanh, relu or gelu"),
        (&all[3], json!({"place": null}), "`place` is missing, but must be parallel or serial"),
        (&all[3], json!({"bottleneck_size": 1.5}), "`bottleneck_size` is 1.5, but must be a whole number"),
        (&all[3], json!({"scaling": 0}), "scaling is 0"),
        (&all[3], json!({"dropout": "x"}), "`dropout` is \"x\", but must be a number"),
        (&all[5], json!({"feedforward_modules": ["up_proj"]}), "`feedforward_modules` is [\"up_proj\"]"),
        (&all[5], json!({"feedforward_modules": ".*"}), "`feedforward_modules` is \".*\""),
        (
            &all[5],
            json!({"feedforward_modules": []}),
            "`feedforward_modules` is [], though there are vectors of the MLP's way down, which is not supported",
        ),
    ];
    for (kind, changes, expected) in cases {
        write_adapter(&folder, kind, &tiny(), "some/base", &labels(), &values_of(kind)).unwrap();
        edit(&folder, &changes);
        let message = read(&folder).expect_err(expected).to_string();
        assert!(message.contains(expected), "{message}\nlacks\n{expected}");
    }
}

#[test]
fn a_language_models_adapter_has_no_head_and_no_labels() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("adapter");
    let mut without = tensors(&lora());
    without.pop();
    write_adapter(&folder, &lora().into(), &tiny(), "some/base", &[], &without).unwrap();
    let settings: Value = serde_json::from_slice(&fs::read(folder.join(CONFIG_FILE)).unwrap()).unwrap();
    assert_eq!((&settings["task_type"], &settings["modules_to_save"]), (&json!("CAUSAL_LM"), &Value::Null));
    assert!(!folder.join(CLASSIFIER_FILE).exists());
    let found = read(&folder).unwrap();
    assert_eq!((found.label_count, found.labels), (0, None));
    assert_eq!(found.tensors, without);
    let error =
        write_adapter(&folder, &lora().into(), &tiny(), "some/base", &[], &tensors(&lora())).unwrap_err();
    assert!(matches!(error, AdapterError::Surplus { .. }), "{error}");
}

#[test]
fn settings_that_cannot_be_used_are_named() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("adapter");
    let cases = [
        (
            json!({"peft_type": "ADALORA"}),
            "`peft_type` is \"ADALORA\", which is not supported; train an adapter with peft_type LORA or IA3",
        ),
        (json!({"task_type": "TOKEN_CLS"}), "`task_type` is \"TOKEN_CLS\""),
        (json!({"task_type": null}), "`task_type` is missing"),
        (json!({"bias": "all"}), "`bias` is \"all\""),
        (json!({"use_dora": true}), "mlp.up_proj.lora_magnitude_vector` is missing"),
        (
            json!({"rank_pattern": {"q_proj": "four"}}),
            "`rank_pattern` is {\"q_proj\":\"four\"}, but must be an object with a number for each pattern",
        ),
        (json!({"rank_pattern": {"(q": 4}}), "rank_pattern: `(q` is no regular expression"),
        (json!({"alpha_pattern": {"q_proj": 0}}), "alpha is 0"),
        (json!({"layers_pattern": 3}), "`layers_pattern` is 3, but must be a text or a list of texts"),
        (json!({"exclude_modules": [1]}), "`exclude_modules` is [1], but must be a text or a list of texts"),
        (
            json!({"modules_to_save": ["embed_tokens", "score"]}),
            "`modules_to_save` is [\"embed_tokens\",\"score\"], which is not supported; train an adapter with no \
             trained modules but the head, score",
        ),
        (
            json!({"modules_to_save": "score"}),
            "`modules_to_save` is \"score\", but must be a list of modules",
        ),
        (
            json!({"gate_temperature": 0.5}),
            "`gate_temperature` is 0.5, and no such field is known: it may change what the adapter computes",
        ),
        (
            json!({"init_lora_weights": "pissa_niter_4"}),
            "`init_lora_weights` is \"pissa_niter_4\", which is not supported",
        ),
        (json!({"fan_in_fan_out": true}), "`fan_in_fan_out` is true"),
        (json!({"r": -1}), "`r` is -1, but must be a whole number"),
        (json!({"r": 0}), "rank is 0"),
        (json!({"lora_alpha": "x"}), "`lora_alpha` is \"x\", but must be a number"),
        (json!({"lora_alpha": null}), "`lora_alpha` is missing, but must be a number"),
        (
            json!({"target_modules": null}),
            "`target_modules` is missing, but must be a list of modules or a pattern",
        ),
        (json!({"target_modules": [3]}), "`target_modules` is [3]"),
        (json!({"target_modules": ["lm_head"]}), "`target_modules` names `lm_head`, which is no projection"),
        (
            json!({"target_modules": ["model.layers.0.self_attn.q_proj", "model.layers.1.mlp.gate_proj"]}),
            "layers.1.mlp.gate_proj.lora_A.weight` is missing",
        ),
        (json!({"target_modules": ["model.layers.0.mlp.router"]}), "names `model.layers.0.mlp.router`"),
        (json!({"target_modules": []}), "target_modules is empty"),
        (json!({"target_modules": ["q_proj"]}), "mlp.up_proj.lora_A.weight` has no place in this adapter"),
        (
            json!({"layers_to_transform": [1]}),
            "layers.0.mlp.up_proj.lora_A.weight` has no place in this adapter",
        ),
        (json!({"layers_to_transform": ["x"]}), "`layers_to_transform` is [\"x\"]"),
    ];
    for (changes, expected) in cases {
        write(&folder);
        edit(&folder, &changes);
        let message = read(&folder).expect_err(expected).to_string();
        assert!(message.contains(expected) && message.contains("adapter_"), "{message}\nlacks\n{expected}");
    }
}

#[test]
fn settings_that_say_again_what_the_tensors_say_are_read() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("adapter");
    let ends: Vec<Value> = (0..2)
        .flat_map(|layer| {
            [format!("layers.{layer}.self_attn.q_proj").into(), format!("{layer}.mlp.up_proj").into()]
        })
        .collect();
    for changes in [
        json!({"layers_to_transform": []}),
        json!({"layers_to_transform": [0, 1], "layers_pattern": "layers"}),
        json!({"layers_to_transform": [0, 1], "layers_pattern": ["h", "layers"]}),
        json!({"layers_pattern": ""}),
        json!({"exclude_modules": ["v_proj"], "target_modules": ["q_proj", "up_proj", "v_proj"]}),
        json!({"exclude_modules": ".*v_proj"}),
        json!({"target_modules": ends}),
        json!({"qalora_group_size": 16, "runtime_config": {"ephemeral_gpu_offload": true}}),
        json!({"a_field_to_come": null, "another": false, "a_third": {}}),
    ] {
        write(&folder);
        edit(&folder, &changes);
        let found = read(&folder).unwrap_or_else(|error| panic!("{changes}: {error}"));
        assert_eq!(found.layers, [0, 1], "{changes}");
        let sorted = |mut tensors: Vec<HostTensor>| {
            tensors.sort_by(|left, right| left.name.cmp(&right.name));
            tensors
        };
        assert_eq!(sorted(found.tensors), sorted(tensors(&lora())), "{changes}");
    }
}

#[test]
fn the_tensors_tell_which_modules_are_excluded() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("adapter");
    write(&folder);
    let upper = |tensor: &HostTensor| !tensor.name.contains("layers.0.");
    let kept: Vec<HostTensor> = tensors(&lora()).into_iter().filter(upper).collect();
    rewrite(&folder, &kept, safetensors::Dtype::F32);
    assert!(read(&folder).unwrap_err().to_string().contains("lora_A.weight` is missing"));
    edit(&folder, &json!({"exclude_modules": r".*\.0\..*"}));
    assert_eq!(read(&folder).unwrap().layers, [1]);
}

#[test]
fn a_folder_of_an_earlier_version_has_the_classifier_under_another_name() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("adapter");
    write(&folder);
    fs::rename(folder.join(CLASSIFIER_FILE), folder.join(EARLIER_CLASSIFIER_FILE)).unwrap();
    assert_eq!(read(&folder).unwrap().labels, Some(labels()));
    // Written again it has the new name alone: transformers takes a folder with config.json for a whole model.
    write(&folder);
    assert!(folder.join(CLASSIFIER_FILE).exists() && !folder.join(EARLIER_CLASSIFIER_FILE).exists());
}

#[test]
fn files_that_are_missing_or_damaged_are_named() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("adapter");
    let refused = || read(&folder).unwrap_err().to_string();
    let message = refused();
    assert!(message.starts_with("cannot read ") && message.contains(CONFIG_FILE), "{message}");
    write(&folder);
    fs::write(folder.join(CONFIG_FILE), "{\"r\": ").unwrap();
    assert!(refused().contains("adapter_config.json is not a JSON object"));
    write(&folder);
    fs::remove_file(folder.join(TENSOR_FILE)).unwrap();
    assert!(refused().contains("adapter_model.safetensors"));
    write(&folder);
    rewrite(&folder, &tensors(&lora())[..8], safetensors::Dtype::F32);
    assert!(refused().contains("`base_model.model.score.weight` is missing"));

    write(&folder);
    let other = ModelConfig { hidden_size: 32, ..tiny() };
    let message = read_adapter(&folder, &other).unwrap_err().to_string();
    assert!(
        message.contains("has the shape [3, 64], but [3, 32] is needed; does the adapter belong"),
        "{message}"
    );
    let shallow = ModelConfig { layers: 1, ..tiny() };
    assert!(
        read_adapter(&folder, &shallow)
            .unwrap_err()
            .to_string()
            .contains("layers.1.mlp.up_proj.lora_A.weight` has no place")
    );
}

#[test]
fn labels_that_do_not_fit_are_named() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("adapter");
    write(&folder);
    let cases = [
        (
            json!({"id2label": {"0": "a", "2": "b"}}),
            "classifier.json: `id2label` must name the labels 0, 1, 2",
        ),
        (json!({"id2label": {"0": 1, "1": 2}}), "classifier.json: `id2label` must name the labels 0, 1, 2"),
        (json!({"id2label": {"0": "a"}}), "there are 1 labels, but the head has 2 rows"),
    ];
    for (classifier, expected) in cases {
        fs::write(folder.join(CLASSIFIER_FILE), classifier.to_string()).unwrap();
        let message = read(&folder).expect_err(expected).to_string();
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn an_edit_head_stands_beside_an_adapter_without_a_head() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("adapter");
    let input = edit_input();
    let columns = input.columns(tiny().hidden_size);
    let mut all = tensors(&lora());
    let head =
        HostTensor::new(HEAD_NAME, vec![2, columns], (0..2 * columns).map(|at| at as f32 / 3.0).collect());
    *all.last_mut().unwrap() = head;
    let names = labels();
    let named = NamedHead { input: &input, ..NamedHead::from(&names) };
    // Over a folder with a head of the other kind.
    write(&folder);
    write_adapter(&folder, &lora().into(), &tiny(), "some/base", named, &all).unwrap();
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(
        files,
        ["adapter_config.json", "adapter_model.safetensors", "classifier.json", "edit_head.safetensors"]
    );
    let settings: Value =
        serde_json::from_slice(&fs::read(folder.join("adapter_config.json")).unwrap()).unwrap();
    assert_eq!((&settings["task_type"], &settings["modules_to_save"]), (&json!("CAUSAL_LM"), &Value::Null));
    let read = read_adapter(&folder, &tiny()).unwrap();
    assert_eq!((read.labels, read.label_count, read.head_input), (Some(labels()), 2, input.clone()));
    assert_eq!(read.tensors, all);

    // Another head in its place leaves nothing of it.
    write(&folder);
    assert_eq!(read_adapter(&folder, &tiny()).unwrap().head_input, HeadInput::Pooled);
    assert!(!folder.join("edit_head.safetensors").exists());

    write_adapter(&folder, &lora().into(), &tiny(), "some/base", named, &all).unwrap();
    let path = folder.join(CLASSIFIER_FILE);
    let written: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(written["architectures"], json!(["LlamaForRevisionClassification"]));
    for damage in [
        json!({"counters": ["words"], "mean": [1.0]}),
        json!(3),
        json!({
            "counters": ["words", "hunks"], "mean": [1.0, 2.0], "deviation": [1.0, 0.0],
        }),
    ] {
        let mut damaged = written.clone();
        damaged["edit_head"] = damage;
        fs::write(&path, damaged.to_string()).unwrap();
        let error = read_adapter(&folder, &tiny()).unwrap_err();
        assert!(matches!(error, AdapterError::EditHead { .. }), "{error}");
    }
    fs::remove_file(&path).unwrap();
    let error = read_adapter(&folder, &tiny()).unwrap_err();
    assert!(matches!(error, AdapterError::Shape { .. }), "{error}");
}

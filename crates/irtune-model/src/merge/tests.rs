use std::fs;

use irtune_testing::base::{GgufFile, SyntheticBase};
use serde_json::json;

use super::*;
use crate::{
    adapters::{BottleneckConfig, LoraConfig, LoraInit, Projection},
    host_tensor::HostTensor,
    peft::expected_tensors,
};

fn labels() -> Vec<String> {
    ["clarity", "fluency"].map(str::to_owned).to_vec()
}

fn lora() -> LoraConfig {
    LoraConfig {
        rank: 3,
        alpha: 6.0,
        dropout: 0.0,
        ..LoraConfig::over(vec![Projection::QProj, Projection::DownProj])
    }
}

fn adapter(base: &Base) -> Vec<HostTensor> {
    let expected = expected_tensors(&lora().into(), &base.config, 2).into_iter();
    let value = |index: usize| (index * 37 % 101) as f32 * 0.01 - 0.5;
    let tensor = |(name, shape): (String, Vec<usize>)| {
        let values = (0..shape.iter().product()).map(value).collect();
        HostTensor::new(name, shape, values)
    };
    expected.map(tensor).collect()
}

fn folder_base(place: &Path) -> Base {
    let folder = place.join("base");
    fs::create_dir(&folder).unwrap();
    SyntheticBase::of_letters().write_folder(&folder);
    fs::write(folder.join("tokenizer_config.json"), "{}").unwrap();
    fs::write(folder.join("README.md"), "not a part of the tokenizer").unwrap();
    Base::open(&folder).unwrap()
}

#[test]
fn several_files_hold_what_one_holds() {
    let place = tempfile::tempdir().unwrap();
    let base = folder_base(place.path());
    let tensors = adapter(&base);
    let changes = Changes::Adapter { adapter: &lora().into(), tensors: &tensors };
    let mut opened = Vec::new();
    for limit in [u64::MAX, 50_000] {
        let folder = place.path().join(format!("merged-{limit}"));
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("config.json"), base.config.to_transformers(&labels()).to_string()).unwrap();
        let mut heard = Vec::new();
        let merged =
            tensors::write(&folder, &base, &changes, &2.into(), MergedType::F32, limit, &mut |done, of| {
                heard.push((done, of));
            })
            .unwrap();
        assert_eq!(heard.len(), merged.tensors);
        assert_eq!(heard.last(), Some(&(merged.bytes, merged.bytes)));
        assert_eq!(merged.files == 1, limit == u64::MAX);
        assert_eq!(folder.join("model.safetensors.index.json").exists(), merged.files > 1);
        let permissions = |path: &Path| fs::metadata(path).unwrap().permissions();
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            assert_eq!(permissions(&path), permissions(&folder.join("config.json")), "{}", path.display());
        }
        fs::copy(place.path().join("base/tokenizer.json"), folder.join("tokenizer.json")).unwrap();
        opened.push(Base::open(&folder).unwrap());
    }
    let names = |base: &Base| base.weights.tensors().map(|tensor| tensor.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&opened[0]), names(&opened[1]));
    for name in names(&opened[0]) {
        assert_eq!(opened[0].weights.values(&name).unwrap(), opened[1].weights.values(&name).unwrap());
    }
}

#[test]
fn a_matrix_is_the_bases_plus_the_scaled_product() {
    let place = tempfile::tempdir().unwrap();
    let base = folder_base(place.path());
    let tensors = adapter(&base);
    let changes = Changes::Adapter { adapter: &lora().into(), tensors: &tensors };
    let folder = place.path().join("merged");
    fs::create_dir(&folder).unwrap();
    write_merged(&folder, &base, &changes, &labels(), MergedType::Bf16, &mut |_, _| {}).unwrap();
    let merged = Base::open(&folder).unwrap();
    let config: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.join("config.json")).unwrap()).unwrap();
    assert_eq!((&config["dtype"], &config["torch_dtype"]), (&"bfloat16".into(), &"bfloat16".into()));
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]);
    for projection in base.config.projections() {
        let name = base.config.family.weight_name(1, projection);
        let (outputs, inputs) = base.config.projection_shape(projection);
        let mut expected = base.weights.values(&name).unwrap();
        if lora().target_modules.contains(&projection) {
            let name_of = |part| base.config.family.adapter_name(1, projection, part);
            let find = |name: String| tensors.iter().find(|tensor| tensor.name == name).unwrap();
            let (a, b) = (find(name_of("lora_A.weight")), find(name_of("lora_B.weight")));
            for output in 0..outputs {
                for input in 0..inputs {
                    for rank in 0..3 {
                        expected[output * inputs + input] +=
                            2.0 * b.data[output * 3 + rank] * a.data[rank * inputs + input];
                    }
                }
            }
        }
        let found = merged.weights.values(&name).unwrap();
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found - expected).abs() <= expected.abs() / 256.0 + 1e-6, "{name}: {found} {expected}");
        }
    }
}

#[test]
fn a_merged_tokenizer_fills_up_batches_and_has_no_limits() {
    let place = tempfile::tempdir().unwrap();
    let base = folder_base(place.path());
    let own = place.path().join("base");
    let settings = r#"{"eos_token": {"content": "<|end|>"}, "auto_map": {"AutoTokenizer": ["x.Y", null]}, "chat_template": "x"}"#;
    fs::write(own.join("tokenizer_config.json"), settings).unwrap();
    fs::write(own.join("special_tokens_map.json"), r#"{"pad_token": "<|none|>"}"#).unwrap();
    let folder = place.path().join("merged");
    fs::create_dir(&folder).unwrap();
    let tensors = adapter(&base);
    let changes = Changes::Adapter { adapter: &lora().into(), tensors: &tensors };
    write_merged(&folder, &base, &changes, &labels(), MergedType::F32, &mut |_, _| {}).unwrap();
    let object = |folder: &Path, name: &str| -> serde_json::Value {
        serde_json::from_slice(&fs::read(folder.join(name)).unwrap()).unwrap()
    };
    let settings = object(&folder, "tokenizer_config.json");
    let padding = object(&folder, "config.json")["pad_token_id"].as_u64().unwrap();
    let token = base.tokenizer.token(padding as u32).unwrap();
    assert_eq!(
        (&settings["pad_token"], &settings["tokenizer_class"]),
        (&json!(token), &json!("PreTrainedTokenizerFast"))
    );
    assert_eq!(
        (&settings["eos_token"]["content"], &settings["chat_template"]),
        (&json!("<|end|>"), &json!("x"))
    );
    // Code that a model brings is not copied.
    assert!(settings.get("auto_map").is_none());
    assert_eq!(object(&folder, "special_tokens_map.json")["pad_token"], json!(token));
    let (before, after) = (object(&own, "tokenizer.json"), object(&folder, "tokenizer.json"));
    assert!(before["truncation"].is_object() && before["padding"].is_object());
    assert!(after["truncation"].is_null() && after["padding"].is_null());
    assert_eq!((&after["model"], &after["post_processor"]), (&before["model"], &before["post_processor"]));
}

#[test]
fn a_ggufs_matrices_and_tokenizer_are_those_of_transformers() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("tiny.gguf");
    let mut bytes = GgufFile::letters().bytes();
    fs::write(&path, &bytes).unwrap();
    let base = Base::open(&path).unwrap();
    // Small bytes, so that every value is finite.
    for tensor in base.weights.tensors() {
        let values = bytes[tensor.bytes.clone()].iter_mut().enumerate();
        values.for_each(|(index, byte)| *byte = (index % 59) as u8);
    }
    drop(base);
    fs::write(&path, &bytes).unwrap();
    let base = Base::open(&path).unwrap();
    let head = HostTensor::new("score.weight", vec![2, 64], vec![0.5; 128]);
    let folder = place.path().join("merged");
    fs::create_dir(&folder).unwrap();
    let changes = Changes::Weights { tensors: &[head] };
    write_merged(&folder, &base, &changes, &labels(), MergedType::F32, &mut |_, _| {}).unwrap();
    let merged = Base::open(&folder).unwrap();
    let name = base.config.family.weight_name(0, Projection::QProj);
    assert!(base.weights.tensor(&name).unwrap().interleaved_head.is_some());
    assert!(merged.weights.tensor(&name).unwrap().interleaved_head.is_none());
    for tensor in base.weights.tensors().filter(|tensor| tensor.name.starts_with("model.")) {
        let (left, right) = (base.weights.values(&tensor.name), merged.weights.values(&tensor.name));
        assert_eq!(left.unwrap(), right.unwrap(), "{}", tensor.name);
    }
    let (own, other) = (&base.tokenizer, &merged.tokenizer);
    for text in ["ab abc", "", "<|end|>ab", "0123 [mark]z"] {
        assert_eq!(own.encode(text).unwrap(), other.encode(text).unwrap(), "{text}");
    }
    assert_eq!(own.begin_token(), other.begin_token());
    assert_eq!(own.end_token(), other.end_token());
    assert_eq!(own.adds_begin_token(), other.adds_begin_token());
}

#[test]
fn what_does_not_fit_or_cannot_be_written_is_an_error() {
    let place = tempfile::tempdir().unwrap();
    let base = folder_base(place.path());
    let tensors = adapter(&base);
    let write = |folder: &Path, tensors: &[HostTensor]| {
        let changes = Changes::Adapter { adapter: &lora().into(), tensors };
        let written = write_merged(folder, &base, &changes, &labels(), MergedType::F32, &mut |_, _| {});
        written.unwrap_err().to_string()
    };
    let message = write(place.path(), &tensors[1..]);
    assert!(message.contains("does not fit the base: parameter `"), "{message}");
    let bottleneck = BottleneckConfig::over(vec![Projection::QProj]).into();
    let pissa = LoraConfig { init: LoraInit::Pissa, ..lora() }.into();
    for (adapter, expected) in [(bottleneck, "a bottleneck's activation"), (pissa, "PiSSA's parameters")] {
        let changes = Changes::Adapter { adapter: &adapter, tensors: &tensors };
        let labels = labels();
        let error = write_merged(place.path(), &base, &changes, &labels, MergedType::F32, &mut |_, _| {});
        let message = error.unwrap_err().to_string();
        assert!(message.starts_with("the adapter can't be merged into the base: "), "{message}");
        assert!(message.contains(expected), "{message}");
    }
    let message = write(&place.path().join("nowhere"), &tensors);
    assert!(message.starts_with("cannot write ") && message.contains("config.json"), "{message}");
    assert!("f16".parse::<MergedType>().unwrap_err().to_string().contains("take f32 or bf16"));
    for stored in [MergedType::F32, MergedType::Bf16] {
        assert_eq!(stored.to_string().parse(), Ok(stored));
    }
}

//! Writing an adapter folder.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use irtune_files::{ReplaceError, replace_folder, write_file};
use safetensors::{Dtype, tensor::TensorView};
use serde_json::json;

use super::{
    AdapterError, BOTTLENECK_FILE, BOTTLENECK_TYPE, CLASSIFIER_FILE, CONFIG_FILE, EARLIER_CLASSIFIER_FILE,
    EDIT_HEAD_FILE, HEAD_FILE, HEAD_NAME, TENSOR_FILE, expected_tensors, head, tensor_file,
};
use crate::{
    adapters::{
        bottleneck::BottleneckConfig,
        config::AdapterConfig,
        ia3::Ia3Config,
        lora::{LoraConfig, LoraInit},
    },
    config::ModelConfig,
    families::{Family, Projection},
    head::{HeadInput, NamedHead},
    host_tensor::HostTensor,
};

/// Writes a trained classifier as a PEFT folder, in place of an earlier one; without labels, the adapter of a language
/// model (`CAUSAL_LM`), which has no head and needs no configuration beside its base's. A bottleneck's folder is one that
/// PEFT refuses. An edit head stands beside such an adapter without a head, and so does every head over a base that
/// transformers has no class of a classifier for.
///
/// `base_name` is what PEFT's readers find the base by: a hub name or a path. The tensors are those of
/// [`expected_tensors`], in any order.
///
/// # Errors
/// When a tensor is missing, surplus or of another shape; when the folder holds other files; when it can't be
/// written. The folder is then what it was before.
pub fn write_adapter<'a>(
    folder: &Path,
    adapter: &AdapterConfig,
    base: &ModelConfig,
    base_name: &str,
    head: impl Into<NamedHead<'a>>,
    tensors: &[HostTensor],
) -> Result<(), AdapterError> {
    let head = head.into();
    let path = folder.join(tensor_file(adapter));
    adapter.validate().map_err(|source| AdapterError::Config { path: folder.join(CONFIG_FILE), source })?;
    if matches!(adapter, AdapterConfig::Lora(lora) if lora.init == LoraInit::Pissa) {
        return Err(AdapterError::Unconverted { path });
    }
    verify(tensors, &expected_tensors(adapter, base, head.unnamed()), &path)?;
    let (pooled, named) = (*head.input == HeadInput::Pooled, !head.labels.is_empty());
    // What PEFT loads into transformers' class of a classifier, where there is one.
    let whole = pooled && base.family.has_classifier;
    let head_file = if pooled { HEAD_FILE } else { EDIT_HEAD_FILE };
    let beside = |tensor: &HostTensor| !whole && tensor.name == HEAD_NAME;
    let (heads, adapters): (Vec<&HostTensor>, Vec<_>) = tensors.iter().partition(|tensor| beside(tensor));
    let mut files = vec![
        (CONFIG_FILE, pretty(&settings(adapter, base.family, base_name, named && whole))),
        (tensor_file(adapter), serialize(adapters, &path)?),
    ];
    if !heads.is_empty() {
        files.push((head_file, head::serialize(heads, &folder.join(head_file))?));
    }
    if named {
        files.push((CLASSIFIER_FILE, pretty(&base.to_transformers(head))));
    }
    replace_files(folder, &files)
}

/// Writes these files as a folder in place of an earlier one.
pub(super) fn replace_files(folder: &Path, files: &[(&str, Vec<u8>)]) -> Result<(), AdapterError> {
    let known = [
        CONFIG_FILE,
        TENSOR_FILE,
        BOTTLENECK_FILE,
        HEAD_FILE,
        EDIT_HEAD_FILE,
        CLASSIFIER_FILE,
        EARLIER_CLASSIFIER_FILE,
    ];
    let replaced = replace_folder(folder, &known, |writing| {
        files.iter().try_for_each(|(name, bytes)| write_file(&writing.join(name), bytes))
    });
    let path = folder.to_owned();
    replaced.map_err(|error| match error {
        ReplaceError::Foreign(file) => AdapterError::Foreign { path, file },
        ReplaceError::Write(source) => AdapterError::Write { path, source },
    })
}

pub(super) fn verify(
    tensors: &[HostTensor],
    expected: &[(String, Vec<usize>)],
    path: &Path,
) -> Result<(), AdapterError> {
    let path = || -> PathBuf { path.to_owned() };
    let mut given: HashMap<&str, &HostTensor> = HashMap::with_capacity(tensors.len());
    for tensor in tensors {
        if given.insert(&tensor.name, tensor).is_some() {
            return Err(AdapterError::Surplus { path: path(), tensor: tensor.name.clone() });
        }
    }
    for (name, shape) in expected {
        let tensor = given.remove(name.as_str());
        let tensor =
            tensor.ok_or_else(|| AdapterError::MissingTensor { path: path(), tensor: name.clone() })?;
        if tensor.shape != *shape {
            let (tensor, found, expected) = (name.clone(), tensor.shape.clone(), shape.clone());
            return Err(AdapterError::Shape { path: path(), tensor, found, expected });
        }
    }
    match given.into_keys().min() {
        Some(name) => Err(AdapterError::Surplus { path: path(), tensor: name.to_owned() }),
        None => Ok(()),
    }
}

pub(super) fn serialize<'a>(
    tensors: impl IntoIterator<Item = &'a HostTensor>,
    path: &Path,
) -> Result<Vec<u8>, AdapterError> {
    let tensors: Vec<&HostTensor> = tensors.into_iter().collect();
    let failed = |source| AdapterError::Serialize { path: path.to_owned(), source };
    let bytes: Vec<Vec<u8>> = tensors
        .iter()
        .map(|tensor| tensor.data.iter().flat_map(|value| value.to_le_bytes()).collect())
        .collect();
    let views = tensors.iter().zip(&bytes).map(|(tensor, bytes)| {
        let view = TensorView::new(Dtype::F32, tensor.shape.clone(), bytes).map_err(failed)?;
        Ok((tensor.name.as_str(), view))
    });
    let views: Vec<_> = views.collect::<Result<_, AdapterError>>()?;
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    safetensors::serialize(views, Some(metadata)).map_err(failed)
}

fn settings(
    adapter: &AdapterConfig,
    family: &Family,
    base_name: &str,
    classifies: bool,
) -> serde_json::Value {
    let mut settings = json!({
        "task_type": if classifies { "SEQ_CLS" } else { "CAUSAL_LM" },
        "base_model_name_or_path": base_name,
        "revision": null,
        "inference_mode": true,
        "target_modules": targets(family, adapter.target_modules()),
        "modules_to_save": if classifies { json!(["classifier", "score"]) } else { json!(null) },
    });
    let own = match adapter {
        AdapterConfig::Lora(lora) => lora_settings(family, lora, false),
        AdapterConfig::Dora(dora) => lora_settings(family, &dora.lora, true),
        AdapterConfig::Bottleneck(bottleneck) => bottleneck_settings(bottleneck),
        AdapterConfig::Ia3(ia3) => ia3_settings(family, ia3),
    };
    if let (Some(settings), serde_json::Value::Object(own)) = (settings.as_object_mut(), own) {
        settings.extend(own);
    }
    settings
}

/// The modules' names; of a composite model a pattern, since its other parts have modules of the same names.
fn targets(family: &Family, projections: &[Projection]) -> serde_json::Value {
    let names = names(family, projections);
    match family.text {
        Some(_) => json!(format!(".*language_model.*\\.({})", names.join("|"))),
        None => json!(names),
    }
}

fn names(family: &Family, projections: &[Projection]) -> Vec<&'static str> {
    projections.iter().map(|&projection| family.module_name(projection)).collect()
}

fn lora_settings(family: &Family, lora: &LoraConfig, dora: bool) -> serde_json::Value {
    json!({
        "peft_type": "LORA",
        "r": lora.rank,
        "lora_alpha": decimal(lora.alpha),
        "lora_dropout": decimal(lora.dropout),
        "bias": "none",
        "fan_in_fan_out": family.is_conv1d(),
        "init_lora_weights": true,
        "layers_to_transform": null,
        "layers_pattern": null,
        "rank_pattern": lora.rank_pattern.to_json(|&rank| rank.into()),
        "alpha_pattern": lora.alpha_pattern.to_json(|&alpha| decimal(alpha)),
        "use_dora": dora,
        "use_rslora": lora.rank_stabilised,
    })
}

fn ia3_settings(family: &Family, ia3: &Ia3Config) -> serde_json::Value {
    let over_input: Vec<Projection> =
        ia3.target_modules.iter().copied().filter(|&target| Ia3Config::scales_input(target)).collect();
    json!({
        "peft_type": "IA3",
        "feedforward_modules": names(family, &over_input),
        "fan_in_fan_out": family.is_conv1d(),
        "init_ia3_weights": true,
    })
}

fn bottleneck_settings(bottleneck: &BottleneckConfig) -> serde_json::Value {
    let BottleneckConfig { size, activation, place, scaling, dropout, .. } = bottleneck;
    json!({
        "peft_type": BOTTLENECK_TYPE,
        "bottleneck_size": size,
        "activation": activation.to_string(),
        "place": place.to_string(),
        "scaling": decimal(*scaling),
        "dropout": decimal(*dropout),
    })
}

/// A whole number as such, since PEFT declares alpha an integer; else the shortest decimal that gives the f32 back.
fn decimal(value: f32) -> serde_json::Value {
    if value.fract() == 0.0 && value.abs() < 1e9 {
        return json!(value as i64);
    }
    value.to_string().parse::<f64>().map_or(serde_json::Value::Null, serde_json::Value::from)
}

pub(crate) fn pretty(value: &serde_json::Value) -> Vec<u8> {
    format!("{value:#}\n").into_bytes()
}

//! Writing an adapter folder.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use safetensors::{Dtype, tensor::TensorView};
use serde_json::json;

use super::{AdapterError, CLASSIFIER_FILE, CONFIG_FILE, TENSOR_FILE, expected_tensors};
use crate::{
    adapters::lora::{LoraConfig, Projection},
    config::ModelConfig,
    host_tensor::HostTensor,
    replace_folder::{ReplaceError, replace, write_file},
};

/// Writes a trained classifier as a PEFT folder, in place of an earlier one.
///
/// `base_name` is what PEFT's readers find the base by: a hub name or a path. The tensors are those of
/// [`expected_tensors`], in any order.
///
/// # Errors
/// When a tensor is missing, surplus or of another shape; when the folder holds other files; when it can't be
/// written. The folder is then what it was before.
pub fn write_adapter(
    folder: &Path,
    lora: &LoraConfig,
    base: &ModelConfig,
    base_name: &str,
    labels: &[String],
    tensors: &[HostTensor],
) -> Result<(), AdapterError> {
    let path = folder.join(TENSOR_FILE);
    lora.validate().map_err(|source| AdapterError::Lora { path: folder.join(CONFIG_FILE), source })?;
    verify(tensors, &expected_tensors(lora, base, labels.len()), &path)?;
    let files = [
        (CONFIG_FILE, pretty(&settings(lora, base_name))),
        (TENSOR_FILE, serialize(tensors, &path)?),
        (CLASSIFIER_FILE, pretty(&base.to_transformers(labels))),
    ];
    let known = [CONFIG_FILE, TENSOR_FILE, CLASSIFIER_FILE];
    let replaced = replace(folder, &known, |writing| {
        files.iter().try_for_each(|(name, bytes)| write_file(&writing.join(name), bytes))
    });
    let path = folder.to_owned();
    replaced.map_err(|error| match error {
        ReplaceError::Foreign(file) => AdapterError::Foreign { path, file },
        ReplaceError::Write(source) => AdapterError::Write { path, source },
    })
}

fn verify(
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

fn serialize(tensors: &[HostTensor], path: &Path) -> Result<Vec<u8>, AdapterError> {
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

fn settings(lora: &LoraConfig, base_name: &str) -> serde_json::Value {
    let targets: Vec<&str> = lora.target_modules.iter().copied().map(Projection::name).collect();
    json!({
        "peft_type": "LORA",
        "task_type": "SEQ_CLS",
        "base_model_name_or_path": base_name,
        "revision": null,
        "inference_mode": true,
        "r": lora.rank,
        "lora_alpha": decimal(lora.alpha),
        "lora_dropout": decimal(lora.dropout),
        "target_modules": targets,
        "modules_to_save": ["classifier", "score"],
        "bias": "none",
        "fan_in_fan_out": false,
        "init_lora_weights": true,
        "layers_to_transform": null,
        "layers_pattern": null,
        "rank_pattern": {},
        "alpha_pattern": {},
        "use_dora": false,
        "use_rslora": false,
    })
}

/// A whole number as such, since PEFT declares alpha an integer; else the shortest decimal that gives the f32 back.
fn decimal(value: f32) -> serde_json::Value {
    if value.fract() == 0.0 && value.abs() < 1e9 {
        return json!(value as i64);
    }
    value.to_string().parse::<f64>().map_or(serde_json::Value::Null, serde_json::Value::from)
}

fn pretty(value: &serde_json::Value) -> Vec<u8> {
    format!("{value:#}\n").into_bytes()
}

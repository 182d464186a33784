//! Reading an adapter folder, ours or PEFT's own.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::{
    AdapterError, CLASSIFIER_FILE, CONFIG_FILE, HEAD_NAME, TENSOR_FILE, expected_tensors, settings::Settings,
};
use crate::{
    adapters::lora::{LoraConfig, Projection},
    config::ModelConfig,
    host_tensor::HostTensor,
    replace_folder::recover,
    weights::Weights,
};

/// A trained classifier as it lies on disk.
#[derive(Debug, Clone, PartialEq)]
pub struct AdapterFolder {
    /// The adapter's settings, scaled by `alpha / rank` (an rsLoRA's alpha is changed to say the same).
    pub lora: LoraConfig,
    /// What the base was called.
    pub base_name: String,
    /// The labels in the order of the head's rows; nothing when no `config.json` stands beside the adapter, as in a
    /// folder that PEFT wrote.
    pub labels: Option<Vec<String>>,
    /// Rows of the head.
    pub label_count: usize,
    /// The layers that have an adapter. The others' matrices are 0 in `tensors`: they add nothing, and as both factors
    /// are 0 so are their gradients.
    pub layers: Vec<usize>,
    /// Those of [`expected_tensors`], in its order.
    pub tensors: Vec<HostTensor>,
}

/// Reads a PEFT folder of a classifier over `base`. 16-bit tensors become f32.
///
/// # Errors
/// When a file is missing or damaged, asks for a kind of adapter that isn't built, or doesn't fit the base.
pub fn read_adapter(folder: &Path, base: &ModelConfig) -> Result<AdapterFolder, AdapterError> {
    recover(folder).map_err(|source| AdapterError::Read { path: folder.to_owned(), source })?;
    let path = folder.join(CONFIG_FILE);
    let settings = Settings::parse(&read(&path)?, &path)?;
    let path = folder.join(TENSOR_FILE);
    let stored = Weights::open_safetensors(std::slice::from_ref(&path))?;
    let has = |projection: Projection, layer| stored.tensor(&projection.lora_a_name(layer)).is_ok();
    let anywhere = |&projection: &Projection| (0..base.layers).any(|layer| has(projection, layer));
    let lora = settings.lora(Projection::ALL.into_iter().filter(anywhere).collect())?;

    if let Some(&(projection, layer)) =
        settings.modules.iter().find(|(projection, layer)| !has(*projection, *layer))
    {
        return Err(AdapterError::MissingTensor { path, tensor: projection.lora_a_name(layer) });
    }
    let head = stored.tensor(HEAD_NAME).ok();
    let head =
        head.ok_or_else(|| AdapterError::MissingTensor { path: path.clone(), tensor: HEAD_NAME.to_owned() })?;
    let label_count = head.shape.first().copied().unwrap_or(0);
    let adapted = |projection: Projection, layer: usize| match (&settings.layers, &settings.targets) {
        (Some(layers), _) => layers.contains(&layer),
        (None, Some(_)) => true,
        (None, None) => has(projection, layer),
    };
    let blank: Vec<String> = (0..base.layers)
        .flat_map(|layer| lora.target_modules.iter().map(move |&projection| (projection, layer)))
        .filter(|&(projection, layer)| !adapted(projection, layer))
        .flat_map(|(projection, layer)| [projection.lora_a_name(layer), projection.lora_b_name(layer)])
        .collect();
    let expected = expected_tensors(&lora, base, label_count);
    let tensors = collect(&stored, &expected, &blank, &path)?;
    let layers = (0..base.layers)
        .filter(|&layer| lora.target_modules.iter().any(|&projection| adapted(projection, layer)));
    Ok(AdapterFolder {
        layers: layers.collect(),
        labels: labels(&folder.join(CLASSIFIER_FILE), label_count)?,
        base_name: settings.base_name,
        label_count,
        lora,
        tensors,
    })
}

fn read(path: &Path) -> Result<Vec<u8>, AdapterError> {
    std::fs::read(path).map_err(|source| AdapterError::Read { path: path.to_owned(), source })
}

fn collect(
    stored: &Weights,
    expected: &[(String, Vec<usize>)],
    blank: &[String],
    path: &Path,
) -> Result<Vec<HostTensor>, AdapterError> {
    let path = || -> PathBuf { path.to_owned() };
    let blank: std::collections::HashSet<&String> = blank.iter().collect();
    let mut tensors = Vec::with_capacity(expected.len());
    for (name, shape) in expected {
        if blank.contains(name) && stored.tensor(name).is_err() {
            tensors.push(HostTensor::new(name, shape.clone(), vec![0.0; shape.iter().product()]));
            continue;
        }
        let missing = |_| AdapterError::MissingTensor { path: path(), tensor: name.clone() };
        let found = &stored.tensor(name).map_err(missing)?.shape;
        if found != shape {
            let (found, expected) = (found.clone(), shape.clone());
            return Err(AdapterError::Shape { path: path(), tensor: name.clone(), found, expected });
        }
        tensors.push(HostTensor::new(name, shape.clone(), stored.values(name)?));
    }
    let known: std::collections::HashSet<&String> = expected.iter().map(|(name, _)| name).collect();
    match stored.tensors().find(|tensor| !known.contains(&tensor.name) || blank.contains(&tensor.name)) {
        Some(tensor) => Err(AdapterError::Surplus { path: path(), tensor: tensor.name.clone() }),
        None => Ok(tensors),
    }
}

/// The labels that a classifier's configuration names, if there is one.
pub(crate) fn labels(path: &Path, rows: usize) -> Result<Option<Vec<String>>, AdapterError> {
    if !path.exists() {
        return Ok(None);
    }
    let json = |source| AdapterError::Json { path: path.to_owned(), source };
    let object: Map<String, Value> = serde_json::from_slice(&read(path)?).map_err(json)?;
    let Some(names) = object.get("id2label").and_then(Value::as_object) else { return Ok(None) };
    let labels = (0..names.len()).map(|id| names.get(&id.to_string())?.as_str().map(str::to_owned));
    let labels: Option<Vec<String>> = labels.collect();
    let labels = labels.ok_or_else(|| AdapterError::Labels { path: path.to_owned() })?;
    if labels.len() != rows {
        return Err(AdapterError::LabelCount { path: path.to_owned(), labels: labels.len(), rows });
    }
    Ok(Some(labels))
}

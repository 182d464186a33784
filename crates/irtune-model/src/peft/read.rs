//! Reading an adapter folder, ours or PEFT's own.

use std::path::{Path, PathBuf};

use irtune_files::recover_folder;
use serde_json::{Map, Value};

use super::{
    AdapterError, CONFIG_FILE, EDIT_HEAD_FILE, HEAD_FILE, HEAD_NAME, classifier_path, expected_tensors, head,
    settings::Settings,
};
use crate::{
    adapters::{config::AdapterConfig, projection::Projection},
    config::{ModelConfig, classifier::EDIT_HEAD},
    head::{CounterScaling, HeadInput},
    host_tensor::HostTensor,
    weights::Weights,
};

/// A trained classifier as it lies on disk.
#[derive(Debug, Clone, PartialEq)]
pub struct AdapterFolder {
    /// The adapter's settings.
    pub adapter: AdapterConfig,
    /// What the base was called.
    pub base_name: String,
    /// The labels in the order of the head's rows; nothing when no `classifier.json` stands beside the adapter, as in a
    /// folder that PEFT wrote.
    pub labels: Option<Vec<String>>,
    /// Rows of the head; 0 for a language model's adapter, which has none.
    pub label_count: usize,
    /// What the head reads.
    pub head_input: HeadInput,
    /// The layers that have an adapter. The others' do nothing in `tensors`: LoRA's matrices are 0, and as both factors
    /// are 0 so are their gradients; (IA)³'s vectors are 1.
    pub layers: Vec<usize>,
    /// Those of [`expected_tensors`], in its order.
    pub tensors: Vec<HostTensor>,
}

/// Reads a PEFT folder of a classifier or a language model over `base`, or one of a bottleneck of ours. 16-bit tensors
/// become f32.
///
/// # Errors
/// When a file is missing or damaged, asks for a kind of adapter that isn't built, or doesn't fit the base.
pub fn read_adapter(folder: &Path, base: &ModelConfig) -> Result<AdapterFolder, AdapterError> {
    recover_folder(folder).map_err(|source| AdapterError::Read { path: folder.to_owned(), source })?;
    let path = folder.join(CONFIG_FILE);
    let settings = Settings::parse(&read(&path)?, &path, base.family)?;
    let path = folder.join(settings.tensor_file());
    let stored = Weights::open_safetensors(std::slice::from_ref(&path))?;
    let first =
        |projection: Projection, layer| base.family.adapter_name(layer, projection, settings.first_part());
    let has = |projection: Projection, layer| stored.tensor(&first(projection, layer)).is_ok();
    let anywhere = |&projection: &Projection| (0..base.layers).any(|layer| has(projection, layer));
    let adapter = settings.adapter(base.projections().filter(anywhere).collect())?;

    if let Some(&(projection, layer)) =
        settings.modules.iter().find(|(projection, layer)| !has(*projection, *layer))
    {
        return Err(AdapterError::MissingTensor { path, tensor: first(projection, layer) });
    }
    let head = stored.tensor(HEAD_NAME).ok().filter(|_| settings.classifies);
    if settings.classifies && head.is_none() {
        return Err(AdapterError::MissingTensor { path, tensor: HEAD_NAME.to_owned() });
    }
    let pooled_labels = head.and_then(|head| head.shape.first().copied()).unwrap_or(0);
    let adapted = |projection: Projection, layer: usize| match (&settings.layers, &settings.targets) {
        (Some(layers), Some(_)) => layers.contains(&layer),
        (None, Some(_)) => true,
        (_, None) => has(projection, layer),
    };
    let targets = adapter.target_modules();
    let blank: Vec<String> = (0..base.layers)
        .flat_map(|layer| targets.iter().map(move |&projection| (projection, layer)))
        .filter(|&(projection, layer)| !adapted(projection, layer))
        .flat_map(|(projection, layer)| {
            let tensors = adapter.tensors(base, layer, projection).into_iter();
            tensors.map(move |(part, _)| base.family.adapter_name(layer, projection, part))
        })
        .collect();
    if !blank.is_empty() && matches!(adapter, AdapterConfig::Dora(_)) {
        return Err(settings.partial_dora());
    }
    let expected = expected_tensors(&adapter, base, pooled_labels);
    let idle = if matches!(adapter, AdapterConfig::Ia3(_)) { 1.0 } else { 0.0 };
    let mut tensors = collect(&stored, &expected, &blank, idle, &path)?;
    let (mut label_count, mut head_input) = (pooled_labels, HeadInput::Pooled);
    let beside = [EDIT_HEAD_FILE, HEAD_FILE].map(|name| folder.join(name));
    if let Some(path) = beside.iter().find(|path| !settings.classifies && path.exists()) {
        let input = read_head_input(&classifier_path(folder))?;
        let (head, tensor) = head::tensor(path, base, input)?;
        (label_count, head_input) = (head.labels, head.input);
        tensors.push(tensor);
    }
    let layers =
        (0..base.layers).filter(|&layer| targets.iter().any(|&projection| adapted(projection, layer)));
    Ok(AdapterFolder {
        layers: layers.collect(),
        labels: match label_count > 0 {
            true => labels(&classifier_path(folder), label_count)?,
            false => None,
        },
        base_name: settings.base_name,
        label_count,
        head_input,
        adapter: adapter.clone(),
        tensors,
    })
}

fn read(path: &Path) -> Result<Vec<u8>, AdapterError> {
    irtune_files::read(path).map_err(|source| AdapterError::Read { path: path.to_owned(), source })
}

fn collect(
    stored: &Weights,
    expected: &[(String, Vec<usize>)],
    blank: &[String],
    idle: f32,
    path: &Path,
) -> Result<Vec<HostTensor>, AdapterError> {
    let path = || -> PathBuf { path.to_owned() };
    let blank: std::collections::HashSet<&String> = blank.iter().collect();
    let is_blank = |name: &String| blank.contains(name) && stored.tensor(name).is_err();
    // All that is there must fit before memory is made for anything.
    for (name, shape) in expected.iter().filter(|(name, _)| !is_blank(name)) {
        let missing = |_| AdapterError::MissingTensor { path: path(), tensor: name.clone() };
        let found = &stored.tensor(name).map_err(missing)?.shape;
        if found != shape {
            let (found, expected) = (found.clone(), shape.clone());
            return Err(AdapterError::Shape { path: path(), tensor: name.clone(), found, expected });
        }
    }
    let tensors = expected.iter().map(|(name, shape)| {
        let values = match is_blank(name) {
            true => vec![idle; shape.iter().product()],
            false => stored.values(name)?,
        };
        Ok::<_, AdapterError>(HostTensor::new(name, shape.clone(), values))
    });
    let tensors: Vec<HostTensor> = tensors.collect::<Result<_, _>>()?;
    let known: std::collections::HashSet<&String> = expected.iter().map(|(name, _)| name).collect();
    match stored.tensors().find(|tensor| !known.contains(&tensor.name) || blank.contains(&tensor.name)) {
        Some(tensor) => Err(AdapterError::Surplus { path: path(), tensor: tensor.name.clone() }),
        None => Ok(tensors),
    }
}

/// What the head beside a classifier's configuration reads: what changed, if it says how counters are standardised.
///
/// # Errors
/// When the file can't be read or its field `edit_head` is damaged.
pub fn read_head_input(path: &Path) -> Result<HeadInput, AdapterError> {
    if !path.exists() {
        return Ok(HeadInput::Pooled);
    }
    let json = |source| AdapterError::Json { path: path.to_owned(), source };
    let object: Map<String, Value> = serde_json::from_slice(&read(path)?).map_err(json)?;
    let Some(field) = object.get(EDIT_HEAD) else { return Ok(HeadInput::Pooled) };
    let list = |name: &str| field.get(name).and_then(Value::as_array);
    let numbers = |name: &str| -> Option<Vec<f32>> {
        list(name)?.iter().map(|value| value.as_f64().map(|value| value as f32)).collect()
    };
    let names = || -> Option<Vec<String>> {
        list("counters")?.iter().map(|name| name.as_str().map(str::to_owned)).collect()
    };
    let scaling =
        || Some(CounterScaling { names: names()?, mean: numbers("mean")?, deviation: numbers("deviation")? });
    let whole = |scaling: &CounterScaling| {
        let CounterScaling { names, mean, deviation } = scaling;
        names.len() == mean.len() && names.len() == deviation.len() && deviation.iter().all(|&one| one > 0.0)
    };
    let scaling = scaling().filter(whole).ok_or_else(|| AdapterError::EditHead { path: path.to_owned() })?;
    Ok(HeadInput::Edit(scaling))
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

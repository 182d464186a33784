//! Adapter folders that HF PEFT itself wrote (`golden/peft`) are read as what they do in PEFT.

use std::{collections::BTreeMap, path::PathBuf};

use irtune_model::{
    AdapterConfig, AdapterFolder, LoraConfig, ModelConfig, Projection, peft::HEAD_NAME, read_adapter,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    relative_tolerance: f64,
    folders: BTreeMap<String, Expected>,
}

/// What PEFT made of a folder.
#[derive(Deserialize)]
struct Expected {
    /// By the module's path.
    scalings: BTreeMap<String, f64>,
    /// Frobenius norm of `scaling * B A` by the module's path.
    modules: BTreeMap<String, f64>,
    labels: usize,
    head_sum: f64,
}

fn golden() -> PathBuf {
    irtune_testing::golden::golden_folder().join("peft")
}

fn case() -> Case {
    irtune_testing::golden::case_json("peft")
}

fn read(name: &str) -> (AdapterFolder, ModelConfig) {
    let base = ModelConfig::from_json(&golden().join("base_config.json")).unwrap();
    (read_adapter(&golden().join(name), &base).unwrap(), base)
}

fn lora(adapter: &AdapterFolder) -> &LoraConfig {
    let AdapterConfig::Lora(lora) = &adapter.adapter else { panic!("{:?}", adapter.adapter) };
    lora
}

/// The rank and the scaling of a module.
fn sizes(adapter: &AdapterFolder, base: &ModelConfig, projection: Projection, layer: usize) -> (usize, f64) {
    match &*adapter.adapter.of_module(base, layer, projection) {
        AdapterConfig::Lora(lora) => (lora.rank, f64::from(lora.scaling())),
        other => panic!("{other:?}"),
    }
}

/// The Frobenius norm of `B A`.
fn norm(adapter: &AdapterFolder, base: &ModelConfig, projection: Projection, layer: usize) -> f64 {
    let name = |part| base.family.adapter_name(layer, projection, part);
    let find =
        |name: String| &adapter.tensors.iter().find(|tensor| tensor.name == name).expect("a tensor").data;
    let (a, b) = (find(name("lora_A.weight")), find(name("lora_B.weight")));
    let (outputs, inputs) = base.projection_shape(projection);
    let (rank, _) = sizes(adapter, base, projection, layer);
    let mut squares = 0.0;
    for output in 0..outputs {
        for input in 0..inputs {
            let products =
                (0..rank).map(|row| f64::from(b[output * rank + row]) * f64::from(a[row * inputs + input]));
            squares += products.sum::<f64>().powi(2);
        }
    }
    squares.sqrt()
}

/// Every difference between a folder and what PEFT made of it.
fn differences(name: &str, expected: &Expected, tolerance: f64) -> Vec<String> {
    let (adapter, base) = read(name);
    let mut differences = Vec::new();
    let mut compare = |what: &str, found: f64, expected: f64, tolerance: f64| {
        let close = (found - expected).abs() <= tolerance * expected.abs();
        if !close {
            differences.push(format!("{name}: {what} is {found}, PEFT has {expected}"));
        }
    };
    compare("labels", adapter.label_count as f64, expected.labels as f64, 0.0);
    let head = adapter.tensors.iter().find(|tensor| tensor.name == HEAD_NAME).expect("the head");
    compare("head", head.data.iter().copied().map(f64::from).sum(), expected.head_sum, tolerance);
    for layer in 0..base.layers {
        for &projection in adapter.adapter.target_modules() {
            let path = base.family.module_path(layer, projection);
            let expected_scaling = expected.scalings.get(&path).copied().unwrap_or(0.0);
            if expected_scaling > 0.0 {
                // Our scaling is an f32.
                let (_, scaling) = sizes(&adapter, &base, projection, layer);
                compare("scaling", scaling, expected_scaling, 1e-7);
            }
            let found = norm(&adapter, &base, projection, layer) * expected_scaling;
            compare(&path, found, expected.modules.get(&path).copied().unwrap_or(0.0), tolerance);
        }
    }
    let adapted = adapter.adapter.target_modules().len() * adapter.layers.len();
    compare("number of adapted modules", adapted as f64, expected.modules.len() as f64, 0.0);
    differences
}

#[test]
fn folders_by_peft_do_here_what_they_do_there() {
    let case = case();
    assert_eq!(case.folders.len(), 6);
    for (name, expected) in &case.folders {
        assert_eq!(differences(name, expected, case.relative_tolerance), [""; 0]);
    }
}

#[test]
fn a_changed_golden_fails() {
    let mut case = case();
    let expected = case.folders.get_mut("pattern").unwrap();
    *expected.modules.get_mut("model.layers.1.mlp.up_proj").unwrap() *= 1.0 + 1e-9;
    expected.head_sum *= 1.0 + 1e-9;
    let found = differences("pattern", expected, case.relative_tolerance);
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn a_folder_by_peft_has_no_labels_and_keeps_its_settings() {
    let (adapter, _) = read("one_layer");
    assert_eq!((&adapter.labels, &adapter.layers[..], lora(&adapter).rank), (&None, &[1][..], 2));
    assert_eq!((lora(&adapter).alpha, lora(&adapter).dropout), (6.0, 0.25));
    let (adapter, _) = read("rank_stabilised");
    assert_eq!((lora(&adapter).alpha, lora(&adapter).rank_stabilised), (6.0, true));
}

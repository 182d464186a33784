//! Safetensors whose matrices have scales in tensors of their own, held against transformers and bitsandbytes
//! (`golden/scaled`), and against what their decoded values compute.

use std::{fs, path::Path, sync::Arc};

use irtune_cpu::at_every_level;
use irtune_model::{Base, LoraConfig, PackedBatch, Precision, Trained};
use irtune_testing::golden::{Golden, golden_folder, sections, tolerance};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde_json::{Value, json};

use crate::{
    separate_projections,
    tiny::{engine::engine, options},
};

const CASES: [&str; 5] = ["blocks", "tensors", "channels", "nf4", "plain_nf4"];

/// A copy of a case's model with the tokenizer that its weights are too few to bring.
fn model(case: &str, folder: &Path) {
    let golden = golden_folder();
    for (from, name) in
        [(format!("scaled/{case}"), "config.json"), (format!("scaled/{case}"), "model.safetensors")]
    {
        fs::copy(golden.join(from).join(name), folder.join(name)).expect("a copy");
    }
    let tokenizer = golden.join("tiny_families/llama/untied/model/tokenizer.json");
    fs::copy(tokenizer, folder.join("tokenizer.json")).expect("a copy");
}

#[test]
fn matrices_decode_to_the_very_values_of_the_references() {
    for case in CASES {
        assert_eq!(sections(&format!("scaled/{case}")), ["weights".to_owned()].into());
        let golden = Golden::open(&format!("scaled/{case}"), &["weights"]);
        let folder = tempfile::tempdir().expect("a folder");
        model(case, folder.path());
        let base = Base::open(folder.path()).unwrap_or_else(|error| panic!("{case}: {error}"));
        assert_eq!(golden.keys("weights").len(), 7);
        for key in golden.keys("weights") {
            let name = key.strip_prefix("weights/").expect("a key of the section");
            golden.compare(&key, &base.weights.values(name).expect("values"), tolerance("dequantise", "f32"));
        }
        golden.passes();
    }
}

/// The case's model with its matrices decoded to f32.
fn decoded(case: &str, base: &Base, folder: &Path) -> Base {
    model(case, folder);
    let stored: Vec<(String, Vec<usize>, Vec<u8>)> = base
        .weights
        .tensors()
        .map(|tensor| {
            let values = base.weights.values(&tensor.name).expect("values");
            let bytes = values.into_iter().flat_map(f32::to_le_bytes).collect();
            (tensor.name.clone(), tensor.shape.clone(), bytes)
        })
        .collect();
    let views = stored.iter().map(|(name, shape, bytes)| {
        (name, TensorView::new(Dtype::F32, shape.clone(), bytes).expect("a tensor"))
    });
    fs::write(folder.join("model.safetensors"), safetensors::serialize(views, None).expect("a file"))
        .expect("a file");
    Base::open(folder).expect("the decoded base")
}

#[test]
fn adapters_train_as_on_the_decoded_values() {
    for case in CASES {
        let folders = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
        model(case, folders[0].path());
        let scaled = Base::open(folders[0].path()).expect("a base");
        let decoded = decoded(case, &scaled, folders[1].path());
        let bases = [scaled, decoded].map(Arc::new);
        at_every_level(|_| {
            for precision in [Precision::F32, Precision::Bf16, Precision::Int16, Precision::Int8] {
                let [found, expected] = bases.each_ref().map(|base| gradients(base, precision));
                assert!(found == expected, "{case} {precision:?}");
            }
        });
    }
}

/// Logits and the gradients of every adapter.
fn gradients(base: &Arc<Base>, precision: Precision) -> Vec<Vec<f32>> {
    let lora = LoraConfig { rank: 2, dropout: 0.0, ..LoraConfig::over(separate_projections()) };
    let mut made =
        engine(base.clone(), Trained::Adapter(lora.into()), 2, 3, options(precision)).expect("an engine");
    let tokens: Vec<u32> = (0..20).map(|index| index * 13 % 320).collect();
    let batch = PackedBatch::pack(&[&tokens[..12], &tokens[5..]], 8).expect("examples pack");
    let mut logits = Vec::new();
    made.logits(&batch, &mut logits).expect("logits");
    assert!(logits.iter().all(|logit| logit.is_finite() && *logit != 0.0), "{logits:?}");
    made.zero_gradients();
    made.accumulate(&batch, &[0, 1], &[true], true, 2.0, None).expect("gradients");
    let gradients = made.gradients().into_iter().map(|gradient| gradient.data);
    [logits].into_iter().chain(gradients).collect()
}

/// Changes a case's tensors: `change` gives each its name, shape and bytes, or leaves it out.
fn refusal(case: &str, change: impl Fn(&str, &[usize], &[u8]) -> Option<(Vec<usize>, Vec<u8>)>) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    model(case, folder.path());
    let path = folder.path().join("model.safetensors");
    let bytes = fs::read(&path).expect("a file");
    let stored = SafeTensors::deserialize(&bytes).expect("a file");
    let changed: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = stored
        .iter()
        .filter_map(|(name, view)| {
            let (shape, data) = change(name, view.shape(), view.data())?;
            Some((name.to_owned(), view.dtype(), shape, data))
        })
        .collect();
    let views = changed.iter().map(|(name, dtype, shape, data)| {
        (name, TensorView::new(*dtype, shape.clone(), data).expect("a tensor"))
    });
    fs::write(&path, safetensors::serialize(views, None).expect("a file")).expect("a file");
    Base::open(folder.path()).expect_err("a refusal").to_string()
}

#[test]
fn scales_that_do_not_fit_are_refused() {
    let kept = |shape: &[usize], data: &[u8]| Some((shape.to_vec(), data.to_vec()));
    let q = "model.layers.0.self_attn.q_proj.weight";
    let without = |ending: &'static str| {
        move |name: &str, shape: &[usize], data: &[u8]| {
            if name == format!("{q}{ending}") { None } else { kept(shape, data) }
        }
    };
    let message = refusal("blocks", without("_scale_inv"));
    assert!(
        message.contains(&format!("`{q}` is stored as F8_E4M3, but its scales `{q}_scale_inv` are missing"))
    );
    let message = refusal("blocks", |name, shape, data| {
        if name == format!("{q}_scale_inv") { Some((vec![1, 2], data.to_vec())) } else { kept(shape, data) }
    });
    assert!(message.contains(&format!("the scales `{q}_scale_inv` don't fit the tensor `{q}`")), "{message}");
    let message = refusal("nf4", without(".quant_map"));
    assert!(message.contains(&format!("`{q}.quant_map` is missing")), "{message}");
    let message = refusal("nf4", |name, shape, data| {
        let state = format!("{q}.quant_state.bitsandbytes__nf4");
        if name != state {
            return kept(shape, data);
        }
        let mut said: Value = serde_json::from_slice(data).expect("JSON");
        said["blocksize"] = json!(128);
        let said = said.to_string().into_bytes();
        Some((vec![said.len()], said))
    });
    assert!(
        message.contains(&format!("quant_state.bitsandbytes__nf4` don't fit the tensor `{q}`")),
        "{message}"
    );
    let message = refusal("plain_nf4", |name, shape, data| {
        if name == format!("{q}.absmax") {
            Some((vec![shape[0] - 1], data[4..].to_vec()))
        } else {
            kept(shape, data)
        }
    });
    assert!(message.contains(&format!("the scales `{q}.absmax` don't fit")), "{message}");
}

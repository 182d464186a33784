use proptest::prelude::*;
use serde_json::json;

use irtune_testing::base::{Entry, GgufFile, SyntheticBase, write_counting};

use super::*;
use crate::{
    base::config::{ModelConfig, tests::tiny},
    families::{LayerKind, Variant},
};
use ::safetensors::Dtype;
use irtune_device::Format;

fn entry(name: &str, dtype: Dtype, shape: &[usize]) -> Entry {
    (name.to_owned(), dtype, shape.to_vec())
}

#[test]
fn matrices_and_vectors_of_each_type_are_read_in_place() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("model.safetensors");
    write_counting(
        &path,
        &[entry("a", Dtype::F32, &[2, 3]), entry("b", Dtype::F16, &[5]), entry("c", Dtype::BF16, &[4, 2])],
    );
    let weights = Weights::open_safetensors(std::slice::from_ref(&path)).unwrap();
    let a = weights.get("a").unwrap();
    assert_eq!((a.format, a.rows, a.columns, a.interleaved_head), (Format::F32, 2, 3, None));
    assert_eq!(&a.bytes[..5], [0, 1, 2, 3, 4]);
    let first = half::f16::from_bits(0x0100).to_f32();
    assert_eq!(weights.vector("b").unwrap()[0], first);
    let last = half::bf16::from_bits(0x0f0e).to_f32();
    assert_eq!(weights.values("c").unwrap().last(), Some(&last));
    assert_eq!(weights.parameters(), 6 + 5 + 8);
    assert_eq!(weights.tensors().map(|tensor| tensor.name.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(weights.files().map(|(path, _)| path).collect::<Vec<_>>(), [path.as_path()]);
    assert!(weights.get("b").unwrap_err().to_string().contains("`b` has the shape [5]"));
    assert!(weights.vector("a").unwrap_err().to_string().contains("`a` has the shape [2, 3]"));
}

/// The tiny decoder in two shards, with an index.
fn write_shards(folder: &Path) -> serde_json::Value {
    let all = SyntheticBase::of_letters().entries();
    let (first, second) = all.split_at(7);
    write_counting(&folder.join("one.safetensors"), first);
    write_counting(&folder.join("two.safetensors"), second);
    let files = [(first, "one.safetensors"), (second, "two.safetensors")];
    let map: serde_json::Map<String, serde_json::Value> = files
        .into_iter()
        .flat_map(|(part, file)| part.iter().map(move |(name, ..)| (name.clone(), json!(file))))
        .collect();
    let index = json!({"metadata": {"total_size": 1}, "weight_map": map});
    write_index(folder, &index);
    index
}

fn write_index(folder: &Path, index: &serde_json::Value) {
    std::fs::write(folder.join("model.safetensors.index.json"), index.to_string()).unwrap();
}

#[test]
fn shards_are_one_set_of_weights() {
    let place = tempfile::tempdir().unwrap();
    write_shards(place.path());
    let weights = Weights::open_folder(place.path(), tiny().family, None).unwrap();
    weights.check(&tiny()).unwrap();
    assert_eq!(weights.files().count(), 2);
}

#[test]
fn a_decoder_saved_without_its_head_has_the_same_names() {
    let place = tempfile::tempdir().unwrap();
    let mut all = SyntheticBase::of_letters().entries();
    all.iter_mut().for_each(|(name, ..)| *name = name.trim_start_matches("model.").to_owned());
    write_counting(&place.path().join("model.safetensors"), &all);
    Weights::open_folder(place.path(), tiny().family, None).unwrap().check(&tiny()).unwrap();
}

fn refused(folder: &Path) -> String {
    Weights::open_folder(folder, tiny().family, None).expect_err("weights to be refused").to_string()
}

#[test]
fn a_pointer_of_git_lfs_is_named() {
    let place = tempfile::tempdir().unwrap();
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n";
    std::fs::write(place.path().join("model.safetensors"), pointer).unwrap();
    let refused = refused(place.path());
    assert!(refused.ends_with("not the file itself; fetch the file with `git lfs pull`"), "{refused}");
}

#[test]
fn an_index_that_does_not_fit_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    assert!(refused(folder).contains("holds neither model.safetensors nor"));

    let index = write_shards(folder);
    for elsewhere in ["../two.safetensors", "/etc/passwd", "", "..", "a/b.safetensors"] {
        let mut index = index.clone();
        index["weight_map"]["model.norm.weight"] = json!(elsewhere);
        write_index(folder, &index);
        let message = refused(folder);
        assert!(
            message.contains(&format!("names the file `{elsewhere}`, which is not a file of that folder")),
            "{message}"
        );
    }
    let mut wrong_shard = index.clone();
    wrong_shard["weight_map"]["model.norm.weight"] = json!("two.safetensors");
    write_index(folder, &wrong_shard);
    assert!(
        refused(folder)
            .contains("two.safetensors has no tensor `model.norm.weight`, though the index says so")
    );

    let mut absent = index.clone();
    absent["weight_map"]["model.norm.weight"] = json!("three.safetensors");
    write_index(folder, &absent);
    let message = refused(folder);
    assert!(message.contains("cannot open ") && message.contains("three.safetensors"), "{message}");

    let mut lost = index.clone();
    lost["weight_map"]["model.lost.weight"] = json!("two.safetensors");
    lost["weight_map"]["lm_head.weight"] = json!("two.safetensors");
    write_index(folder, &lost);
    let weights = Weights::open_folder(folder, tiny().family, None).unwrap();
    weights.check(&tiny()).expect("the tied output matrix is in no file");
    let message = weights.tensor("model.lost.weight").unwrap_err().to_string();
    assert!(message.contains("two.safetensors has no tensor `model.lost.weight`, though the index says so"));

    write_index(folder, &json!({"metadata": {}}));
    assert!(refused(folder).contains("is no index of weight files: missing field `weight_map`"));

    write_index(folder, &index);
    write_counting(&folder.join("two.safetensors"), &SyntheticBase::of_letters().entries());
    assert!(refused(folder).contains("occurs twice; remove the surplus file"));
}

/// A header as it stands before the values.
fn with_header(header: &str, data: usize) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &vec![0; data]].concat()
}

#[test]
fn damaged_files_are_refused_by_name() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("model.safetensors");
    write_counting(&path, &SyntheticBase::of_letters().entries());
    let whole = std::fs::read(&path).unwrap();
    let one = r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
    let twice = r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
    let overlap = r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#;
    let overflow = r#"{"a":{"dtype":"F32","shape":[4294967296,4294967296,4],"data_offsets":[0,8]}}"#;
    let cases: [(Vec<u8>, &str); 9] = [
        (whole[..whole.len() - 5].to_vec(), "file not fully covered; download it again"),
        (whole[..100].to_vec(), "invalid header length"),
        (vec![1, 2, 3], "header too small"),
        (b"\xff\xff\xff\xff\xff\xff\xff\xff{}".to_vec(), "header too large"),
        (with_header("[]", 0), "invalid JSON in header"),
        (with_header(one, 4), "file not fully covered"),
        (with_header(twice, 8), "the tensor `a` occurs twice"),
        (with_header(overlap, 12), "invalid offset for tensor `b`"),
        (with_header(overflow, 8), "overflow"),
    ];
    for (bytes, expected) in cases {
        std::fs::write(&path, bytes).unwrap();
        let message = refused(place.path());
        assert!(
            message.contains(expected) && message.contains("model.safetensors"),
            "{message}\nlacks\n{expected}"
        );
    }
    std::fs::write(&path, with_header(one, 8)).unwrap();
    assert!(Weights::open_folder(place.path(), tiny().family, None).is_ok());
}

#[test]
fn weights_that_do_not_fit_the_configuration_are_refused() {
    let place = tempfile::tempdir().unwrap();
    write_counting(&place.path().join("model.safetensors"), &SyntheticBase::of_letters().entries());
    let weights = Weights::open_folder(place.path(), tiny().family, None).unwrap();
    let cases = [
        (
            ModelConfig {
                layers: 3,
                variant: Variant { kinds: vec![LayerKind::USUAL; 3], ..tiny().variant },
                ..tiny()
            },
            "`model.layers.2.input_layernorm.weight` is missing",
        ),
        (ModelConfig { layers: 1, ..tiny() }, "has no place in a Llama decoder of 1 layers"),
        (
            ModelConfig { vocabulary_size: 41, ..tiny() },
            "`model.embed_tokens.weight` has the shape [40, 64], but the configuration asks for [41, 64]",
        ),
        (
            ModelConfig { key_value_heads: 4, ..tiny() },
            "`model.layers.0.self_attn.k_proj.weight` has the shape [32, 64], but the configuration asks for [64, 64]",
        ),
    ];
    for (config, expected) in cases {
        let message = weights.check(&config).unwrap_err().to_string();
        assert!(message.contains(expected) && message.contains("model.safetensors"), "{message}");
    }
}

#[test]
fn more_layers_than_tensors_are_refused_before_names_are_made() {
    let place = tempfile::tempdir().unwrap();
    write_shards(place.path());
    let weights = Weights::open_folder(place.path(), tiny().family, None).unwrap();
    let config = ModelConfig { layers: usize::MAX, ..tiny() };
    let message = weights.check(&config).unwrap_err().to_string();
    assert!(message.contains(&format!("too few for {} layers", usize::MAX)), "{message}");
}

#[test]
fn a_bias_is_refused_but_a_head_and_old_rotary_buffers_are_not() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("model.safetensors");
    let mut all = SyntheticBase::of_letters().entries();
    all.push(entry("lm_head.weight", Dtype::F16, &[40, 64]));
    all.push(entry("model.layers.0.self_attn.rotary_emb.inv_freq", Dtype::F32, &[8]));
    write_counting(&path, &all);
    Weights::open_folder(place.path(), tiny().family, None).unwrap().check(&tiny()).unwrap();
    all.push(entry("model.layers.1.self_attn.q_proj.bias", Dtype::BF16, &[64]));
    write_counting(&path, &all);
    let message = Weights::open_folder(place.path(), tiny().family, None)
        .unwrap()
        .check(&tiny())
        .unwrap_err()
        .to_string();
    assert!(message.contains("`model.layers.1.self_attn.q_proj.bias` has no place"), "{message}");
}

#[test]
fn tensors_that_nothing_reads_stop_nothing() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("model.safetensors");
    let mut all = SyntheticBase::of_letters().entries();
    all.push(entry("model.layers.0.self_attn.masked", Dtype::BOOL, &[8]));
    all.push(entry("model.layers.0.self_attn.positions", Dtype::I64, &[8]));
    all.push(entry("model.exact", Dtype::F64, &[8]));
    write_counting(&path, &all);
    let weights = Weights::open_folder(place.path(), tiny().family, None).unwrap();
    weights.check(&tiny()).unwrap();
    let message = weights.vector("model.exact").unwrap_err().to_string();
    assert!(
        message.contains("model.safetensors: the tensor `model.exact` is stored as F64, which isn't read")
    );
    let place_of_down = all.iter().position(|(name, ..)| name.ends_with("0.mlp.down_proj.weight")).unwrap();
    all[place_of_down].1 = Dtype::I32;
    write_counting(&path, &all);
    let weights = Weights::open_folder(place.path(), tiny().family, None).unwrap();
    let message = weights.check(&tiny()).unwrap_err().to_string();
    assert!(
        message.contains("`model.layers.0.mlp.down_proj.weight` is stored as I32, which isn't read"),
        "{message}"
    );
}

#[test]
fn a_gguf_that_cannot_be_used_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("tiny.gguf");
    let missing = Weights::open_gguf(&path, &tiny()).unwrap_err().to_string();
    assert!(missing.starts_with("cannot open "), "{missing}");
    std::fs::write(&path, "text").unwrap();
    assert!(Weights::open_gguf(&path, &tiny()).unwrap_err().to_string().contains("is no GGUF"));
    GgufFile::letters().write(&path);
    Weights::open_gguf(&path, &tiny()).unwrap().check(&tiny()).unwrap();
}

proptest! {
    #[test]
    fn random_headers_never_panic(length in 0u64..64, bytes in prop::collection::vec(any::<u8>(), 0..200), text in ".{0,80}") {
        let path = Path::new("any.safetensors");
        let _ = safetensors::parse(&bytes, path, 0);
        let _ = safetensors::parse(&[&length.to_le_bytes()[..], &bytes].concat(), path, 0);
        let _ = safetensors::parse(&with_header(&text, 3), path, 0);
    }

    #[test]
    fn random_entries_never_panic(
        shape in prop::collection::vec(any::<u64>(), 0..4), start in any::<u64>(), end in any::<u64>(), small in 0u64..9
    ) {
        let path = Path::new("any.safetensors");
        for (start, end) in [(start, end), (0, small), (small, 0)] {
            let header = json!({"a": {"dtype": "BF16", "shape": shape, "data_offsets": [start, end]}});
            let _ = safetensors::parse(&with_header(&header.to_string(), small as usize), path, 0);
        }
    }
}

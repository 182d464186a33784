use proptest::prelude::*;

use irtune_testing::base::{GgufFile, gguf_text};

use super::*;
use crate::{Base, ModelConfig, Tokenizer, Weights, config::tests::tiny};

fn refused(sample: &GgufFile) -> String {
    refused_bytes(&sample.bytes())
}

fn refused_bytes(bytes: &[u8]) -> String {
    let parsed = Header::parse(bytes, Path::new("tiny.gguf"));
    let translated = parsed.and_then(|header| header.translated(&tiny()));
    translated.expect_err("a file to be refused").to_string()
}

#[test]
fn a_whole_file_gives_tensors_by_transformers_names() {
    for version in [2, 3] {
        let bytes = GgufFile { version, ..GgufFile::letters() }.bytes();
        let header = Header::parse(&bytes, Path::new("tiny.gguf")).unwrap();
        let tensors = header.translated(&tiny()).unwrap().known;
        assert_eq!((header.version, header.data_start % 32, tensors.len()), (version, 0, 20));
        let find = |name: &str| tensors.iter().find(|tensor| tensor.name == name).expect("the tensor");
        let down = find("model.layers.1.mlp.down_proj.weight");
        assert_eq!(
            (&down.shape[..], down.format.name(), down.interleaved_head),
            (&[64, 96][..], "F32", None)
        );
        let query = find("model.layers.0.self_attn.q_proj.weight");
        assert_eq!(
            (&query.shape[..], query.format.name(), query.interleaved_head),
            (&[64, 64][..], "Q8_0", Some(16))
        );
        assert_eq!(query.bytes.len(), 64 * 2 * 34);
        assert_eq!(find("model.layers.0.self_attn.k_proj.weight").interleaved_head, Some(16));
    }
}

#[test]
fn another_alignment_moves_the_tensors() {
    let mut sample = GgufFile { alignment: 128, ..GgufFile::letters() };
    sample.unsigned("general.alignment", 128);
    let bytes = sample.bytes();
    let header = Header::parse(&bytes, Path::new("tiny.gguf")).unwrap();
    assert!(header.tensors.iter().all(|tensor| tensor.bytes.start % 128 == 0));
}

#[test]
fn values_of_every_kind_are_read() {
    let mut sample = GgufFile::new();
    let kinds: [(u32, &[u8], &str); 13] = [
        (0, &[200], "200"),
        (1, &[0xff], "-1"),
        (2, &[1, 1], "257"),
        (3, &[0xfe, 0xff], "-2"),
        (4, &[0, 0, 1, 0], "65536"),
        (5, &[0xfd, 0xff, 0xff, 0xff], "-3"),
        (6, &1.5f32.to_le_bytes(), "1.5"),
        (7, &[1], "true"),
        (8, &gguf_text("h\u{e9}".as_bytes()), "\"h\\xc3\\xa9\""),
        (9, &[2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7, 0], "an array of 1 values"),
        (10, &[1, 0, 0, 0, 0, 0, 0, 1], "72057594037927937"),
        (11, &[0xff; 8], "-1"),
        (12, &0.25f64.to_le_bytes(), "0.25"),
    ];
    for (kind, value, _) in kinds {
        sample.set(&format!("kind.{kind}"), kind, value);
    }
    let bytes = sample.bytes();
    let header = Header::parse(&bytes, Path::new("tiny.gguf")).unwrap();
    for (kind, _, expected) in kinds {
        let value = header.metadata.get(&format!("kind.{kind}")).expect("the key");
        assert_eq!(value.to_string(), expected);
    }
    let array = header.metadata.get("kind.9").and_then(Value::as_array).unwrap();
    assert_eq!((array.len(), array.is_empty()), (1, false));
    assert_eq!(array.iter().collect::<Vec<_>>(), [Value::Unsigned(7)]);
    assert_eq!(header.metadata.get("kind.1").and_then(Value::as_unsigned), None);
    assert_eq!(header.metadata.get("kind.7").and_then(Value::as_float), None);
    assert_eq!(header.metadata.get("kind.8").and_then(Value::as_bool), None);
}

/// A change of the whole sample, and what the refusal must say.
type Case = (fn(&mut GgufFile), &'static str);

#[test]
fn each_damage_has_its_error() {
    let cases: [Case; 21] = [
        (|sample| sample.magic = *b"GGML", "is no GGUF: it begins with `GGML`"),
        (|sample| sample.version = 1, "GGUF version 1 is not supported, only 2 and 3"),
        (|sample| sample.version = 3 << 24, "big-endian; take the little-endian file"),
        (
            |sample| sample.set("split.count", 2, &[4, 0]),
            "one of 4 parts; join them with `llama-gguf-split --merge`",
        ),
        (|sample| sample.set("odd", 13, &[]), "`odd` is of kind 13"),
        (
            |sample| sample.set("deep", 9, &[9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0].repeat(9)),
            "`deep` nests arrays",
        ),
        (|sample| sample.repeat("llama.block_count", 0, &[1]), "the key `llama.block_count` occurs twice"),
        (|sample| sample.tensor("output_norm.weight", &[64]), "the tensor `output_norm.weight` occurs twice"),
        (
            |sample| sample.unsigned("general.alignment", 48),
            "`general.alignment` is 48, but must be a power of two",
        ),
        (|sample| sample.unsigned("general.alignment", 0), "`general.alignment` is 0"),
        (|sample| sample.text("general.alignment", "x"), "`general.alignment` is \"x\""),
        (|sample| sample.tensor("deep", &[1, 1, 1, 1, 1]), "the tensor `deep` has 5 axes"),
        (
            |sample| sample.change("output_norm.weight").kind = 14,
            "64 values, which don't fill whole blocks of Q6_K",
        ),
        (|sample| sample.change("output_norm.weight").axes = vec![0], "impossible sizes [0]"),
        (|sample| sample.change("blk.0.attn_k.weight").axes = vec![1 << 40, 1 << 40], "has impossible sizes"),
        (
            |sample| sample.change("blk.0.attn_q.weight").axes = vec![48, 64],
            "48 values, which don't fill whole blocks of Q8_0",
        ),
        (
            |sample| sample.change("output_norm.weight").offset = Some(8),
            "`output_norm.weight` begins at offset 8, which is no multiple of the alignment 32",
        ),
        (
            |sample| sample.change("output_norm.weight").offset = Some(!31),
            "`output_norm.weight` (256 bytes at offset 18446744073709551584) reaches beyond",
        ),
        (
            |sample| sample.change("output_norm.weight").offset = Some(0),
            "`token_embd.weight` and `output_norm.weight` overlap",
        ),
        (
            |sample| sample.tensor("blk.0.attn_q.bias", &[64]),
            "`blk.0.attn_q.bias` is none of a Llama decoder's",
        ),
        (
            |sample| sample.tensor("blk.2.attn_q.weight", &[64, 64]),
            "`blk.2.attn_q.weight` is none of a Llama decoder's",
        ),
    ];
    for (damage, expected) in cases {
        let mut sample = GgufFile::letters();
        damage(&mut sample);
        let message = refused(&sample);
        assert!(message.contains(expected) && message.contains("tiny.gguf"), "{message}\nlacks\n{expected}");
    }
}

#[test]
fn only_what_is_read_must_be_of_a_known_type() {
    let mut sample = GgufFile::letters();
    for (name, kind) in [("count", 27), ("blk.0.mask", 24), ("exact", 28)] {
        sample.tensor(name, &[64]);
        sample.change(name).kind = kind;
        sample.change(name).bytes = 64 * if kind == 24 { 1 } else { 8 };
    }
    for (kind, found) in [(16, "IQ2_XXS"), (99, "type 99")] {
        sample.change("blk.1.ffn_down.weight").kind = kind;
        sample.change("blk.1.ffn_down.weight").axes = vec![256, 24];
        let (place, name) = (tempfile::tempdir().unwrap(), "model.layers.1.mlp.down_proj.weight");
        let path = place.path().join("tiny.gguf");
        sample.write(&path);
        let weights = Weights::open_gguf(&path, &tiny()).unwrap();
        assert_eq!(weights.tensors().count(), 19);
        for refusal in [weights.get(name).unwrap_err(), weights.check(&tiny()).unwrap_err()] {
            let expected =
                format!("tiny.gguf: the tensor `{name}` is stored as {found}, which isn't read; take a file");
            let message = refusal.to_string();
            assert!(message.contains(&expected) && message.ends_with("MXFP4, F8_E4M3, NF4"), "{message}");
        }
    }
    sample.change("count").kind = 0;
    assert!(refused(&sample).contains("`count` is none of a Llama decoder's"));
}

#[test]
fn a_head_that_does_not_divide_the_rows_is_refused() {
    let bytes = GgufFile::letters().bytes();
    let header = Header::parse(&bytes, Path::new("tiny.gguf")).unwrap();
    for head_size in [0, 5, 24] {
        let message = header.translated(&ModelConfig { head_size, ..tiny() }).unwrap_err().to_string();
        assert!(message.contains("cannot be divided into heads of"), "{message}");
    }
}

#[test]
fn a_name_that_is_not_text_is_refused() {
    let mut bytes = GgufFile::letters().bytes();
    bytes[32] = 0xff;
    assert!(refused_bytes(&bytes).contains("the name at byte 24 is not UTF-8"));
}

#[test]
fn a_file_cut_off_anywhere_is_refused() {
    let bytes = GgufFile::letters().bytes();
    let header_end = Header::parse(&bytes, Path::new("tiny.gguf")).unwrap().data_start;
    let lengths = (4..header_end).step_by(7).chain((header_end..bytes.len()).step_by(4001));
    for length in lengths.chain([bytes.len() - 1]) {
        let message = refused_bytes(&bytes[..length]);
        let expected = if length < header_end - 31 { "the file ends too early" } else { "tiny.gguf" };
        assert!(message.contains(expected), "{length}: {message}");
    }
    assert!(refused_bytes(b"").contains("is no GGUF"));
}

/// Everything that is made of a header, for files that may be anything.
fn exercise(bytes: &[u8]) {
    let Ok(header) = Header::parse(bytes, Path::new("any.gguf")) else { return };
    let _ = Tokenizer::from_gguf(&header);
    if let Ok(config) = ModelConfig::from_gguf(&header) {
        let _ = config.variant.rotary.frequencies().len();
        let _ = header.translated(&config);
    }
}

proptest! {
    #[test]
    fn random_bytes_never_panic(tail in prop::collection::vec(any::<u8>(), 0..400), small in any::<bool>()) {
        exercise(&tail);
        // With a plausible beginning the parser gets further.
        let counts = if small { [1u64, 1] } else { [u64::MAX, 3] };
        let beginning = [&b"GGUF\x03\0\0\0"[..], &counts[0].to_le_bytes(), &counts[1].to_le_bytes()].concat();
        exercise(&[beginning, tail].concat());
    }

    #[test]
    fn a_damaged_file_never_panics(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)
    ) {
        let mut bytes = GgufFile::letters().bytes();
        let header_end = Header::parse(&bytes, Path::new("any.gguf")).unwrap().data_start;
        for (place, value) in damage {
            bytes[place.index(header_end)] = value;
        }
        exercise(&bytes);
    }
}

#[test]
fn a_base_opens_from_a_file_and_from_its_folder() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("tiny.gguf");
    GgufFile::letters().write(&path);
    let base = Base::open(&path).unwrap();
    assert_eq!(base.config, tiny());
    assert_eq!(
        base.weights.get("model.layers.0.self_attn.q_proj.weight").unwrap().interleaved_head,
        Some(16)
    );
    assert_eq!(base.weights.vector("model.norm.weight").unwrap(), [0.0; 64]);
    assert_eq!(Base::open(place.path()).unwrap().source.fingerprint, base.source.fingerprint);
}

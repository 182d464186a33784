//! GGUFs made smaller: they are the same model, up to what their types round.

use std::path::PathBuf;

use irtune_model::{
    Base,
    quantise::{QuantiseError, SCHEMES, Scheme, quantise},
    weights::gguf::Header,
};
use irtune_testing::{
    base::{Format, GgufFile, Sizes, SyntheticBase},
    golden::Errors,
};

/// A base whose rows fill blocks of 256, but for those of the way down.
fn synthetic(tied: bool) -> SyntheticBase {
    let sizes = Sizes { layers: 8, hidden: 256, intermediate: 288, ..SyntheticBase::of_bytes().sizes };
    SyntheticBase { sizes, tied, ..SyntheticBase::of_bytes() }
}

fn scheme(name: &str) -> Scheme {
    name.parse().expect("a scheme")
}

#[test]
fn every_scheme_writes_the_same_model_as_well_as_its_types_can() {
    // Relative errors of values spread evenly around zero: with every bit less they are about twice as large.
    let limits = [
        ("f32", 0.0),
        ("bf16", 2e-3),
        ("f16", 3e-4),
        ("q8_0", 5e-3),
        ("q6_k", 0.018),
        ("q5_1", 0.036),
        ("q5_k_m", 0.036),
        ("q5_k_s", 0.036),
        ("q5_0", 0.04),
        ("q4_1", 0.075),
        ("q4_k_m", 0.075),
        ("q4_k_s", 0.075),
        ("q4_0", 0.09),
    ];
    assert_eq!(limits.map(|(name, _)| name), SCHEMES.map(|scheme| scheme.name));
    let folder = tempfile::tempdir().expect("a folder");
    for tied in [true, false] {
        let model = folder.path().join(format!("model-{tied}.gguf"));
        let base = synthetic(tied);
        base.write_gguf(&model).expect("a file");
        let expected = Base::open(&model).expect("a base");
        for (name, limit) in limits {
            let out = folder.path().join("small.gguf");
            let (mut seen, mut last) = (0, 0);
            let written = quantise(&model, &out, scheme(name), &mut |done, of| {
                assert!(seen <= done && done <= of, "{done} of {of}");
                (seen, last) = (done, of);
            })
            .expect("a smaller file");
            assert_eq!((seen, written.bytes), (last, last));
            assert_eq!(std::fs::metadata(&out).expect("a file").len(), written.bytes, "{name}");
            let found = Base::open(&out).expect("a base");
            assert_eq!(found.config, expected.config, "{name}");
            let mut worst = 0.0f64;
            for (tensor, shape) in base.shapes() {
                let values = |base: &Base| base.weights.values(&tensor).expect("values");
                let errors = Errors::of(&values(&expected), &values(&found)).expect("values");
                assert!(shape.len() == 2 || errors.l2 == 0.0, "{tensor}: norms stay as they are");
                worst = worst.max(errors.l2);
            }
            assert!((limit / 3.0..=limit).contains(&worst), "{name}: off by {worst}");
        }
    }
}

/// The name of the type that a file stores a tensor in.
fn types(path: &std::path::Path, names: &[&str]) -> Vec<&'static str> {
    let bytes = std::fs::read(path).expect("a file");
    let header = Header::parse(&bytes, path).expect("a header");
    let of = |name: &&str| header.tensor(name).and_then(|tensor| tensor.stored).expect("the tensor").name;
    names.iter().map(of).collect()
}

#[test]
fn matrices_that_matter_more_and_narrow_ones_have_types_of_their_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let (model, out) = (folder.path().join("model.gguf"), folder.path().join("small.gguf"));
    synthetic(false).write_gguf(&model).expect("a file");
    let written = quantise(folder.path(), &out, scheme("q4_k_m"), &mut |_, _| {}).expect("a smaller file");
    let names = [
        "output.weight",
        "token_embd.weight",
        "blk.0.attn_v.weight",
        "blk.1.attn_v.weight",
        "blk.1.ffn_down.weight",
        "blk.0.ffn_down.weight",
        "blk.4.attn_q.weight",
        "output_norm.weight",
    ];
    assert_eq!(types(&out, &names), ["Q6_K", "Q4_K", "Q6_K", "Q4_K", "Q5_0", "Q8_0", "Q4_K", "F32"]);
    assert_eq!(written.types.values().sum::<usize>(), synthetic(false).shapes().len());
    let bytes = std::fs::read(&out).expect("a file");
    let header = Header::parse(&bytes, &out).expect("a header");
    let number = |key| header.metadata.get(key).and_then(|value| value.as_unsigned());
    assert_eq!((number("general.file_type"), number("general.quantization_version")), (Some(15), Some(2)));
}

fn refusal(model: PathBuf, out: PathBuf) -> QuantiseError {
    quantise(&model, &out, scheme("q4_0"), &mut |_, _| {}).expect_err("a refusal")
}

#[test]
fn what_cannot_be_quantised_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let message = refusal(folder.path().to_owned(), path("out.gguf")).to_string();
    assert!(message.contains("holds no .gguf file"), "{message}");

    SyntheticBase { format: Format::Q4_1, ..SyntheticBase::of_bytes() }
        .write_gguf(&path("four.gguf"))
        .expect("a file");
    let message = refusal(path("four.gguf"), path("out.gguf")).to_string();
    assert!(
        message.contains("`token_embd.weight` is stored as Q4_1, which rounds already; quantise the file"),
        "{message}"
    );

    quantise(&path("four.gguf"), &path("wide.gguf"), scheme("f32"), &mut |_, _| {})
        .expect("the decoded values");
    let [four, wide] = ["four.gguf", "wide.gguf"].map(|name| Base::open(&path(name)).expect("a base"));
    for (name, _) in SyntheticBase::of_bytes().shapes() {
        let values = |base: &Base| base.weights.values(&name).expect("values");
        assert!(values(&four) == values(&wide), "{name}");
    }

    SyntheticBase::of_bytes().write_gguf(&path("model.gguf")).expect("a file");
    let message = refusal(path("model.gguf"), path("model.gguf")).to_string();
    assert!(message.contains("model.gguf is the model itself: give another file with --out"), "{message}");
    let message = refusal(path("model.gguf"), path("no/such/out.gguf")).to_string();
    assert!(message.contains("out.gguf"), "{message}");
    assert!(!path("out.gguf").exists());

    let mut unknown = GgufFile::letters();
    unknown.change("blk.0.attn_q.weight").kind = 99;
    unknown.write(&path("unknown.gguf"));
    let message = refusal(path("unknown.gguf"), path("out.gguf")).to_string();
    assert!(message.contains("`blk.0.attn_q.weight` is stored as type 99, which isn't read"), "{message}");
    let message = refusal(path("missing.gguf"), path("out.gguf")).to_string();
    assert!(message.contains("cannot open"), "{message}");
}

//! Synthetic bases open, and are the same model in every container and format.

use irtune_model::Base;
use irtune_testing::{
    base::{Format, SyntheticBase, Tokenizer, Values},
    golden::Errors,
};

#[test]
fn a_gguf_file_holds_the_folders_model_as_well_as_its_format_can() {
    let place = tempfile::tempdir().expect("a folder");
    // Matrices lie between −0.15 and 0.15: half a step of each format, and a whole one of Q4_0's, which ends at 7 of 8.
    let formats = [
        (Format::F32, 0.0),
        (Format::F16, 8e-5),
        (Format::Bf16, 5e-4),
        (Format::Q8_0, 7e-4),
        (Format::Q4_0, 0.0195),
        (Format::Q4_1, 0.0105),
    ];
    assert_eq!(formats.map(|(format, _)| format), Format::ALL);
    for tied in [true, false] {
        let synthetic = SyntheticBase { tied, ..SyntheticBase::of_bytes() };
        let folder = place.path().join(format!("tied-{tied}"));
        synthetic.write_folder(&folder);
        let expected = Base::open(&folder).expect("the folder opens");
        assert_eq!(expected.weights.parameters(), synthetic.parameters() as u64);
        for (format, limit) in formats {
            let path = place.path().join("model.gguf");
            SyntheticBase { format, ..synthetic.clone() }.write_gguf(&path).expect("a file");
            let found = Base::open(&path).unwrap_or_else(|error| panic!("{format:?}: {error}"));
            assert_eq!(found.config, expected.config, "{format:?}");
            let mut worst = 0.0f32;
            for (name, shape) in synthetic.shapes() {
                let values = |base: &Base| base.weights.values(&name).expect("values");
                let (expected, found) = (values(&expected), values(&found));
                if shape.len() == 1 {
                    assert_eq!(expected, found, "{format:?} {name}: norms are always f32");
                }
                let differences = expected.iter().zip(&found).map(|(left, right)| (left - right).abs());
                worst = worst.max(differences.fold(0.0, f32::max));
                let errors = Errors::of(&expected, &found).expect("values");
                assert!(errors.cosine < 0.01, "{format:?} {name}: {errors:?}");
            }
            assert!((limit / 4.0..=limit).contains(&worst), "{format:?}: off by {worst}");
            for text in ["The cats sleep.", "naïve\n12 ", ""] {
                let ids = |base: &Base| base.tokenizer.encode(text).expect("ids");
                assert_eq!(ids(&expected), ids(&found), "{text:?}");
                assert_eq!(ids(&found).len(), text.len(), "a token a byte");
            }
        }
    }
}

#[test]
fn weights_in_16_bits_stand_in_folders_too() {
    let place = tempfile::tempdir().expect("a folder");
    for format in [Format::F16, Format::Bf16] {
        let synthetic = SyntheticBase { format, ..SyntheticBase::of_bytes() };
        let (folder, file) = (place.path().join(format!("{format:?}")), place.path().join("model.gguf"));
        synthetic.write_folder(&folder);
        synthetic.write_gguf(&file).expect("a file");
        let [left, right] = [&folder, &file].map(|path| Base::open(path).expect("a base"));
        for name in synthetic.shapes().into_iter().filter(|(_, shape)| shape.len() > 1).map(|(name, _)| name)
        {
            let values = |base: &Base| base.weights.values(&name).expect("values");
            assert_eq!(values(&left), values(&right), "{format:?} {name}");
        }
    }
}

#[test]
fn a_base_with_numbered_tokens_opens() {
    let place = tempfile::tempdir().expect("a folder");
    let path = place.path().join("model.gguf");
    let synthetic = SyntheticBase {
        format: Format::Q4_1,
        tokenizer: Tokenizer::Numbered { tokens: 40 },
        values: Values::Random { seed: 1, spread: 0.06 },
        ..SyntheticBase::of_letters()
    };
    synthetic.write_gguf(&path).expect("a file");
    let base = Base::open(&path).expect("a base");
    assert_eq!((base.config.layers, base.tokenizer.vocabulary_size()), (2, 40));
}

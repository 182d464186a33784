use super::*;
use crate::base::config::tests::tiny;
use irtune_testing::base::{GgufFile, SyntheticBase, letters_tokenizer_json, write_counting};

#[test]
fn files_that_change_while_they_are_in_use_are_named() {
    let place = tempfile::tempdir().unwrap();
    SyntheticBase::of_letters().write_folder(place.path());
    let path = place.path().join("model.safetensors");
    let bytes = std::fs::read(&path).unwrap();
    let base = Base::open(place.path()).unwrap();
    base.check_unchanged().unwrap();
    // Another file of the same bytes is as good.
    let copy = place.path().join("copy");
    std::fs::write(&copy, &bytes).unwrap();
    std::fs::rename(&copy, &path).unwrap();
    base.check_unchanged().unwrap();
    let mut other = bytes.clone();
    *other.last_mut().unwrap() ^= 1;
    for changed in [Some(other), Some(bytes[..bytes.len() - 1].to_vec()), None] {
        std::fs::remove_file(&path).unwrap();
        if let Some(bytes) = changed {
            std::fs::write(&path, bytes).unwrap();
            // Later than the first writing, whatever the clock's steps.
            let later = std::time::SystemTime::now() + std::time::Duration::from_secs(5);
            std::fs::File::options().write(true).open(&path).unwrap().set_modified(later).unwrap();
        }
        let message = base.check_unchanged().unwrap_err().to_string();
        assert!(
            message.contains("model.safetensors: the file was changed, replaced or cut short"),
            "{message}"
        );
        if !path.exists() {
            break;
        }
    }
}

#[test]
fn a_transformers_folder_opens() {
    let place = tempfile::tempdir().unwrap();
    SyntheticBase::of_letters().write_folder(place.path());
    let base = Base::open(place.path()).unwrap();
    // Written as a classifier's, which falls back to the end token for padding.
    assert_eq!(base.config, ModelConfig { pad_token: Some(2), ..tiny() });
    assert_eq!((base.tokenizer.begin_token(), base.tokenizer.end_token()), (Some(1), Some(2)));
    assert_eq!(base.source.format, BaseFormat::Safetensors);
    let bytes = std::fs::metadata(place.path().join("model.safetensors")).unwrap().len();
    assert_eq!((base.source.bytes, base.source.fingerprint.len()), (bytes, 64));
    let stored = serde_json::to_string(&base.source).unwrap();
    assert_eq!(serde_json::from_str::<BaseSource>(&stored).unwrap(), base.source);
}

#[test]
fn another_model_of_the_same_make_has_another_fingerprint() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("tiny.gguf");
    let mut bytes = GgufFile::letters().bytes();
    std::fs::write(&path, &bytes).unwrap();
    let first = Base::open(&path).unwrap().source;
    *bytes.last_mut().unwrap() = 1;
    std::fs::write(&path, &bytes).unwrap();
    let second = Base::open(&path).unwrap().source;
    assert_eq!(first.bytes, second.bytes);
    assert_ne!(first.fingerprint, second.fingerprint);
}

fn refused(path: &Path) -> String {
    Base::open(path).expect_err("a base to be refused").to_string()
}

#[test]
fn what_is_no_base_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    assert!(refused(&folder.join("gone")).contains("gone: give a model folder or a .gguf file"));
    assert!(refused(folder).contains("holds no config.json, and 0 .gguf files"));
    GgufFile::letters().write(&folder.join("one.gguf"));
    GgufFile::letters().write(&folder.join("two.gguf"));
    assert!(refused(folder).contains("holds no config.json, and 2 .gguf files"));

    SyntheticBase::of_letters().write_folder(folder);
    let mut tokenizer = letters_tokenizer_json();
    for id in 8..41 {
        tokenizer["model"]["vocab"][format!("letter{id}")] = id.into();
    }
    std::fs::write(folder.join("tokenizer.json"), tokenizer.to_string()).unwrap();
    assert!(refused(folder).contains("the tokenizer has 41 tokens, but the embedding only 40 rows"));
}

#[test]
fn added_tokens_may_lie_behind_the_embedding() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    SyntheticBase::of_letters().write_folder(folder);
    let mut config: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.join("config.json")).unwrap()).unwrap();
    config["pad_token_id"] = serde_json::Value::Null;
    std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
    let mut tokenizer = letters_tokenizer_json();
    for id in 8..40 {
        tokenizer["model"]["vocab"][format!("letter{id}")] = id.into();
    }
    let added = tokenizer["added_tokens"].as_array_mut().unwrap();
    let mut image = added[0].clone();
    (image["id"], image["content"]) = (40.into(), "<image>".into());
    added.push(image);
    std::fs::write(folder.join("tokenizer.json"), tokenizer.to_string()).unwrap();
    std::fs::write(folder.join("tokenizer_config.json"), r#"{"pad_token": "<image>"}"#).unwrap();
    let base = Base::open(folder).unwrap();
    assert_eq!(base.tokenizer.encode("ab ab").unwrap().len(), 2);
    let message = base.tokenizer.encode("ab<image>").unwrap_err().to_string();
    assert!(
        message.starts_with("the text has the token `<image>` (40), but the base's embedding has 40 rows"),
        "{message}"
    );
    // transformers makes no embedding with such a padding token.
    assert_eq!(base.config.pad_token, None);
}

#[test]
fn every_part_of_a_folder_is_asked_for_by_name() {
    for file in ["model.safetensors", "tokenizer.json"] {
        let place = tempfile::tempdir().unwrap();
        SyntheticBase::of_letters().write_folder(place.path());
        std::fs::remove_file(place.path().join(file)).unwrap();
        assert!(refused(place.path()).contains(file), "{file}");
    }
    let place = tempfile::tempdir().unwrap();
    SyntheticBase::of_letters().write_folder(place.path());
    write_counting(&place.path().join("model.safetensors"), &SyntheticBase::of_letters().entries()[1..]);
    assert!(refused(place.path()).contains("`model.embed_tokens.weight` is missing"));
    std::fs::write(place.path().join("config.json"), "{}").unwrap();
    assert!(refused(place.path()).contains("`model_type` is `unnamed`"));
}

#[test]
fn another_configuration_or_tokenizer_makes_another_base() {
    let place = tempfile::tempdir().unwrap();
    SyntheticBase::of_letters().write_folder(place.path());
    let source = || Base::open(place.path()).unwrap().source;
    let kept = source();
    let config = place.path().join("config.json");
    let text = std::fs::read_to_string(&config).unwrap();
    let mut members: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&text).unwrap();

    members.insert("transformers_version".to_owned(), "0.0".into());
    members.sort_keys();
    std::fs::write(&config, serde_json::to_string_pretty(&members).unwrap()).unwrap();
    assert_eq!(source().check(&kept), Ok(()));

    members.insert("rope_theta".to_owned(), 500_000.0.into());
    std::fs::write(&config, serde_json::to_string(&members).unwrap()).unwrap();
    assert_eq!(source().check(&kept), Err(OtherBase::File { path: config.clone() }));
    // Runs that are older know the weights alone.
    let older = BaseSource { files: Default::default(), ..kept.clone() };
    assert_eq!(source().check(&older), Ok(()));
    std::fs::write(&config, text).unwrap();

    let tokenizer = place.path().join("tokenizer.json");
    let mut bytes = std::fs::read(&tokenizer).unwrap();
    bytes.push(b'\n');
    std::fs::write(&tokenizer, bytes).unwrap();
    let message = source().check(&kept).unwrap_err().to_string();
    assert!(message.contains("tokenizer.json: this file was changed since the run was begun"), "{message}");
}

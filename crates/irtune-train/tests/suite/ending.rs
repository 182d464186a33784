//! How examples end: where classifiers of transformers read the same text.

use crate::recorder::Recorder;
use crate::runs::{Place, finish, interrupted, never};
use irtune_data::{Columns, Ending, Example, Labels, Pair, Pairs};
use irtune_model::Precision;
use irtune_testing::base::SyntheticBase;
use irtune_testing::corpus::Words;
use irtune_train::{
    Answer, HeadKind, MergeOptions, Notice, Objective, Predictor, PredictorOptions, Reading, RunFolder,
    TrainRequest, TrainSettings, merge, resume,
};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// The token `<|end|>` of a base of bytes, which is its end token and so its padding token.
const END: u32 = 256;

/// A place with a base of bytes and two prompts: one ends with the token `<|end|>`.
fn place() -> Place {
    let rows = |count, first| Words { count, first, documents: Some(5), labels: &[0, 1, 2] }.rows();
    let place = Place::new(&rows(16, 0), &rows(6, 500));
    let base = place.path("base");
    fs::create_dir(&base).unwrap();
    let base_of_bytes = SyntheticBase::of_bytes();
    let sizes = irtune_testing::base::Sizes { vocabulary: 258, ..base_of_bytes.sizes };
    SyntheticBase { sizes, ..base_of_bytes }.write_folder(&base);
    fs::write(place.path("ended"), "{original}\n{revised}<|end|>").unwrap();
    fs::write(place.path("open"), "{original}\n{revised}").unwrap();
    place
}

fn request(place: &Place, prompt: &str, change: impl FnOnce(&mut TrainSettings)) -> TrainRequest {
    let mut request = place.request(&format!("{prompt}-run"), |settings| {
        (settings.max_length, settings.max_steps) = (400, Some(3));
        settings.prompt = place.path(prompt).display().to_string();
        change(settings);
    });
    request.base = place.path("base");
    request
}

fn predictor(folder: &Path) -> Predictor {
    let options = PredictorOptions { precision: Precision::F32, threads: Some(1), ..Default::default() };
    Predictor::open(folder, &options).unwrap()
}

fn pairs(place: &Place) -> Pairs {
    Pairs::open(&place.path("test.jsonl"), &Columns::default(), Labels::Optional).unwrap()
}

fn answers(place: &Place, folder: &Path) -> Vec<Answer> {
    predictor(folder).predict(pairs(place), Reading::Batch).map(Result::unwrap).collect()
}

fn example(folder: &Path, pair: &Pair) -> Example {
    predictor(folder).example(pair).unwrap().unwrap()
}

fn ends_in_padding(recorder: &Recorder<'_>) -> Option<String> {
    let told = |notice: &&Notice| matches!(notice, Notice::EndsInPadding { .. });
    recorder.notices.iter().find(told).map(Notice::to_string)
}

fn merged(request: &TrainRequest) -> std::path::PathBuf {
    let out = request.out.with_extension("merged");
    merge(&request.out, &out, &MergeOptions::default(), &mut |_, _| {}).unwrap();
    out
}

fn object(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn padding_that_a_prompt_ends_with_is_passed_over_as_transformers_does() {
    let place = place();
    let (ended, open) = (request(&place, "ended", |_| {}), request(&place, "open", |_| {}));
    let (_, recorder) = finish(&ended);
    let told = ends_in_padding(&recorder).expect("a notice");
    assert!(told.starts_with("22 of 22 pairs end with `<|end|>`, the base's padding token"), "{told}");
    assert_eq!(ends_in_padding(&finish(&open).1), None);
    let expected = Ending { appended: Vec::new(), padding: Some(END) };
    assert_eq!(RunFolder::open(&ended.out).unwrap().ending().unwrap(), expected);
    // The same tokens are read, so the same is learnt.
    assert_eq!(answers(&place, &ended.out), answers(&place, &open.out));

    let model = merged(&ended);
    let pair = pairs(&place).next().unwrap().unwrap();
    assert_eq!(example(&model, &pair), example(&ended.out, &pair));
    let ids = |folder: &Path| object(&folder.join("config.json"))["pad_token_id"].clone();
    assert_eq!(ids(&model), END);
    assert_eq!(object(&model.join("tokenizer_config.json"))["pad_token"], "<|end|>");

    // An earlier version read the last token whatever it was, and its runs go on so.
    fs::remove_file(ended.out.join("ending.json")).unwrap();
    assert_eq!(example(&ended.out, &pair).tokens.last(), Some(&END));
    assert_ne!(answers(&place, &ended.out), answers(&place, &open.out));
}

#[test]
fn a_text_that_ends_with_the_padding_tokens_name_is_told_too() {
    let place = place();
    let row = json!({"original": "It is.", "revised": "It was.<|end|><|end|>", "label": "clarity"});
    let mut rows = fs::read_to_string(place.path("train.jsonl")).unwrap();
    rows.push_str(&format!("{row}\n"));
    fs::write(place.path("train.jsonl"), rows).unwrap();
    let request = request(&place, "open", |_| {});
    let told = ends_in_padding(&finish(&request).1).expect("a notice");
    assert!(told.starts_with("1 of 23 pairs end with `<|end|>`"), "{told}");
}

#[test]
fn what_the_tokenizer_appends_is_read() {
    let place = place();
    let (file, config) = (place.path("base/tokenizer.json"), place.path("base/config.json"));
    let mut tokenizer = object(&file);
    let mut pad = tokenizer["added_tokens"][0].clone();
    (pad["id"], pad["content"]) = (257.into(), "<|pad|>".into());
    tokenizer["added_tokens"].as_array_mut().unwrap().push(pad);
    tokenizer["post_processor"] = json!({"type": "TemplateProcessing",
        "single": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "<|end|>", "type_id": 0}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {"<|end|>": {"id": "<|end|>", "ids": [END], "tokens": ["<|end|>"]}}});
    fs::write(&file, tokenizer.to_string()).unwrap();
    let mut settings = object(&config);
    settings["pad_token_id"] = 257.into();
    fs::write(&config, settings.to_string()).unwrap();

    let pooled = request(&place, "open", |_| {});
    assert_eq!(ends_in_padding(&finish(&pooled).1), None);
    let pair = pairs(&place).next().unwrap().unwrap();
    let own = example(&pooled.out, &pair);
    assert_eq!(own.tokens.last(), Some(&END));
    let model = merged(&pooled);
    assert_eq!(example(&model, &pair), own);
    assert_eq!(object(&model.join("tokenizer.json"))["post_processor"], tokenizer["post_processor"]);
    assert_eq!(object(&model.join("tokenizer_config.json"))["pad_token"], "<|pad|>");

    // Nothing comes behind a text whose label is said, and an edit head is a class of our own.
    type Change = fn(&mut TrainSettings);
    let others: [(&str, Change); 2] = [
        ("words", |settings| {
            (settings.objective, settings.prompt) = (Objective::Words, "instruction".into());
        }),
        ("edit", |settings| settings.head = HeadKind::Edit),
    ];
    for (name, change) in others {
        let mut request = request(&place, "open", change);
        request.out = place.path(name);
        finish(&request);
        assert!(!request.out.join("ending.json").exists());
        assert_ne!(example(&request.out, &pair).tokens.last(), Some(&END));
    }
}

#[test]
fn a_padding_token_that_the_base_has_lost_is_told() {
    let place = place();
    let told = place.path("base/tokenizer_config.json");
    fs::write(&told, r#"{"pad_token": "a"}"#).unwrap();
    let request = request(&place, "open", |_| {});
    interrupted(&request, 1);
    fs::remove_file(&told).unwrap();
    let error = resume(&request.out, &mut Recorder::default(), &never()).unwrap_err().to_string();
    assert!(
        error.contains("the padding token of ")
            && error.contains(" was a when the run was begun and is <|end|> now"),
        "{error}"
    );
    fs::write(&told, r#"{"pad_token": "a"}"#).unwrap();
    resume(&request.out, &mut Recorder::default(), &never()).unwrap();
    fs::remove_file(&told).unwrap();
    let out = place.path("merged");
    let error = merge(&request.out, &out, &MergeOptions::default(), &mut |_, _| {}).unwrap_err().to_string();
    assert!(
        error.contains("and is <|end|> now; restore its config.json and tokenizer_config.json"),
        "{error}"
    );
    assert!(!out.exists());
}

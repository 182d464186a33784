//! Prompts in a base's own chat template.

use crate::runs::{Place, failure, finish};
use irtune_data::Columns;
use irtune_model::Precision;
use irtune_testing::base::SyntheticBase;
use irtune_testing::corpus::Words;
use irtune_train::prompting::{Chat, Normalise, PromptRequest, Prompted, prompt};
use irtune_train::{Notice, Predictor, PredictorOptions, RunFolder, TrainRequest, TrainSettings};
use std::fs;
use std::sync::atomic::AtomicBool;

/// Takes one system turn, unless it is told to raise.
const TEMPLATE: &str = "\
{%- for message in messages -%}
{%- if message.content == 'raise' %}{{ raise_exception('System role not supported') }}{% endif -%}
<{{ message.role }}>{{ message.content }}<|end|>
{%- endfor -%}
{%- if add_generation_prompt %}<assistant>{% endif -%}";

/// A place with a base that has the template, or none.
fn place(template: Option<&str>) -> Place {
    let rows = |count, first| Words { count, first, documents: Some(5), labels: &[0, 1, 2] }.rows();
    let place = Place::new(&rows(16, 0), &rows(6, 500));
    let base = place.path("base");
    fs::create_dir(&base).unwrap();
    SyntheticBase::of_bytes().write_folder(&base);
    template.into_iter().for_each(|text| fs::write(base.join("chat_template.jinja"), text).unwrap());
    place
}

fn request(place: &Place, change: impl FnOnce(&mut TrainSettings)) -> TrainRequest {
    let mut request = place.request("run", |settings| {
        (settings.max_length, settings.max_steps) = (400, Some(2));
        change(settings);
    });
    request.base = place.path("base");
    request
}

#[test]
fn a_run_keeps_its_prompt_as_the_bases_template_wrote_it() {
    let place = place(Some(TEMPLATE));
    let request = request(&place, |settings| {
        (settings.prompt, settings.system) = ("chat:pair".into(), Some("Be {brief}.".into()));
    });
    let (summary, recorder) = finish(&request);
    assert!(!recorder.notices.iter().any(|notice| matches!(notice, Notice::EndsInPadding { .. })));
    let folder = RunFolder::open(&request.out).unwrap();
    let kept = folder.prompt().unwrap();
    assert_eq!(
        (kept.name(), kept.text()),
        ("chat:pair", "<system>Be {{brief}}.<|end|><user>{original}\n{revised}<|end|><assistant>")
    );
    assert!(kept.begins());
    // Nobody asks the base again.
    fs::remove_file(place.path("base/chat_template.jinja")).unwrap();
    let options = PredictorOptions { precision: Precision::F32, threads: Some(1), ..Default::default() };
    let mut predictor = Predictor::open(&request.out, &options).unwrap();
    let pairs = irtune_data::Pairs::open(
        &place.path("test.jsonl"),
        &Columns::default(),
        irtune_data::Labels::Required,
    );
    let measured = predictor.evaluate(pairs.unwrap(), None).unwrap();
    assert_eq!(measured.metrics.accuracy, summary.test.unwrap().metrics.accuracy);
}

#[test]
fn a_base_without_a_template_or_with_one_that_refuses_says_so() {
    let chat = |settings: &mut TrainSettings| settings.prompt = "chat".into();
    let message = failure(&request(&place(None), chat)).to_string();
    assert!(
        message.contains("the prompt `instruction` can't be put into a chat: the base has no chat template"),
        "{message}"
    );
    let raising = |settings: &mut TrainSettings| {
        (settings.prompt, settings.system) = ("chat".into(), Some("raise".into()));
    };
    let message = failure(&request(&place(Some(TEMPLATE)), raising)).to_string();
    assert!(message.contains("the base's chat template says: System role not supported"), "{message}");
}

/// Asks the base of a place itself.
fn ask(place: &Place, change: impl FnOnce(&mut PromptRequest)) -> Result<Prompted, String> {
    let mut request = PromptRequest {
        base: place.path("base"),
        test: place.path("test.jsonl").into(),
        train: Some(place.path("train.jsonl").into()),
        columns: Columns::default(),
        shots: 1,
        seed: 171,
        prompt: "instruction".into(),
        system: None,
        label_words: None,
        normalise: Normalise::Prior,
        chat: Chat::Auto,
        max_length: 400,
        batch_size: 4,
        precision: Precision::F32,
        threads: Some(1),
    };
    change(&mut request);
    let asked = prompt(&request, &mut |_, _| {}, &AtomicBool::new(false));
    asked.map(|asked| asked.expect("no interrupt")).map_err(|error| error.to_string())
}

#[test]
fn a_base_is_asked_in_its_template_where_it_has_one() {
    let (chatty, plain) = (place(Some(TEMPLATE)), place(None));
    let asked = ask(&chatty, |_| {}).unwrap();
    assert!(asked.chat);
    assert!(!ask(&plain, |_| {}).unwrap().chat);
    let without = ask(&chatty, |request| request.chat = Chat::Off).unwrap();
    assert!(!without.chat && without.longest < asked.longest);
    // The same pairs and shots with markers and a system turn: as many tokens more as these have bytes.
    let told = ask(&chatty, |request| request.system = Some("Be brief.".into())).unwrap();
    assert_eq!(told.longest, asked.longest + "<system>Be brief.".len() + 1);
    let named =
        ask(&chatty, |request| (request.chat, request.prompt) = (Chat::Off, "chat:instruction".into()));
    assert_eq!(named.unwrap().longest, asked.longest);
    let message = ask(&plain, |request| request.chat = Chat::On).unwrap_err();
    assert!(message.contains("the base has no chat template"), "{message}");
    let message = ask(&plain, |request| request.system = Some("Be brief.".into())).unwrap_err();
    assert!(message.starts_with("only a chat has a system turn, so \"Be brief.\" has no place"), "{message}");
}

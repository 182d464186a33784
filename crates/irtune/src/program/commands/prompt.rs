//! `irtune prompt`

use std::path::Path;

use irtune_data::Columns;
use irtune_files::{Disk, replace_file};
use irtune_train::prompting::{PromptRequest, Prompted, prompt};
use serde_json::{Map, Value, json};

use crate::program::args::PromptArguments;
use crate::program::environment::Environment;
use crate::program::failure::Failure;
use crate::program::interrupt;
use crate::program::output::{print, print_json, say_line};
use crate::program::progress::Count;
use irtune::settings::{Origin, Problem, Problems, no_file};
use irtune::show::numbers::seconds;
use irtune_hub::Reference;

/// Lets the language model itself name the labels, and measures it.
pub fn run(arguments: &PromptArguments, environment: &Environment) -> Result<(), Failure> {
    let (reference, mut request) = check(arguments)?;
    request.base = super::locate(&reference, environment)?;
    let interrupt = interrupt::listen("finishing this batch")?;
    let mut count = Count::new("pairs");
    let prompted = prompt(&request, &mut |done, total| count.at(done, total), interrupt);
    count.finish();
    let Some(prompted) = prompted? else { return Err(Failure::Interrupted { saved: None }) };
    if let Some(path) = &arguments.out {
        write(path, &prompted)?;
    }
    if arguments.json {
        return print_json(&report(&request, &prompted));
    }
    let measured = &prompted.measured;
    if prompted.unlabelled > 0 {
        say_line(&format!("note: {} rows have no label and were left out", prompted.unlabelled));
    }
    if measured.shortened > 0 {
        say_line(&format!(
            "note: {} pairs were too long and were shortened around what changed",
            measured.shortened
        ));
    }
    let (shots, majority) = (request.shots * prompted.labels.len(), &prompted.majority);
    print(&format!(
        "{} shots{}, longest prompt {} tokens\nloss {:.4}, {}\n{}\nalways guessing {}: accuracy {:.4}, macro F1 {:.4}, \
         macro AU-PRC {:.4}\n",
        if shots == 0 { "no".to_owned() } else { shots.to_string() },
        if prompted.chat { ", as a chat" } else { "" },
        prompted.longest,
        measured.loss,
        seconds(measured.seconds),
        measured.metrics,
        prompted.majority_label,
        majority.accuracy,
        majority.macro_f1,
        majority.macro_average_precision,
    ))
}

/// Checks the arguments, all of them, before anything is loaded.
fn check(arguments: &PromptArguments) -> Result<(Reference, PromptRequest), Failure> {
    let mut problems = Vec::new();
    let mut problem = |flag: &str, message: String| {
        problems.push(Problem::at(&Origin::Flag(flag.to_owned()), message));
    };
    let mut request = PromptRequest {
        base: Default::default(),
        test: arguments.test.clone().into(),
        train: arguments.train.clone().map(Into::into),
        columns: Default::default(),
        shots: arguments.shots,
        seed: arguments.seed,
        prompt: arguments.prompt.clone(),
        system: arguments.system.clone(),
        label_words: arguments.label_words.clone(),
        normalise: Default::default(),
        chat: Default::default(),
        max_length: arguments.max_length,
        batch_size: arguments.batch_size,
        precision: Default::default(),
        threads: arguments.threads,
    };
    match arguments.columns.read() {
        Ok(columns) => {
            let drop_unlabelled = arguments.unlabelled.drop_unlabelled;
            request.columns = Columns { drop_unlabelled, ..columns };
        }
        Err(error) => problem("preset", error.to_string()),
    }
    match arguments.normalise.parse() {
        Ok(normalise) => request.normalise = normalise,
        Err(error) => problem("normalise", format!("{error}")),
    }
    match arguments.chat.parse() {
        Ok(chat) => request.chat = chat,
        Err(error) => problem("chat", format!("{error}")),
    }
    match arguments.precision.parse() {
        Ok(precision) => request.precision = precision,
        Err(error) => problem("precision", format!("{error}")),
    }
    let numbers =
        [("batch-size", arguments.batch_size, 1 << 20), ("threads", arguments.threads.unwrap_or(1), 1024)];
    for (flag, number, most) in numbers {
        if !(1..=most).contains(&number) {
            problem(flag, format!("`{number}` is not a whole number from 1 to {most}"));
        }
    }
    if !(1..=1 << 20).contains(&arguments.max_length) {
        problem(
            "max-length",
            format!("`{}` is not a whole number from 1 to {}", arguments.max_length, 1 << 20),
        );
    }
    let files = [
        ("train", &arguments.train),
        ("test", &Some(arguments.test.clone())),
        ("label-words", &arguments.label_words),
    ];
    for (flag, path) in files {
        if let Some(message) = path.as_deref().and_then(no_file) {
            problem(flag, message);
        }
    }
    if arguments.shots > 0 && arguments.train.is_none() {
        problem("shots", "shots are drawn from training pairs: give a file with --train".to_owned());
    }
    let base = arguments.base.parse::<Reference>();
    match base {
        Ok(base) if problems.is_empty() => return Ok((base, request)),
        Ok(_) => {}
        Err(error) => problems.push(Problem::at(&Origin::Flag("base".to_owned()), error.to_string())),
    }
    Err(Failure::Settings(Problems(problems)))
}

/// Writes one prediction a line.
fn write(path: &Path, prompted: &Prompted) -> Result<(), Failure> {
    let mut lines = Vec::new();
    for answer in &prompted.predictions {
        serde_json::to_writer(&mut lines, &answer.prediction)?;
        lines.push(b'\n');
    }
    Ok(replace_file(&Disk, path, &mut |writer| writer.write_all(&lines))?)
}

/// Everything for programs.
fn report(request: &PromptRequest, prompted: &Prompted) -> Value {
    let words: Map<String, Value> = prompted
        .labels
        .names()
        .iter()
        .zip(prompted.words.all())
        .map(|(label, words)| (label.clone(), words.as_str().into()))
        .collect();
    let majority = &prompted.majority;
    json!({
        "shots": request.shots,
        "seed": request.seed,
        "normalise": request.normalise.to_string(),
        "chat": prompted.chat,
        "words": words,
        "longest_prompt": prompted.longest,
        "loss": prompted.measured.loss,
        "metrics": prompted.measured.metrics,
        "majority": {
            "label": prompted.majority_label,
            "accuracy": majority.accuracy,
            "macro_f1": majority.macro_f1,
            "macro_average_precision": majority.macro_average_precision,
        },
        "unlabelled": prompted.unlabelled,
        "shortened": prompted.measured.shortened,
        "seconds": prompted.measured.seconds,
    })
}

//! `irtune annotate`

use std::path::Path;

use irtune::annotate::{Annotation, Drafts, Output, text};
use irtune::settings::{Origin, Problem, Problems, no_file};
use irtune_data::{Columns, CorpusSource, Labels};
use irtune_documents::Format;
use irtune_files::{Disk, replace_file};
use irtune_train::{Predictor, Reading};

use super::annotate_folders;
use super::inference::Model;
use crate::program::args::AnnotateArguments;
use crate::program::environment::Environment;
use crate::program::failure::Failure;
use crate::program::git;
use crate::program::output::{print, say_line};
use crate::program::progress::Count;

/// Tells why each revision between two drafts was made.
pub fn run(arguments: &AnnotateArguments, environment: &Environment) -> Result<(), Failure> {
    let mut problems = Vec::new();
    let mut problem = |flag: &str, message: String| {
        problems.push(Problem::at(&Origin::Flag(flag.to_owned()), message));
    };
    let format = arguments.format.as_deref().map(str::parse::<Format>).transpose().unwrap_or_else(|error| {
        problem("format", error.to_string());
        None
    });
    let range = arguments.git.as_deref().and_then(|range| match range.split_once("..") {
        Some((old, new)) if new.starts_with('.') => {
            problem(
                "git",
                format!(
                    "`{range}` begins in git where the two branches parted; name that revision itself (git merge-base {old} \
                     {}), or write two dots",
                    new.trim_start_matches('.')
                ),
            );
            None
        }
        Some((old, new)) if !old.is_empty() && !new.is_empty() => Some((old, new)),
        _ => {
            problem(
                "git",
                format!("`{range}` is not two revisions with two dots between them, such as v1..v2"),
            );
            None
        }
    });
    if arguments.old.is_dir() {
        if arguments.git.is_some() {
            problem("git", "takes a file; two folders are two drafts of their files already".to_owned());
        }
        return annotate_folders::run(arguments, format, problems, environment);
    }
    if !arguments.to.is_empty() {
        problem(
            "to",
            "says what is written of each document of a folder; of two drafts the ending of --out does"
                .to_owned(),
        );
    }
    let mut outputs = Vec::new();
    for path in &arguments.out {
        match Output::of_path(path) {
            Ok(output) => outputs.push((path, output)),
            Err(error) => problem("out", format!("`{}`: {error}", path.display())),
        }
    }
    let model = Model::check(&arguments.model, &mut problem);
    let files = [Some(&arguments.old).filter(|_| arguments.git.is_none()), arguments.new.as_ref()];
    for message in files.into_iter().flatten().filter_map(|path| no_file(path)) {
        problems.push(Problem::of_all(message));
    }
    if !problems.is_empty() {
        return Err(Failure::Settings(Problems(problems)));
    }
    let drafts = drafts(arguments, range, format)?;
    let mut predictor = model.open(&arguments.model.run, environment)?;
    let mut count = Count::new("revisions");
    let annotation = annotation(drafts, &mut predictor, |done, total| count.at(done, total))?;
    count.finish();
    for (path, output) in outputs {
        let content = output.write(&annotation);
        replace_file(&Disk, path, &mut |writer| writer.write_all(&content))?;
    }
    match (arguments.json, arguments.out.is_empty()) {
        (true, _) => print(&String::from_utf8_lossy(&Output::Jsonl.write(&annotation))),
        (false, true) => print(&text(&annotation)),
        (false, false) => Ok(()),
    }
}

/// Two drafts with what the model says of their revisions; `at` is told how many are done of how many.
pub(super) fn annotation(
    drafts: Drafts,
    predictor: &mut Predictor,
    mut at: impl FnMut(usize, usize),
) -> Result<Annotation, Failure> {
    let mut annotation = Annotation::of(drafts, predictor.labels().names().to_vec());
    let questions = annotation.questions();
    let total = questions.len();
    let mut predictions = Vec::with_capacity(total);
    // Drafts that are the same leave nothing to ask.
    if total > 0 {
        let pairs = CorpusSource::rows("revision", questions).pairs(&Columns::default(), Labels::Optional)?;
        for answer in predictor.predict(pairs, Reading::Ahead) {
            predictions.push(answer?.prediction);
            at(predictions.len(), total);
        }
    }
    annotation.answer(predictions);
    Ok(annotation)
}

/// A file's bytes.
fn bytes(path: &Path) -> Result<Vec<u8>, anyhow::Error> {
    std::fs::read(path)
        .map_err(|error| anyhow::Error::new(error).context(format!("{} cannot be read", path.display())))
}

fn drafts(
    arguments: &AnnotateArguments,
    range: Option<(&str, &str)>,
    format: Option<Format>,
) -> Result<Drafts, Failure> {
    let old = &arguments.old;
    if let Some((before, after)) = range {
        let (before_bytes, after_bytes) = (git::show(before, old)?, git::show(after, old)?);
        // The file's name is the last part, so its ending still says how it is written.
        let named = |revision: &str| format!("{revision}:{}", old.display());
        let (before, after) = (named(before), named(after));
        return Ok(Drafts::read((&before, &before_bytes), Some((&after, &after_bytes)), format)?);
    }
    read(old, arguments.new.as_deref(), format)
}

/// Two files as drafts; one file by itself is both.
pub(super) fn read(old: &Path, new: Option<&Path>, format: Option<Format>) -> Result<Drafts, Failure> {
    let named = |path: &Path| Ok::<_, anyhow::Error>((path.display().to_string(), bytes(path)?));
    let (old, old_bytes) = named(old)?;
    let new = new.map(named).transpose()?;
    let new = new.as_ref().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
    let drafts = Drafts::read((&old, &old_bytes), new, format)?;
    if drafts.tracked == Some(0) {
        say_line(&format!(
            "note: no change is tracked in {old}; where another file is the new draft, name it too"
        ));
    }
    Ok(drafts)
}

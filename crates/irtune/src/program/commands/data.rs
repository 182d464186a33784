//! `irtune data`

use std::path::Path;

use irtune_data::{Columns, Corpus, Labels};
use irtune_files::{Disk, replace_file};
use irtune_train::{HeldOut, is_cross_validation};

use crate::program::args::DataArguments;
use crate::program::failure::Failure;
use crate::program::output::{print, print_json};
use irtune::settings::{Origin, Problem, Problems, no_file};
use irtune::survey::Survey;
use irtune::suspects::Suspects;

/// Shows what files hold and share, or the pairs whose label a cross-validation contradicts.
pub fn run(arguments: &DataArguments) -> Result<(), Failure> {
    if let Some(folder) = &arguments.suspects {
        return suspects(folder, arguments);
    }
    let mut problems = Vec::new();
    let mut problem = |flag: &str, message: String| {
        problems.push(Problem::at(&Origin::Flag(flag.to_owned()), message));
    };
    // clap lets a flag that needs another stand alone beside what the other excludes.
    if arguments.out.is_some() {
        problem(
            "out",
            "it says where --suspects are written, and nothing else is; add --suspects RUN".to_owned(),
        );
    }
    let columns = arguments.columns.read().unwrap_or_else(|error| {
        problem("preset", error.to_string());
        Columns::default()
    });
    let splits =
        [("train", &arguments.train), ("validation", &arguments.validation), ("test", &arguments.test)];
    let splits: Vec<_> = splits.into_iter().filter_map(|(flag, path)| Some((flag, path.as_ref()?))).collect();
    for (flag, path) in &splits {
        if let Some(message) = no_file(path) {
            problem(flag, message);
        }
    }
    for message in arguments.files.iter().filter_map(|path| no_file(path)) {
        problems.push(Problem::of_all(message));
    }
    if !problems.is_empty() {
        return Err(Failure::Settings(Problems(problems)));
    }
    let columns = Columns {
        group: arguments.group_column.clone(),
        drop_unlabelled: arguments.unlabelled.drop_unlabelled,
        ..columns
    };
    let files = splits.into_iter().map(|(_, path)| path).chain(&arguments.files);
    let labels = if arguments.multi_label { Labels::Several } else { Labels::Optional };
    let corpora: Vec<Corpus> =
        files.map(|path| Corpus::read(&path.clone().into(), &columns, labels)).collect::<Result<_, _>>()?;
    let survey = Survey::of(&corpora)?;
    if arguments.json { print_json(&survey) } else { print(&survey.to_string()) }
}

fn suspects(folder: &Path, arguments: &DataArguments) -> Result<(), Failure> {
    if !is_cross_validation(folder) {
        let message = format!("`{}` is no cross-validation", folder.display());
        let problem = Problem::at(&Origin::Flag("suspects".to_owned()), message);
        let problem = problem.hint("irtune train --folds 5 makes one");
        return Err(Failure::Settings(Problems(vec![problem])));
    }
    let found = Suspects::of(&HeldOut::read(folder)?);
    if let Some(path) = &arguments.out {
        let lines: Vec<String> =
            found.suspects.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
        replace_file(&Disk, path, &mut |writer| {
            lines.iter().try_for_each(|line| writeln!(writer, "{line}"))
        })?;
    }
    if arguments.json { print_json(&found) } else { print(&found.to_string()) }
}

//! `irtune data`

use irtune_data::{Columns, Corpus, Labels};

use crate::program::args::DataArguments;
use crate::program::failure::Failure;
use crate::program::output::{print, print_json};
use irtune::settings::{Origin, Problem, Problems, no_file};
use irtune::survey::Survey;

/// Shows what files hold and share.
pub fn run(arguments: &DataArguments) -> Result<(), Failure> {
    let mut problems = Vec::new();
    let mut problem = |flag: &str, message: String| {
        problems.push(Problem::at(&Origin::Flag(flag.to_owned()), message));
    };
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
    let columns = Columns { group: arguments.group_column.clone(), ..columns };
    let files = splits.into_iter().map(|(_, path)| path).chain(&arguments.files);
    let corpora: Vec<Corpus> = files
        .map(|path| Corpus::read(&path.clone().into(), &columns, Labels::Optional))
        .collect::<Result<_, _>>()?;
    let survey = Survey::of(&corpora)?;
    if arguments.json { print_json(&survey) } else { print(&survey.to_string()) }
}

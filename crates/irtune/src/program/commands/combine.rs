//! `irtune combine`

use irtune_train::RunFolder;

use super::of_run;
use crate::program::args::CombineArguments;
use crate::program::environment::Environment;
use crate::program::failure::Failure;
use crate::program::output::{print_json, say};
use crate::program::progress::Progress;
use crate::program::standing::say_standing;
use irtune::settings::{Origin, Problem, Problems};
use irtune::show::report;

/// Combines a finished run with the linear model of its pairs.
pub fn run(arguments: &CombineArguments, environment: &Environment) -> Result<(), Failure> {
    let mut problems = Vec::new();
    let mut problem = |flag: &str, message: String| {
        problems.push(Problem::at(&Origin::Flag(flag.to_owned()), message));
    };
    of_run::check_run(&arguments.of.run, &mut problem);
    let base = of_run::base(arguments.of.base.as_deref(), &mut problem);
    if !problems.is_empty() {
        return Err(Failure::Settings(Problems(problems)));
    }
    let base = base.map(|reference| super::locate(&reference, environment)).transpose()?;
    let mut progress = Progress::new();
    let summary = irtune_train::combine(&arguments.of.run, &arguments.of.out, base, &mut progress);
    progress.finish();
    let summary = summary?;
    say(&report::summary(&RunFolder::open(&arguments.of.out)?, &summary)?);
    say_standing(&summary);
    if arguments.json {
        print_json(&summary)?;
    } else {
        say(&report::next_steps(&arguments.of.out, None));
    }
    Ok(())
}

//! `irtune baseline`

use crate::program::args::BaselineArguments;
use crate::program::failure::Failure;
use crate::program::output::{print_json, say};
use crate::program::progress::Progress;
use irtune::settings::{Sources, resolve_baseline};
use irtune::show::linear;
use irtune_train::RunFolder;

/// Trains a linear model into a run folder.
pub fn run(arguments: &BaselineArguments) -> Result<(), Failure> {
    let mut sources = Sources::default();
    for (setting, text) in &arguments.settings.0 {
        sources.flag(setting, text);
    }
    let request = resolve_baseline(sources).map_err(Failure::Settings)?;
    let mut progress = Progress::new();
    let summary = irtune_train::train_baseline(&request, &mut progress);
    progress.finish();
    let summary = summary?;
    let run = RunFolder::open(&request.out)?;
    say(&linear::summary(&run, &summary)?);
    if arguments.json { print_json(&summary) } else { Ok(()) }
}

//! `irtune merge`

use irtune_files::shell_path;
use irtune_train::{MergeOptions, merge};

use super::inference::say_unfinished;
use super::of_run;
use crate::program::args::MergeArguments;
use crate::program::environment::Environment;
use crate::program::failure::Failure;
use crate::program::output::{print_json, say_line};
use crate::program::progress::BytesBar;
use irtune::settings::{Origin, Problem, Problems};
use irtune::show::numbers::bytes;

/// Makes a whole model of a run.
pub fn run(arguments: &MergeArguments, environment: &Environment) -> Result<(), Failure> {
    let mut problems = Vec::new();
    let mut problem = |flag: &str, message: String| {
        problems.push(Problem::at(&Origin::Flag(flag.to_owned()), message));
    };
    of_run::check_run(&arguments.of.run, &mut problem);
    let stored = arguments.dtype.parse().unwrap_or_else(|error: irtune_model::UnknownMergedType| {
        problem("dtype", error.to_string());
        Default::default()
    });
    let base = of_run::base(arguments.of.base.as_deref(), &mut problem);
    if !problems.is_empty() {
        return Err(Failure::Settings(Problems(problems)));
    }
    let base = base.map(|reference| super::locate(&reference, environment)).transpose()?;
    let bar = BytesBar::new("merging");
    let options = MergeOptions { base, stored };
    let outcome = merge(&arguments.of.run, &arguments.of.out, &options, &mut |done, of| bar.set(done, of));
    bar.finish();
    let outcome = outcome?;
    say_unfinished(&arguments.of.run);
    if arguments.json {
        return print_json(&outcome);
    }
    let merged = &outcome.merged;
    let files = if merged.files == 1 { "one file".to_owned() } else { format!("{} files", merged.files) };
    say_line(&format!(
        "Merged: {} tensors, {} in {stored}, {files}, in {}\n\nNext:\n  irtune eval --run {} --data FILE\n  \
         transformers: AutoModelForSequenceClassification.from_pretrained(\"{}\"{})",
        merged.tensors,
        bytes(merged.bytes),
        outcome.path.display(),
        shell_path(&outcome.path),
        outcome.path.display(),
        if merged.trust_remote_code { ", trust_remote_code=True" } else { "" },
    ));
    Ok(())
}

//! What commands that use a run have in common: a run opened, and the settings it is opened with.

use std::path::Path;

use irtune_data::Columns;
use irtune_files::shell_path;
use irtune_train::{Predictor, PredictorOptions, RunFolder};

use super::of_run;
use crate::program::args::{InferenceArguments, ModelArguments};
use crate::program::environment::Environment;
use crate::program::failure::Failure;
use crate::program::output::say_line;
use irtune::settings::{Origin, Problem, Problems, no_file};
use irtune_hub::Reference;

/// Arguments about a run that make sense, before anything is loaded.
pub struct Model {
    options: PredictorOptions,
    base: Option<Reference>,
}

/// Arguments about a run and pairs for it that make sense.
pub struct Inference {
    model: Model,
    /// Which columns mean what.
    pub columns: Columns,
}

/// Checks the arguments, all of them.
///
/// # Errors
/// [`Failure::Settings`] with everything that is wrong.
pub fn check(arguments: &InferenceArguments, standard_input: bool) -> Result<Inference, Failure> {
    let mut problems = Vec::new();
    let mut problem = |flag: &str, message: String| {
        problems.push(Problem::at(&Origin::Flag(flag.to_owned()), message));
    };
    let columns = arguments.columns.read().unwrap_or_else(|error| {
        problem("preset", error.to_string());
        Columns::default()
    });
    let data = &arguments.data;
    let piped = standard_input && data == Path::new("-");
    if !piped && let Some(message) = no_file(data) {
        problem("data", message);
    }
    let model = Model::check(&arguments.model, &mut problem);
    match problems.is_empty() {
        true => Ok(Inference { model, columns }),
        false => Err(Failure::Settings(Problems(problems))),
    }
}

impl Inference {
    /// Loads the run's model.
    ///
    /// # Errors
    /// When the run or its base cannot be loaded.
    pub fn open(self, run: &Path, environment: &Environment) -> Result<Predictor, Failure> {
        self.model.open(run, environment)
    }
}

impl Model {
    /// Checks the arguments about a run; `problem` is told what is wrong with which flag.
    pub fn check(arguments: &ModelArguments, problem: &mut dyn FnMut(&str, String)) -> Model {
        let mut options = PredictorOptions::default();
        match arguments.precision.parse() {
            Ok(precision) => options.precision = precision,
            Err(error) => problem("precision", format!("{error}")),
        }
        match arguments.batch_size.parse() {
            Ok(size) if (1..=1 << 20).contains(&size) => options.batch_size = size,
            _ => problem(
                "batch-size",
                format!("`{}` is not a whole number from 1 to {}", arguments.batch_size, 1 << 20),
            ),
        }
        match arguments.threads.as_deref().map(|text| (text, text.parse::<usize>())) {
            None => {}
            Some((_, Ok(threads))) if (1..=1024).contains(&threads) => options.threads = Some(threads),
            Some((text, _)) => problem("threads", format!("`{text}` is not a whole number from 1 to 1024")),
        }
        options.calibrated = !arguments.uncalibrated;
        match arguments.abstain_below.as_deref().map(|text| (text, text.parse::<f64>())) {
            None => {}
            Some((_, Ok(below))) if below > 0.0 && below <= 1.0 => options.abstain_below = Some(below),
            Some((text, _)) => problem(
                "abstain-below",
                format!("`{text}` is not a number above 0 and at most 1, such as 0.7"),
            ),
        }
        let base = of_run::base(arguments.base.as_deref(), problem);
        of_run::check_run(&arguments.run, problem);
        Model { options, base }
    }

    /// Loads the run's model.
    ///
    /// # Errors
    /// When the run or its base cannot be loaded.
    pub fn open(self, run: &Path, environment: &Environment) -> Result<Predictor, Failure> {
        opened(run, &self.options(environment)?)
    }

    /// How the run's model is loaded, its base found.
    ///
    /// # Errors
    /// When the base cannot be found.
    pub fn options(self, environment: &Environment) -> Result<PredictorOptions, Failure> {
        let base = self.base.map(|reference| super::locate(&reference, environment)).transpose()?;
        Ok(PredictorOptions { base, ..self.options })
    }
}

/// Loads a run's model, and says where its pairs may be longer than its base's positions.
///
/// # Errors
/// When the run or its base cannot be loaded.
pub fn opened(run: &Path, options: &PredictorOptions) -> Result<Predictor, Failure> {
    let predictor = Predictor::open(run, options)?;
    say_unfinished(run);
    if let Some(beyond) = predictor.beyond_positions() {
        say_line(&format!("note: {beyond}"));
    }
    Ok(predictor)
}

/// Says that a run is not finished, whose model is the best so far.
pub fn say_unfinished(run: &Path) {
    let unfinished =
        RunFolder::open(run).is_ok_and(|run| run.summary().is_ok_and(|summary| summary.is_none()));
    if unfinished {
        say_line(&format!(
            "note: the run is not finished, and this is its best model so far; irtune train --resume {} goes on with it",
            shell_path(run)
        ));
    }
}

//! `irtune eval`

use irtune_data::{Columns, DataError, Pair, Pairs};
use irtune_metrics::Bootstrap;
use irtune_model::ProblemType;
use irtune_train::{KeyFigures, TrainedOn};

use super::inference;
use crate::program::args::{EvalArguments, InferenceArguments, ModelArguments};
use crate::program::environment::Environment;
use crate::program::failure::Failure;
use crate::program::output::{print, print_json, say_line};
use irtune::show::kinds::kinds;
use irtune::show::numbers::seconds;
use irtune::show::probabilities::{answered, decisions, probabilities};

/// Pairs that the run has learned from.
struct Seen {
    trained_on: TrainedOn,
    pairs: usize,
    /// The first of them, each with the training pair.
    first: Vec<String>,
}

impl Seen {
    fn new(trained_on: TrainedOn) -> Seen {
        Seen { trained_on, pairs: 0, first: Vec::new() }
    }

    fn look_at(&mut self, pair: &Result<Pair, DataError>) {
        let Ok(pair) = pair else { return };
        let Some(place) = self.trained_on.place(pair) else { return };
        self.pairs += 1;
        if self.first.len() < 3 {
            self.first.push(format!("{} = {place}", pair.place));
        }
    }

    fn tell(&self) {
        if self.pairs > 0 {
            let more = if self.first.len() < self.pairs { ", …" } else { "" };
            say_line(&format!(
                "note: {} of the pairs are training pairs of this run ({}{more}), so figures on them are too good",
                self.pairs,
                self.first.join(", ")
            ));
        }
    }
}

/// Measures a run on labelled pairs.
pub fn run(arguments: &EvalArguments, environment: &Environment) -> Result<(), Failure> {
    let inference = inference::check(&arguments.inference, false)?;
    let drop_unlabelled = arguments.unlabelled.drop_unlabelled;
    let columns = Columns { drop_unlabelled, ..inference.columns.clone() };
    let InferenceArguments { model: ModelArguments { run, .. }, data, .. } = &arguments.inference;
    let mut predictor = inference.open(run, environment)?;
    let mut pairs = Pairs::open(data, &columns, predictor.labels_to_read())?;
    let mut seen = Seen::new(TrainedOn::of(run));
    let measured =
        predictor.evaluate(pairs.by_ref().inspect(|pair| seen.look_at(pair)), Some(&Bootstrap::default()))?;
    seen.tell();
    if pairs.left_out().unlabelled > 0 {
        say_line(&format!("note: {} rows have no label and were left out", pairs.left_out().unlabelled));
    }
    if arguments.json {
        return print_json(&measured);
    }
    if measured.shortened > 0 {
        say_line(&format!(
            "note: {} pairs were too long and were shortened around what changed",
            measured.shortened
        ));
    }
    let mut text = format!("loss {:.4}, {}\n{}", measured.loss, seconds(measured.seconds), measured.metrics);
    let accuracy_name = measured.metrics.accuracy_name();
    text += &kinds(&measured.kinds, accuracy_name);
    text += "\n";
    text += &match predictor.problem() {
        ProblemType::SingleLabel => probabilities(&measured.probabilities),
        ProblemType::MultiLabel => decisions(&measured.probabilities),
    };
    if let Some(KeyFigures { accuracy, macro_f1, log_loss, calibration_error }) = measured.uncalibrated {
        text += &format!(
            "\nPlain outputs, without the run's calibration: {accuracy_name} {accuracy:.4}, macro F1 {macro_f1:.4}, log loss \
             {log_loss:.4}, calibration error {calibration_error:.4}\n"
        );
    }
    if let Some(found) = &measured.answered {
        text += "\n";
        text += &answered(found);
    }
    print(&text)
}

//! `irtune eval`

use irtune_data::{Columns, DataError, Pair, Pairs};
use irtune_metrics::Bootstrap;
use irtune_model::ProblemType;
use irtune_train::{DataSplit, KeyFigures, TrainedOn};

use super::inference;
use crate::program::args::{EvalArguments, InferenceArguments, ModelArguments};
use crate::program::environment::Environment;
use crate::program::failure::Failure;
use crate::program::output::{print, print_json, say_line};
use irtune::show::kinds::kinds;
use irtune::show::numbers::seconds;
use irtune::show::probabilities::{answered, decisions, probabilities};

/// Pairs of a split that are named, at most.
const SHOWN: usize = 3;

/// Pairs that the run has learned from, or was chosen by.
struct Seen {
    trained_on: Option<TrainedOn>,
    /// How many of each split, with the first of them beside the run's own.
    found: [(DataSplit, usize, Vec<String>); 2],
}

impl Seen {
    fn new(trained_on: Option<TrainedOn>) -> Seen {
        Seen {
            trained_on,
            found: [DataSplit::Train, DataSplit::Validation].map(|split| (split, 0, Vec::new())),
        }
    }

    fn look_at(&mut self, pair: &Result<Pair, DataError>) {
        let (Ok(pair), Some(trained_on)) = (pair, &self.trained_on) else { return };
        let Some((split, place)) = trained_on.place(pair) else { return };
        for (_, pairs, first) in self.found.iter_mut().filter(|(own, ..)| own == split) {
            *pairs += 1;
            if first.len() < SHOWN {
                first.push(format!("{} = {place}", pair.place));
            }
        }
    }

    fn tell(&self) {
        if self.trained_on.is_none() {
            say_line(
                "note: what the model was trained on can't be read here or has changed since, so nobody has looked whether these pairs are among it",
            );
        }
        for (split, pairs, first) in self.found.iter().filter(|(_, pairs, _)| *pairs > 0) {
            let more = if first.len() < *pairs { ", …" } else { "" };
            let first = first.join(", ");
            say_line(&format!(
                "note: {pairs} of the pairs are {split} pairs of this run ({first}{more}), so figures on them are too good"
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

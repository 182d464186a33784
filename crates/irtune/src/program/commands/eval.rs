//! `irtune eval`

use irtune_data::Pairs;
use irtune_metrics::Bootstrap;
use irtune_model::ProblemType;
use irtune_train::KeyFigures;

use super::inference;
use crate::program::args::EvalArguments;
use crate::program::environment::Environment;
use crate::program::failure::Failure;
use crate::program::output::{print, print_json, say_line};
use irtune::show::kinds::kinds;
use irtune::show::numbers::seconds;
use irtune::show::probabilities::{answered, decisions, probabilities};

/// Measures a run on labelled pairs.
pub fn run(arguments: &EvalArguments, environment: &Environment) -> Result<(), Failure> {
    let inference = inference::check(&arguments.inference, false)?;
    let columns = inference.columns.clone();
    let mut predictor = inference.open(&arguments.inference.model.run, environment)?;
    let pairs = Pairs::open(&arguments.inference.data, &columns, predictor.labels_to_read())?;
    let measured = predictor.evaluate(pairs, Some(&Bootstrap::default()))?;
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

//! `irtune eval`

use irtune_data::{Labels, Pairs};
use irtune_train::metrics::Bootstrap;

use super::inference;
use crate::args::EvalArguments;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::show::numbers::seconds;

/// Measures a run on labelled pairs.
pub fn run(arguments: &EvalArguments, environment: &Environment) -> Result<(), Failure> {
    let inference = inference::check(&arguments.inference, false)?;
    let pairs = Pairs::open(&arguments.inference.data, &inference.columns, Labels::Required)?;
    let mut predictor = inference.open(&arguments.inference.run, environment)?;
    let measured = predictor.evaluate(pairs, Some(&Bootstrap::default()))?;
    if arguments.json {
        return super::print(&(serde_json::to_string_pretty(&measured)? + "\n"));
    }
    if measured.shortened > 0 {
        eprintln!("note: {} pairs were too long and were shortened around what changed", measured.shortened);
    }
    super::print(&format!("loss {:.4}, {}\n{}", measured.loss, seconds(measured.seconds), measured.metrics))
}

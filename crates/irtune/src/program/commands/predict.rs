//! `irtune predict`

use std::io::{self, BufReader, Write};
use std::path::Path;

use irtune::settings::{Origin, Problem, Problems};
use irtune::show::printable::printable;
use irtune_data::{DataError, Id, Labels, Pair, Pairs};
use irtune_train::{Predictor, Reading};
use serde::Serialize;

use super::inference;
use crate::program::args::PredictArguments;
use crate::program::environment::Environment;
use crate::program::failure::Failure;
use crate::program::output::{broken_pipe, say_line};

/// What a model reads of a pair.
#[derive(Serialize)]
struct Inputs<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a Id>,
    tokens: &'a [u32],
    #[serde(flatten)]
    change: Option<Changed<'a>>,
}

/// What changed in it, for an edit head.
#[derive(Serialize)]
struct Changed<'a> {
    removed: &'a [u32],
    added: &'a [u32],
    counters: &'a [f32],
}

/// Writes what the model reads of each pair, a JSON object a line.
fn write_inputs(
    predictor: &Predictor,
    pairs: impl Iterator<Item = Result<Pair, DataError>>,
) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    for pair in pairs {
        let pair = pair?;
        let Some(example) = predictor.example(&pair)? else {
            let message = "a linear model reads no tokens; leave it out".to_owned();
            let problem = Problem::at(&Origin::Flag("inputs".to_owned()), message);
            return Err(Failure::Settings(Problems(vec![problem])));
        };
        let change = example.change.as_ref().map(|change| Changed {
            removed: &change.removed,
            added: &change.added,
            counters: &change.counters,
        });
        let inputs = Inputs { id: pair.id.as_ref(), tokens: &example.tokens, change };
        writeln!(out, "{}", printable(&serde_json::to_string(&inputs)?)).map_err(broken_pipe)?;
    }
    out.flush().map_err(broken_pipe)?;
    Ok(())
}

/// Classifies pairs, those from standard input as they come in.
pub fn run(arguments: &PredictArguments, environment: &Environment) -> Result<(), Failure> {
    let (arguments, inputs) = (&arguments.inference, arguments.inputs);
    let inference = inference::check(arguments, true)?;
    let columns = inference.columns.clone();
    let mut predictor = inference.open(&arguments.model.run, environment)?;
    let (pairs, reading) = if arguments.data == Path::new("-") {
        let pairs = Pairs::from_reader("stdin", BufReader::new(io::stdin()), &columns, Labels::Ignored)?;
        (pairs, Reading::Batch)
    } else {
        (Pairs::open(&arguments.data, &columns, Labels::Ignored)?, Reading::Ahead)
    };
    if inputs {
        return write_inputs(&predictor, pairs);
    }
    // Line-buffered: an answer is out before the next pair has to come in.
    let mut out = io::stdout().lock();
    let (mut shortened, mut pairs_seen, mut abstained) = (0u64, 0u64, 0u64);
    for answer in predictor.predict(pairs, reading) {
        // What is known so far reaches the reader before the error does.
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                out.flush().map_err(broken_pipe)?;
                return Err(error.into());
            }
        };
        shortened += u64::from(answer.shortened);
        pairs_seen += 1;
        abstained += u64::from(answer.prediction.abstained());
        let line = serde_json::to_string(&answer.prediction)?;
        writeln!(out, "{}", printable(&line)).map_err(broken_pipe)?;
    }
    out.flush().map_err(broken_pipe)?;
    if shortened > 0 {
        say_line(&format!("note: {shortened} pairs were too long and were shortened around what changed"));
    }
    if arguments.model.abstain_below.is_some() {
        say_line(&format!(
            "note: {abstained} of {pairs_seen} pairs have no label: the model is not sure enough of one"
        ));
    }
    Ok(())
}

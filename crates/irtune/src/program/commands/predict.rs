//! `irtune predict`

use std::io::{self, BufReader, Write};
use std::path::Path;

use irtune_data::{Labels, Pairs};
use irtune_train::Reading;

use super::inference;
use crate::program::args::PredictArguments;
use crate::program::environment::Environment;
use crate::program::failure::Failure;
use crate::program::output::broken_pipe;

/// Classifies pairs, those from standard input as they come in.
pub fn run(arguments: &PredictArguments, environment: &Environment) -> Result<(), Failure> {
    let arguments = &arguments.inference;
    let inference = inference::check(arguments, true)?;
    let columns = inference.columns.clone();
    let mut predictor = inference.open(&arguments.run, environment)?;
    let (pairs, reading) = if arguments.data == Path::new("-") {
        let pairs = Pairs::from_reader("stdin", BufReader::new(io::stdin()), &columns, Labels::Optional)?;
        (pairs, Reading::Batch)
    } else {
        (Pairs::open(&arguments.data, &columns, Labels::Optional)?, Reading::Ahead)
    };
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
        abstained += u64::from(answer.prediction.abstained);
        let line = serde_json::to_string(&answer.prediction)?;
        writeln!(out, "{line}").map_err(broken_pipe)?;
    }
    out.flush().map_err(broken_pipe)?;
    if shortened > 0 {
        eprintln!("note: {shortened} pairs were too long and were shortened around what changed");
    }
    if arguments.abstain_below.is_some() {
        eprintln!(
            "note: {abstained} of {pairs_seen} pairs have no label: the model is not sure enough of one"
        );
    }
    Ok(())
}

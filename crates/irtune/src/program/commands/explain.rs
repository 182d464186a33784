//! `irtune explain`

use std::io::{self, BufReader};
use std::path::Path;

use irtune::explain::explain;
use irtune_data::{Labels, Pairs};

use super::inference;
use crate::program::args::ExplainArguments;
use crate::program::environment::Environment;
use crate::program::failure::Failure;
use crate::program::output::print;

/// Shows which change of each revision its label hangs on, as they come in.
pub fn run(arguments: &ExplainArguments, environment: &Environment) -> Result<(), Failure> {
    let (json, arguments) = (arguments.json, &arguments.inference);
    let inference = inference::check(arguments, true)?;
    let columns = inference.columns.clone();
    let mut predictor = inference.open(&arguments.model.run, environment)?;
    let pairs = match arguments.data == Path::new("-") {
        true => Pairs::from_reader("stdin", BufReader::new(io::stdin()), &columns, Labels::Ignored)?,
        false => Pairs::open(&arguments.data, &columns, Labels::Ignored)?,
    };
    // What stops the reader stops the model too.
    let mut stopped = None;
    let explained = explain(&mut predictor, pairs, &mut |explanation| {
        let text = match json {
            true => serde_json::to_string(&explanation).map(|line| line + "\n").map_err(Failure::from),
            false => Ok(format!("{explanation}\n")),
        };
        stopped = text.and_then(|text| print(&text)).err();
        stopped.is_none()
    });
    match stopped {
        Some(failure) => Err(failure),
        None => Ok(explained?),
    }
}

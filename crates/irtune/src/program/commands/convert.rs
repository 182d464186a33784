//! `irtune convert`

use std::fs::File;
use std::io::{self, BufReader};

use irtune::convert::{PairFormat, WithPredictions, convert};
use irtune::settings::{Origin, Problem, Problems, no_file};
use irtune_data::{Columns, Labels, Pairs};
use irtune_files::{Disk, replace_file};

use crate::program::args::ConvertArguments;
use crate::program::failure::Failure;
use crate::program::output::say_line;

/// Writes pairs as another kind of file.
pub fn run(arguments: &ConvertArguments) -> Result<(), Failure> {
    let mut problems = Vec::new();
    let mut problem = |flag: &str, message: String| {
        problems.push(Problem::at(&Origin::Flag(flag.to_owned()), message));
    };
    let columns = arguments.columns.read().unwrap_or_else(|error| {
        problem("preset", error.to_string());
        Columns::default()
    });
    let format = match &arguments.to {
        Some(name) => name.parse().map_err(|error| ("to", format!("{error}"))),
        None => PairFormat::of_path(&arguments.out)
            .map_err(|error| ("out", format!("`{}`: {error}; name one with --to", arguments.out.display()))),
    };
    let format: Option<PairFormat> = format.map_err(|(flag, message)| problem(flag, message)).ok();
    if let Some(path) = &arguments.predictions {
        if let Some(message) = no_file(path) {
            problem("predictions", message);
        }
        if let Some(format) = format.filter(|format| !format.takes_predictions()) {
            problem(
                "predictions",
                format!("{format} has no place for predictions; label-studio and argilla have"),
            );
        }
    }
    if let Some(message) = no_file(&arguments.data) {
        problems.push(Problem::of_all(message));
    }
    let Some(format) = format.filter(|_| problems.is_empty()) else {
        return Err(Failure::Settings(Problems(problems)));
    };
    let labels = if arguments.multi_label { Labels::Several } else { Labels::Optional };
    let pairs = Pairs::open(&arguments.data, &columns, labels)?;
    let predictions = arguments.predictions.as_ref().map(|path| {
        let file = File::open(path).map_err(|error| {
            anyhow::Error::new(error).context(format!("{} cannot be read", path.display()))
        })?;
        Ok::<_, anyhow::Error>((BufReader::new(file), path.display().to_string()))
    });
    let mut pairs = WithPredictions::new(pairs, predictions.transpose()?);
    let (mut failure, mut written) = (None, 0);
    let done = replace_file(&Disk, &arguments.out, &mut |writer| match convert(format, &mut pairs, writer) {
        Ok(count) => {
            written = count;
            Ok(())
        }
        Err(error) => {
            failure = Some(error);
            Err(io::Error::other("a pair can't be written"))
        }
    });
    if let Some(error) = failure {
        return Err(error.into());
    }
    done?;
    say_line(&format!("{written} pairs written to {}", arguments.out.display()));
    Ok(())
}

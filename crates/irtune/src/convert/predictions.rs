//! What a model said of pairs, beside them.

use std::io::BufRead;

use irtune_data::{DataError, Pair};
use irtune_train::Prediction;

use super::{ConvertError, Converted};

/// Pairs with what a model said of each, in their order; a prediction that names another pair than that in its place is an
/// error, and so are more or fewer predictions than pairs.
pub struct WithPredictions<P, R> {
    pairs: P,
    /// The lines of predictions, what errors call them, and how many were read; nothing where there are none.
    lines: Option<(std::io::Lines<R>, String, usize)>,
}

impl<P: Iterator<Item = Result<Pair, DataError>>, R: BufRead> WithPredictions<P, R> {
    /// Of pairs and the lines that `irtune predict` wrote about them, with what errors call these.
    pub fn new(pairs: P, predictions: Option<(R, String)>) -> Self {
        WithPredictions { pairs, lines: predictions.map(|(lines, name)| (lines.lines(), name, 0)) }
    }

    fn converted(&mut self, pair: Option<Pair>) -> Result<Option<Converted>, ConvertError> {
        let Some((lines, file, read)) = &mut self.lines else {
            return Ok(pair.map(|pair| Converted { pair, prediction: None }));
        };
        let line = lines.next().transpose()?;
        let count = |predictions: String| ConvertError::Predictions { file: file.clone(), predictions };
        let (pair, line) = match (pair, line) {
            (None, None) => return Ok(None),
            (None, Some(_)) => return Err(count(format!("more than {read}"))),
            (Some(_), None) => return Err(count(read.to_string())),
            (Some(pair), Some(line)) => (pair, line),
        };
        *read += 1;
        let (file, line_number) = (file.clone(), *read);
        let prediction: Prediction = serde_json::from_str(&line).map_err(|error| {
            ConvertError::Prediction { file: file.clone(), line: line_number, reason: error.to_string() }
        })?;
        match (&prediction.id, &pair.id) {
            (Some(found), Some(expected)) if found != expected => Err(ConvertError::OtherPair {
                file,
                line: line_number,
                found: found.clone(),
                expected: expected.clone(),
            }),
            _ => Ok(Some(Converted { pair, prediction: Some(prediction) })),
        }
    }
}

impl<P: Iterator<Item = Result<Pair, DataError>>, R: BufRead> Iterator for WithPredictions<P, R> {
    type Item = Result<Converted, ConvertError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.pairs.next().transpose() {
            Ok(pair) => self.converted(pair).transpose(),
            Err(error) => Some(Err(error.into())),
        }
    }
}

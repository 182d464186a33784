//! Scores of layers, step by step, from a file.

use std::path::{Path, PathBuf};

use irtune_select::SelectError;
use serde::Deserialize as _;
use serde_json::Value;

/// The scores of every layer in every step of a file.
#[derive(Debug)]
pub struct RecordedScores {
    path: PathBuf,
    layers: usize,
    /// By step: the line, counted from 1, and the score of every layer.
    steps: Vec<(usize, Vec<f64>)>,
}

/// What is wrong with a file of scores.
#[derive(Debug, thiserror::Error)]
pub enum ScoresError {
    /// It can't be read.
    #[error("{} cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// A line is no JSON.
    #[error("{}, line {line}: this is no JSON", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// What the reader says.
        source: serde_json::Error,
    },
    /// A line is neither a list of numbers nor an object with one.
    #[error(
        "{}, line {line}: expected a list of numbers, or an object with such a list called `scores`", path.display()
    )]
    NoScores {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
    },
    /// There are no lines, or the run's method keeps no scores.
    #[error("{} holds no scores; a run of method ir records some", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A line is about another number of layers.
    #[error("{}, line {line}: {found} scores, but the first line has {expected}", path.display())]
    Length {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// Scores of the first line.
        expected: usize,
        /// Scores here.
        found: usize,
    },
    /// A layer has no score from some line to the end.
    #[error("{}, line {line}: layer {layer} has no score, here or further down", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// The layer.
        layer: usize,
    },
    /// The method cannot go on at a line.
    #[error("{}, line {line}: {source}", path.display())]
    Step {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// Why not.
        source: Box<SelectError>,
    },
}

impl RecordedScores {
    /// Reads a file; a score that is missing is taken from the next line that has it.
    pub fn read(path: &Path) -> Result<Self, ScoresError> {
        let owned = || path.to_owned();
        let text =
            irtune_files::read_text(path).map_err(|source| ScoresError::Read { path: owned(), source })?;
        let mut lines: Vec<(usize, Vec<Option<f64>>)> = Vec::new();
        for (line, text) in (1..).zip(text.lines()).filter(|(_, text)| !text.trim().is_empty()) {
            let value: Value = serde_json::from_str(text).map_err(|source| ScoresError::Json {
                path: owned(),
                line,
                source,
            })?;
            let list = value.get("scores").unwrap_or(&value);
            let scores = Vec::<Option<f64>>::deserialize(list)
                .map_err(|_| ScoresError::NoScores { path: owned(), line })?;
            let expected = lines.first().map_or(scores.len(), |(_, first)| first.len());
            if scores.len() != expected {
                return Err(ScoresError::Length { path: owned(), line, expected, found: scores.len() });
            }
            lines.push((line, scores));
        }
        let layers = lines.first().map_or(0, |(_, scores)| scores.len());
        if layers == 0 {
            return Err(ScoresError::Empty { path: owned() });
        }
        let mut next = vec![None; layers];
        let mut steps = Vec::with_capacity(lines.len());
        for (line, scores) in lines.into_iter().rev() {
            for (layer, (next, own)) in next.iter_mut().zip(scores).enumerate() {
                *next = own.or(*next);
                if next.is_none() {
                    return Err(ScoresError::Missing { path: owned(), line, layer });
                }
            }
            steps.push((line, next.iter().copied().flatten().collect()));
        }
        steps.reverse();
        Ok(Self { path: owned(), layers, steps })
    }

    /// Layers of the model.
    pub fn layers(&self) -> usize {
        self.layers
    }

    /// The line and the scores of every step.
    pub fn steps(&self) -> impl Iterator<Item = (usize, &[f64])> {
        self.steps.iter().map(|(line, scores)| (*line, scores.as_slice()))
    }

    /// What a method says, with the line it says it at.
    pub fn at(&self, line: usize, source: SelectError) -> ScoresError {
        ScoresError::Step { path: self.path.clone(), line, source: Box::new(source) }
    }
}

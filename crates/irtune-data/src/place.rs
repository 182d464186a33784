//! Where a pair comes from.

use std::fmt;
use std::sync::Arc;

/// Where a pair comes from, as errors name it: `essays.csv:7`, or `training rows, row 7`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A line of a file.
    Line {
        /// The file.
        file: Arc<str>,
        /// The line on which the row starts, counted from 1.
        line: usize,
    },
    /// One of the rows that a program holds in memory.
    Row {
        /// What the rows are called.
        rows: Arc<str>,
        /// Which of them, counted from 1.
        row: usize,
    },
}

impl Place {
    /// The line or row, counted from 1.
    pub fn number(&self) -> usize {
        match self {
            Place::Line { line, .. } => *line,
            Place::Row { row, .. } => *row,
        }
    }
}

impl Default for Place {
    /// The only row of nameless rows.
    fn default() -> Self {
        Place::Row { rows: Arc::default(), row: 1 }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Line { file, line } => write!(f, "{file}:{line}"),
            Place::Row { rows, row } if rows.is_empty() => write!(f, "row {row}"),
            Place::Row { rows, row } => write!(f, "{rows}, row {row}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_names_file_and_line_or_the_row() {
        assert_eq!(Place::Line { file: "essays.csv".into(), line: 7 }.to_string(), "essays.csv:7");
        let place = Place::Row { rows: "training rows".into(), row: 3 };
        assert_eq!((place.to_string().as_str(), place.number()), ("training rows, row 3", 3));
        assert_eq!(Place::default().to_string(), "row 1");
    }
}

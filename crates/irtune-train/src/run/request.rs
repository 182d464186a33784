//! What to train, on what, and where to.

use super::corpora::{Corpora, SplitSources};
use super::observer::Silent;
use crate::error::TrainError;
use crate::settings::TrainSettings;
use irtune_data::{Columns, CorpusSource};
use std::io;
use std::path::{Path, PathBuf};

/// What to train, on what, and where to.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainRequest {
    /// The base model: a folder or a GGUF file.
    pub base: PathBuf,
    /// What others find the base by, written into the adapter: a hub name or a path.
    pub base_name: String,
    /// Training pairs.
    pub train: CorpusSource,
    /// Validation pairs; when missing, some of the training pairs are held out.
    pub validation: Option<CorpusSource>,
    /// Test pairs, on which the kept model is measured at the end.
    pub test: Option<CorpusSource>,
    /// How the files' columns are read; of rows in memory it says which labels are dropped.
    pub columns: Columns,
    /// The run folder: not there yet, or empty.
    pub out: PathBuf,
    /// How to train.
    pub settings: TrainSettings,
}

impl TrainRequest {
    /// Confirms that its pairs can be read, and give as many as are to be trained on; neither base nor folder is looked
    /// at.
    ///
    /// # Errors
    /// When a source can't be read, or gives too few pairs.
    pub fn check_pairs(&self) -> Result<(), TrainError> {
        let (sources, draw) = (self.sources()?, self.settings.draw());
        Corpora::read(&sources, &self.columns, self.settings.labels(), &draw, &mut Silent).map(drop)
    }

    /// The sources: files by their absolute paths, and the content of pipes.
    pub(crate) fn sources(&self) -> Result<SplitSources, TrainError> {
        let source = |source: &CorpusSource| match source.kept()? {
            CorpusSource::File(path) => absolute(&path).map(CorpusSource::File),
            kept => Ok(kept),
        };
        Ok(SplitSources {
            train: source(&self.train)?,
            validation: self.validation.as_ref().map(source).transpose()?,
            test: self.test.as_ref().map(source).transpose()?,
        })
    }
}

/// A path from the root.
///
/// # Errors
/// When there is no working directory.
pub(crate) fn absolute(path: &Path) -> Result<PathBuf, TrainError> {
    std::path::absolute(path).map_err(|source: io::Error| TrainError::Log { path: path.to_owned(), source })
}

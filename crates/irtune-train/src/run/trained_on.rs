//! Which pairs a finished run has learned from, and which it was chosen by.

use super::corpora::{Corpora, SplitSources};
use super::observer::Silent;
use crate::data_split::DataSplit;
use crate::error::TrainError;
use crate::folder::RunFolder;
use irtune_data::{CorpusSource, Labels, Pair, Place};
use std::collections::HashMap;
use std::path::Path;

/// The pairs that a run has learned from or was chosen by, by their texts.
#[derive(Debug, Clone, Default)]
pub struct TrainedOn {
    places: HashMap<(String, String), (DataSplit, Place)>,
}

impl TrainedOn {
    /// Of the run in a folder; `None` where that is a merged model, or its pairs can't be read any more.
    pub fn of(run: &Path) -> Option<TrainedOn> {
        let corpora = corpora(run).ok().flatten()?;
        let mut places = HashMap::new();
        for split in [DataSplit::Train, DataSplit::Validation] {
            for Pair { original, revised, place, .. } in corpora.pairs(split) {
                let texts = (original.clone(), revised.clone());
                places.entry(texts).or_insert_with(|| (split, place.clone()));
            }
        }
        Some(TrainedOn { places })
    }

    /// Where the run has met a pair of these texts, and in which split.
    pub fn place(&self, pair: &Pair) -> Option<&(DataSplit, Place)> {
        self.places.get(&(pair.original.clone(), pair.revised.clone()))
    }
}

fn corpora(run: &Path) -> Result<Option<Corpora>, TrainError> {
    let folder = RunFolder::open(run)?;
    let (sources, columns, labels, draw) = match folder.is_linear() {
        true => {
            let sources = folder.linear_sources()?;
            let all = SplitSources {
                train: sources.train.load(run)?,
                validation: sources.validation.as_ref().map(|source| source.load(run)).transpose()?,
                test: None,
            };
            (all, sources.columns, Labels::Required, folder.linear_settings()?)
        }
        false => {
            let (settings, sources) = (folder.settings()?, folder.sources()?);
            let all = SplitSources { test: None, ..SplitSources::load(&sources, run)? };
            (all, sources.columns, settings.labels(), settings.draw())
        }
    };
    // A pipe that was read long ago would be waited for.
    let is_there = |source: &CorpusSource| !matches!(source, CorpusSource::File(path) if !path.is_file());
    if !is_there(&sources.train) || !sources.validation.as_ref().is_none_or(is_there) {
        return Ok(None);
    }
    Ok(Some(Corpora::read(&sources, &columns, labels, &draw, &mut Silent)?))
}

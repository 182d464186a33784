//! Which pairs a finished run has learned from, and which it was chosen by.

use super::corpora::{Corpora, SplitSources};
use super::observer::Silent;
use crate::data_split::DataSplit;
use crate::error::TrainError;
use crate::folder::RunFolder;
use crate::folder::sources::{PairSources, Sources, StoredSource};
use irtune_data::{Labels, Pair, Place};
use std::collections::HashMap;
use std::path::Path;

/// The pairs that a run has learned from or was chosen by, by their texts.
#[derive(Debug, Clone, Default)]
pub struct TrainedOn {
    places: HashMap<(String, String), (DataSplit, Place)>,
}

impl TrainedOn {
    /// Of the run in a folder; `None` where that is a merged model, or its pairs are not what they were or can't be read
    /// any more.
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
    let (stored, columns, labels, draw) = match folder.is_linear() {
        true => {
            let PairSources { train, validation, columns, .. } = folder.linear_sources()?;
            ([Some(train), validation], columns, Labels::Required, folder.linear_settings()?)
        }
        false => {
            let (settings, sources) = (folder.settings()?, folder.sources()?);
            let Sources { train, validation, columns, .. } = sources;
            ([Some(train), validation], columns, settings.labels(), settings.draw())
        }
    };
    for source in stored.iter().flatten() {
        // A pipe that was read long ago would be waited for.
        if matches!(source, StoredSource::File(stored) if !stored.file.is_file()) {
            return Ok(None);
        }
        source.check()?;
    }
    let [train, validation] = stored.map(|source| source.map(|source| source.load(run)).transpose());
    let Some(train) = train? else { return Ok(None) };
    let sources = SplitSources { train, validation: validation?, test: None };
    Ok(Some(Corpora::read(&sources, &columns, labels, &draw, &mut Silent)?))
}

//! The pairs of a simulated labelling.

use std::path::Path;

use irtune_data::{Columns, Corpus, CorpusSource, LabelSet, Labels, Pair};
use irtune_linear::features::Features;

use super::Options;

/// The pairs of a simulated labelling.
pub struct Corpora {
    /// Pairs to draw from.
    pub pool: Vec<Pair>,
    pub validation: Vec<Pair>,
    pub test: Vec<Pair>,
    pub labels: LabelSet,
    /// Of each pair of the pool, what tells it from others.
    pub features: Vec<Vec<(usize, f64)>>,
}

impl Corpora {
    /// # Errors
    /// When a file can't be read.
    pub fn read(options: &Options) -> anyhow::Result<Corpora> {
        let columns = Columns { preset: options.preset, ..Columns::default() };
        let read = |path: &Path| {
            anyhow::Ok(Corpus::read(&CorpusSource::File(path.to_owned()), &columns, Labels::Required)?.pairs)
        };
        let pool = read(&options.train)?;
        let labels = LabelSet::discover(&pool)?;
        let (_, design) = Features::fit(&pool);
        let features = design
            .rows()
            .map(|(_, places, values)| places.iter().copied().zip(values.iter().copied()).collect())
            .collect();
        Ok(Corpora {
            pool,
            validation: read(&options.validation)?,
            test: read(&options.test)?,
            labels,
            features,
        })
    }
}

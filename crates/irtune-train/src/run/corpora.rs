//! The pairs of a run's three splits, and their examples.

use super::data::RunData;
use super::notice::Notice;
use super::observer::Observer;
use crate::base_tokens::BaseTokens;
use crate::data_split::DataSplit;
use crate::error::TrainError;
use crate::folder::error::RunFolderError;
use crate::folder::sources::{PairSources, Sources, StoredSource};
use crate::settings::{Draw, HeadKind, TrainSettings};
use crate::task::Task;
use irtune_data::{
    Columns, Corpus, CorpusSource, DataError, Encoder, Example, LabelSet, Labels, Leak, LeftOut, Pair,
    Quoted, same_pairs,
};
use irtune_model::Base;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// Pairs that a notice names.
const SHOWN: usize = 3;

/// Where the pairs of each split come from.
pub(crate) struct SplitSources {
    pub(crate) train: CorpusSource,
    pub(crate) validation: Option<CorpusSource>,
    pub(crate) test: Option<CorpusSource>,
}

impl SplitSources {
    /// Those that a run folder remembers.
    ///
    /// # Errors
    /// When rows that it keeps can't be read.
    pub(crate) fn load(stored: &Sources, folder: &Path) -> Result<SplitSources, RunFolderError> {
        let load = |source: &StoredSource| source.load(folder);
        Ok(SplitSources {
            train: load(&stored.train)?,
            validation: stored.validation.as_ref().map(load).transpose()?,
            test: stored.test.as_ref().map(load).transpose()?,
        })
    }

    /// Confirms that a run's files hold what they held when it was begun.
    ///
    /// # Errors
    /// When one holds something else, or can't be read.
    pub(crate) fn check(stored: &Sources) -> Result<(), RunFolderError> {
        [Some(&stored.train), stored.validation.as_ref(), stored.test.as_ref()]
            .into_iter()
            .flatten()
            .try_for_each(StoredSource::check)
    }

    /// What can't be read again, by split: rows that a program gave, and the content of pipes.
    pub(crate) fn kept(&self) -> Vec<(DataSplit, CorpusSource)> {
        let sources = [
            (DataSplit::Train, Some(&self.train)),
            (DataSplit::Validation, self.validation.as_ref()),
            (DataSplit::Test, self.test.as_ref()),
        ];
        let kept = sources.into_iter().filter_map(|(split, source)| match source? {
            CorpusSource::File(_) => None,
            kept => Some((split, kept.clone())),
        });
        kept.collect()
    }

    /// What a folder remembers of them.
    ///
    /// # Errors
    /// When a file can't be read.
    pub(crate) fn stored(&self, columns: &Columns) -> Result<PairSources, TrainError> {
        let stored = |source: &CorpusSource, split| {
            StoredSource::of(source, split)
                .map_err(|error| TrainError::Log { path: source.to_string().into(), source: error })
        };
        let optional =
            |source: Option<&CorpusSource>, split| source.map(|source| stored(source, split)).transpose();
        Ok(PairSources {
            train: stored(&self.train, DataSplit::Train)?,
            validation: optional(self.validation.as_ref(), DataSplit::Validation)?,
            test: optional(self.test.as_ref(), DataSplit::Test)?,
            columns: columns.clone(),
        })
    }
}

/// The pairs of the three splits.
pub(crate) struct Corpora {
    /// The labels of the training pairs, those held out for validation included.
    pub(crate) labels: LabelSet,
    pub(crate) train: Corpus,
    pub(crate) validation: Option<Corpus>,
    pub(crate) test: Option<Corpus>,
    /// The labels to drop that some row has.
    met: BTreeSet<String>,
}

impl Corpora {
    /// Reads all pairs, then takes the test fold, the hold-out and the subset from the training pairs, in this order.
    ///
    /// # Errors
    /// When a source can't be read, or gives too few pairs for what is to be taken.
    pub(crate) fn read(
        sources: &SplitSources,
        columns: &Columns,
        labels: Labels,
        draw: &Draw,
        observer: &mut dyn Observer,
    ) -> Result<Self, TrainError> {
        let mut met = BTreeSet::new();
        let mut read = |source: &CorpusSource, split| {
            let mut corpus = Corpus::read(source, columns, labels)?;
            let LeftOut { dropped, unlabelled, met: in_file } = std::mem::take(&mut corpus.left_out);
            if dropped > 0 {
                observer.on_notice(&Notice::Dropped { split, rows: dropped });
            }
            if unlabelled > 0 {
                observer.on_notice(&Notice::Unlabelled { split, rows: unlabelled });
            }
            met.extend(in_file);
            Ok::<_, TrainError>(corpus)
        };
        let mut train = read(&sources.train, DataSplit::Train)?;
        let labels = LabelSet::discover(&train.pairs)?;
        let mut validation =
            sources.validation.as_ref().map(|source| read(source, DataSplit::Validation)).transpose()?;
        let mut test = sources.test.as_ref().map(|source| read(source, DataSplit::Test)).transpose()?;
        if let Some(fold) = draw.fold {
            let (rest, held_out) = train.fold(fold.part(), fold.parts())?;
            let (train_pairs, test_pairs) = (rest.pairs.len(), held_out.pairs.len());
            observer.on_notice(&Notice::Fold { fold, train: train_pairs, test: test_pairs });
            (train, test) = (rest, Some(held_out));
        }
        if validation.is_none() && draw.validation_fraction > 0.0 {
            let (rest, held_out) = train.hold_out(draw.validation_fraction, draw.seed)?;
            let (train_pairs, validation_pairs) = (rest.pairs.len(), held_out.pairs.len());
            observer.on_notice(&Notice::HeldOut { train: train_pairs, validation: validation_pairs });
            (train, validation) = (rest, Some(held_out));
        }
        if let Some(train_size) = draw.train_size {
            let of = train.pairs.len();
            train = train.subset(train_size, draw.seed)?;
            observer.on_notice(&Notice::Subset { train_size, of });
        }
        let first = |same: Vec<Leak>| -> Vec<(String, String)> {
            same.into_iter().take(SHOWN).map(|leak| (leak.place, leak.other)).collect()
        };
        for (split, corpus) in [(DataSplit::Validation, &validation), (DataSplit::Test, &test)] {
            let Some(corpus) = corpus else { continue };
            let same = same_pairs(&corpus.pairs, &train.pairs);
            if !same.is_empty() {
                let (pairs, of) = (same.len(), corpus.pairs.len());
                observer.on_notice(&Notice::AmongTraining { split, pairs, of, first: first(same) });
            }
        }
        if let (Some(validation), Some(test)) = (&validation, &test) {
            let same = same_pairs(&test.pairs, &validation.pairs);
            if !same.is_empty() {
                let (pairs, of) = (same.len(), test.pairs.len());
                observer.on_notice(&Notice::AmongValidation { pairs, of, first: first(same) });
            }
        }
        Ok(Self { labels, train, validation, test, met })
    }

    /// Confirms that each label to drop is some row's.
    ///
    /// # Errors
    /// When one is none's.
    pub(crate) fn check_dropped(&self, drop_labels: &[String]) -> Result<(), DataError> {
        let Some(place) = drop_labels.iter().position(|label| !self.met.contains(label)) else {
            return Ok(());
        };
        let label = &drop_labels[place];
        // A label with a comma that was cut into several.
        let parts = (0..=place).flat_map(|start| (place + 1..=drop_labels.len()).map(move |end| start..end));
        let joined = parts.flat_map(|part| [", ", ","].map(|comma| drop_labels[part.clone()].join(comma)));
        let cut = joined.into_iter().find(|name| self.labels.index(name).is_some());
        Err(DataError::NothingToDrop {
            label: label.clone(),
            known: Quoted(self.labels.names().to_vec()),
            suggestion: cut.or_else(|| self.labels.nearest(label).map(str::to_owned)),
        })
    }

    /// The pairs of a split, none where it has none.
    pub(crate) fn pairs(&self, split: DataSplit) -> &[Pair] {
        let corpus = match split {
            DataSplit::Train => Some(&self.train),
            DataSplit::Validation => self.validation.as_ref(),
            DataSplit::Test => self.test.as_ref(),
        };
        corpus.map_or(&[], |corpus| &corpus.pairs)
    }

    /// Confirms that there are distributions to learn.
    ///
    /// # Errors
    /// When no training pair has several annotators' labels.
    pub(crate) fn check_votes(&self) -> Result<(), DataError> {
        match self.train.pairs.iter().all(|pair| pair.votes.is_none()) {
            true => Err(DataError::NoVotes { name: self.train.name.clone() }),
            false => Ok(()),
        }
    }

    /// The examples of all pairs; with soft labels training pairs are learned as the distributions of what their
    /// annotators said.
    ///
    /// # Errors
    /// When the prompt leaves no room, a label is not the task's, or the tokenizer fails.
    pub(crate) fn encode(
        &self,
        base: &Arc<Base>,
        task: &Task,
        settings: &TrainSettings,
        observer: &mut dyn Observer,
    ) -> Result<RunData, TrainError> {
        let max_length = settings.max_length;
        let encoder = Encoder::new(BaseTokens::new(base.clone()), task.prompt(), max_length)?
            .with_ending(task.ending.clone())?;
        let encoder = if settings.head == HeadKind::Edit { encoder.with_change() } else { encoder };
        let mut before_padding = 0;
        let mut encode = |corpus: Option<&Corpus>, split| {
            let Some(corpus) = corpus else { return Ok(Vec::new()) };
            let encoded = encoder.encode_all(&corpus.pairs, Some(&task.labels))?;
            if encoded.shortened > 0 {
                observer.on_notice(&Notice::Shortened {
                    split,
                    examples: encoded.shortened,
                    of: encoded.examples.len(),
                    max_length,
                });
            }
            before_padding += encoded.before_padding;
            Ok::<Vec<Example>, TrainError>(encoded.examples)
        };
        let mut train = encode(Some(&self.train), DataSplit::Train)?;
        if settings.soft_labels {
            for (example, pair) in train.iter_mut().zip(&self.train.pairs) {
                example.target = task.labels.distribution(pair)?;
            }
        }
        let validation = encode(self.validation.as_ref(), DataSplit::Validation)?;
        let test = encode(self.test.as_ref(), DataSplit::Test)?;
        if let (Some(padding), examples @ 1..) = (task.ending.padding, before_padding) {
            let token = base.tokenizer.token(padding).unwrap_or_default();
            let of = train.len() + validation.len() + test.len();
            observer.on_notice(&Notice::EndsInPadding { token, examples, of });
        }
        Ok(RunData { labels: task.labels.clone(), train, validation, test })
    }
}

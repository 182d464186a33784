//! What files of pairs hold, and what they share: `irtune data`.

mod agreement;
mod text;

use irtune_data::{Contents, Corpus, Leaks, Pair, Votes};
use irtune_metrics::MetricsError;
use serde::Serialize;
use std::collections::BTreeSet;

pub use agreement::Agreement;

/// What files hold, and what each shares with those before it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Survey {
    /// The files, in the order given.
    pub files: Vec<FileSurvey>,
    /// Each file beside each one before it.
    pub leaks: Vec<FileLeaks>,
}

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FileSurvey {
    /// The file.
    pub name: String,
    /// What its rows hold.
    #[serde(flatten)]
    pub contents: Contents,
    /// How far its annotators agree, where rows say what each of several said.
    pub agreement: Option<Agreement>,
    /// The first row with several labels where others have lists of one: then lists are a row's labels, and nothing is said
    /// of annotators.
    pub several_labels: Option<String>,
}

/// What a file shares with another.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FileLeaks {
    /// The file.
    pub name: String,
    /// The other one, given before it.
    pub other: String,
    /// Labels that the other one doesn't have.
    pub new_labels: Vec<String>,
    /// What they share.
    #[serde(flatten)]
    pub leaks: Leaks,
}

impl Survey {
    /// Looks through corpora; the first one is the one to train on, if any is.
    ///
    /// # Errors
    /// When a corpus is empty but for its annotations.
    pub fn of(corpora: &[Corpus]) -> Result<Survey, MetricsError> {
        let files = corpora.iter().map(|corpus| {
            let several_labels = several_labels(&corpus.pairs);
            let agreement = match several_labels {
                Some(_) => None,
                None => Agreement::of(&corpus.pairs)?,
            };
            Ok(FileSurvey {
                name: corpus.name.to_string(),
                contents: Contents::of(&corpus.pairs),
                agreement,
                several_labels,
            })
        });
        let beside = corpora.iter().enumerate().flat_map(|(place, corpus)| {
            corpora[..place].iter().map(move |other| FileLeaks {
                name: corpus.name.to_string(),
                other: other.name.to_string(),
                new_labels: labels(&corpus.pairs).difference(&labels(&other.pairs)).cloned().collect(),
                leaks: Leaks::between(&corpus.pairs, &other.pairs),
            })
        });
        Ok(Survey { files: files.collect::<Result<_, _>>()?, leaks: beside.collect() })
    }
}

/// The first row whose list has several labels, where another's has one.
fn several_labels(pairs: &[Pair]) -> Option<String> {
    let lists = || {
        pairs.iter().filter_map(|pair| match &pair.votes {
            Some(Votes::Annotators(entries)) => Some((pair, entries)),
            _ => None,
        })
    };
    let different = |entries: &[Option<String>]| entries.iter().flatten().collect::<BTreeSet<_>>().len();
    lists().find(|(_, entries)| entries.len() == 1)?;
    lists().find(|(_, entries)| different(entries) > 1).map(|(pair, _)| pair.place.to_string())
}

fn labels(pairs: &[Pair]) -> BTreeSet<String> {
    pairs.iter().flat_map(|pair| pair.labels.iter().flatten().chain(&pair.label)).cloned().collect()
}

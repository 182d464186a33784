//! How a model is trained again: as the run was, on more pairs.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use irtune_data::{Columns, Corpus, CorpusSource, Labels, Row};
use irtune_labelling::store::TrainingPair;
use irtune_model::ProblemType;
use irtune_train::{
    BaselineRequest, Observer, PairSources, PredictorOptions, RunFolder, RunFolderError, Sources,
    StoredSource, TrainError, TrainOutcome, TrainRequest, TrainSettings, train, train_baseline,
};

use super::{held_out, rows};

/// How a model is trained again.
pub struct Recipe {
    folder: RunFolder,
    sources: PairSources,
    /// Settings and base; nothing for a linear model.
    decoder: Option<(TrainSettings, Sources)>,
    labels: Labels,
}

/// What a training learns from and is measured on.
struct Splits {
    train: CorpusSource,
    validation: Option<CorpusSource>,
    held_out: CorpusSource,
}

impl Recipe {
    /// Of a run.
    ///
    /// # Errors
    /// When the folder is no run, such as a merged model.
    pub fn of(run: &Path, options: &PredictorOptions) -> Result<Recipe, RunFolderError> {
        let folder = RunFolder::open(run)?;
        let (decoder, sources) = match folder.settings() {
            Ok(mut settings) => {
                let mut sources = folder.sources()?;
                if let Some(base) = &options.base {
                    sources.base.path = base.clone();
                }
                // Test pairs are given, and threads are what this machine has.
                settings.fold = None;
                settings.threads = options.threads;
                let Sources { train, validation, test, columns, .. } = sources.clone();
                (Some((settings, sources)), PairSources { train, validation, test, columns })
            }
            Err(RunFolderError::LinearRun { .. }) => (None, folder.linear_sources()?),
            Err(error) => return Err(error),
        };
        let labels = match folder.problem()? {
            ProblemType::SingleLabel => Labels::Required,
            ProblemType::MultiLabel => Labels::Several,
        };
        Ok(Recipe { folder, sources, decoder, labels })
    }

    /// Trains into a new run folder, whose test pairs are those that are held out.
    ///
    /// # Errors
    /// What the training says.
    pub fn train(
        self,
        out: &Path,
        pairs: &[TrainingPair],
        own: bool,
        observer: &mut dyn Observer,
        interrupt: &AtomicBool,
    ) -> Result<TrainOutcome, TrainError> {
        let Splits { train: learnt, validation, held_out } = self.splits(pairs, own)?;
        let (out, test, columns) = (out.to_owned(), Some(held_out), Columns::default());
        match self.decoder {
            Some((settings, sources)) => {
                let (base, base_name) = (sources.base.path, sources.base_name);
                let request =
                    TrainRequest { base, base_name, train: learnt, validation, test, columns, out, settings };
                train(&request, observer, interrupt)
            }
            None => {
                let draw = TrainSettings::default().draw();
                let request = BaselineRequest { train: learnt, validation, test, columns, out, draw };
                train_baseline(&request, observer).map(|summary| TrainOutcome::Finished(Box::new(summary)))
            }
        }
    }

    /// The rows of one of the run's sources; nothing where its file is gone.
    fn rows(&self, source: Option<&StoredSource>) -> Result<Option<Vec<Row>>, TrainError> {
        let path = source.map(|source| source.path(self.folder.path()));
        let (Some(source), true) = (source, path.is_some_and(|path| path.is_file())) else { return Ok(None) };
        let source = source.load(self.folder.path())?;
        let corpus = Corpus::read(&source, &self.sources.columns, self.labels)?;
        Ok(Some(corpus.pairs.into_iter().map(rows::of_pair).collect()))
    }

    /// What the run had for testing, else for validation, is held out; else some of what people labelled.
    fn splits(&self, pairs: &[TrainingPair], own: bool) -> Result<Splits, TrainError> {
        let labelled: Vec<Row> = pairs.iter().map(rows::of_labelled).collect();
        let validation = self.rows(self.sources.validation.as_ref())?;
        let (name, labelled, held_out) = match self.rows(self.sources.test.as_ref())? {
            Some(test) => ("the run's test pairs", labelled, test),
            None => match &validation {
                Some(validation) => ("the run's validation pairs", labelled, validation.clone()),
                None => {
                    let (labelled, held_out) = held_out::divide(labelled);
                    ("labelled pairs that no model learns from", labelled, held_out)
                }
            },
        };
        let own = if own { self.rows(Some(&self.sources.train))?.unwrap_or_default() } else { Vec::new() };
        // What people said here counts, and what is measured on is not learnt from.
        let measured = texts(held_out.iter().chain(validation.iter().flatten()));
        let said = texts(&labelled);
        let own = own.into_iter().filter(|row| !said.contains(&key(row)));
        let learnt: Vec<Row> =
            own.chain(labelled.iter().filter(|row| !measured.contains(&key(row))).cloned()).collect();
        Ok(Splits {
            train: CorpusSource::rows("labelled pairs", learnt),
            validation: validation.map(|rows| CorpusSource::rows("the run's validation pairs", rows)),
            held_out: CorpusSource::rows(name, held_out),
        })
    }
}

/// How many training pairs of its own a run has whose file is still there; nothing where it is gone.
pub fn own_pairs(run: &Path, options: &PredictorOptions) -> Option<usize> {
    let recipe = Recipe::of(run, options).ok()?;
    recipe.rows(Some(&recipe.sources.train)).ok()?.map(|rows| rows.len())
}

fn key(row: &Row) -> (&str, &str) {
    (&row.original, &row.revised)
}

fn texts<'a>(rows: impl IntoIterator<Item = &'a Row>) -> BTreeSet<(&'a str, &'a str)> {
    rows.into_iter().map(key).collect()
}

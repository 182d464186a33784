//! The test pairs that a run gets wrong.

use irtune_data::{Corpus, Labels};
use irtune_train::{Decided, RunFolder};

/// Mistakes that are shown at most.
const MOST: usize = 100;

/// The test pairs that a run gets wrong, or why they aren't known.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Mistakes {
    /// Why there is nothing to show.
    Unknown(String),
    /// How many there are, and those of which the run is surest.
    Found { all: usize, shown: Vec<Mistake> },
}

/// A test pair that a run gets wrong.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mistake {
    pub place: String,
    pub original: String,
    pub revised: String,
    /// The true label.
    pub label: String,
    /// What the run says.
    pub told: String,
    pub probability: f64,
}

impl Mistakes {
    /// Of a run that kept what it said of the test pairs, as long as their file is there and is the same.
    pub fn of(run: &RunFolder) -> Mistakes {
        Mistakes::find(run).unwrap_or_else(|why| Mistakes::Unknown(why.to_owned()))
    }

    fn find(run: &RunFolder) -> Result<Mistakes, &'static str> {
        const GONE: &str = "The file of the test pairs is no longer where it was.";
        const OTHER: &str = "The file of the test pairs is another one now.";
        let damaged = |_| "The run's files can't be read.";
        let labels = run.labels().map_err(damaged)?;
        let sources = run.sources().map_err(damaged)?;
        let Some(source) = sources.test else { return Err("There were no test pairs.") };
        let decided =
            run.decided(&labels).map_err(|_| "What the run said of the test pairs can't be read.")?;
        let Some(decided) = decided else { return Err("The run has said nothing of the test pairs yet.") };
        let source = source.load(run.path()).map_err(|_| GONE)?;
        let kind = if matches!(decided, Decided::One(_)) { Labels::Required } else { Labels::Several };
        let corpus = Corpus::read(&source, &sources.columns, kind).map_err(|_| GONE)?;
        let names = labels.names();
        let mut found = Vec::new();
        let mut add = |number: usize, label: String, told: String, probability: f64| {
            let pair = &corpus.pairs[number];
            let (original, revised) = (pair.original.clone(), pair.revised.clone());
            found.push(Mistake {
                place: pair.place.to_string(),
                original,
                revised,
                label,
                told,
                probability,
            });
        };
        match &decided {
            Decided::One(said) => {
                let same =
                    |(pair, &label): (&irtune_data::Pair, &usize)| pair.label.as_ref() == Some(&names[label]);
                if corpus.pairs.len() != said.examples() || !corpus.pairs.iter().zip(said.labels()).all(same)
                {
                    return Err(OTHER);
                }
                for (number, (&label, &told)) in said.labels().iter().zip(said.predicted()).enumerate() {
                    if label != told {
                        add(
                            number,
                            names[label].clone(),
                            names[told].clone(),
                            said.probability(number, told),
                        );
                    }
                }
            }
            Decided::Several(said) => {
                if corpus.pairs.len() != said.examples() {
                    return Err(OTHER);
                }
                let list = |has: &[bool]| {
                    let own: Vec<&str> = names
                        .iter()
                        .zip(has)
                        .filter(|(_, has)| **has)
                        .map(|(name, _)| name.as_str())
                        .collect();
                    if own.is_empty() { "none".to_owned() } else { own.join(", ") }
                };
                for number in 0..said.examples() {
                    let (truth, told) = (said.truth(number), said.predicted(number));
                    let wrong = truth
                        .iter()
                        .zip(told)
                        .zip(said.probabilities(number))
                        .filter(|((truth, told), _)| truth != told);
                    let surest =
                        wrong.map(|((_, told), own)| if *told { *own } else { 1.0 - own }).reduce(f64::max);
                    if let Some(surest) = surest {
                        add(number, list(truth), list(told), surest);
                    }
                }
            }
        }
        let all = found.len();
        found.sort_by(|one, other| other.probability.total_cmp(&one.probability));
        found.truncate(MOST);
        Ok(Mistakes::Found { all, shown: found })
    }
}

//! Pairs, and what a survey says of them.

use std::fs;

use irtune::survey::Survey;
use irtune_data::{Columns, Corpus, LabelSet, Labels, folds};

use crate::place::Place;
use crate::random::Random;
use crate::target::{Said, Target, refused};

/// Files of pairs.
pub const TARGET: Target = Target { name: "pairs", names_files: true, usual: 4000, run };

const FILES: [&str; 6] =
    ["train.jsonl", "train.json", "train.csv", "train.tsv", "several.jsonl", "label_studio.json"];

fn run(place: &Place, random: &mut Random) -> Said {
    let labels = *random.one_of(&[Labels::Required, Labels::Optional, Labels::Several]);
    place.with_damage(random, &FILES, |path| {
        let corpus = Corpus::read(&path.to_owned().into(), &Columns::default(), labels).map_err(refused)?;
        assert!(!corpus.pairs.is_empty(), "a corpus without pairs");
        let _ = LabelSet::discover(&corpus.pairs);
        // A single document can't be divided.
        if let Ok(parts) = folds(&corpus.pairs, 2) {
            assert_eq!(parts.len(), corpus.pairs.len(), "a pair has no part");
        }
        let survey = Survey::of(&[corpus]).map_err(|error| format!("{}: {error}", path.display()))?;
        assert!(!survey.to_string().is_empty(), "a survey that says nothing");
        // What was read once is read again.
        assert!(fs::metadata(path).is_ok());
        Ok(())
    })
}

//! Labels' words and weights.

use irtune_data::{LabelSet, Verbalizer};
use irtune_testing::corpus::SENTENCE_LABELS;
use irtune_train::ClassWeights;

use crate::place::Place;
use crate::random::Random;
use crate::target::{Said, Target, refused};

/// `--label-words` and `--class-weights`.
pub const TARGET: Target = Target { name: "words", names_files: false, usual: 2000, run };

fn run(place: &Place, random: &mut Random) -> Said {
    place.with_damage(random, &["words.json", "class_weights.json"], |path| {
        let labels = LabelSet::new(SENTENCE_LABELS).map_err(refused)?;
        if path.ends_with("words.json") {
            return Verbalizer::from_file(path, &labels).map(drop).map_err(refused);
        }
        ClassWeights::File(path.to_owned()).resolve(&labels, std::iter::empty()).map(drop).map_err(refused)
    })
}

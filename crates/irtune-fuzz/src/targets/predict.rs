//! Models to be asked.

use irtune_data::{Columns, CorpusSource, Labels, Row};
use irtune_train::{Predictor, PredictorOptions, Reading};

use crate::place::Place;
use crate::random::Random;
use crate::target::{Said, Target, refused};

/// What `irtune predict` reads of a run or of a merged model.
pub const TARGET: Target = Target { name: "predict", names_files: false, usual: 300, run };

const FOLDERS: [&str; 5] = ["run", "pooled", "tuned", "merged", "linear"];

fn run(place: &Place, random: &mut Random) -> Said {
    let rows = [("The river are old.", "The river is old."), ("", "We see <|end|> it \u{1F600}.")];
    let source = CorpusSource::rows("asked", rows.map(|(original, revised)| Row::new(original, revised)));
    place.with_damage(random, &FOLDERS, |folder| {
        let options = PredictorOptions { threads: Some(1), ..PredictorOptions::default() };
        let mut predictor = Predictor::open(folder, &options).map_err(refused)?;
        let pairs = source.pairs(&Columns::default(), Labels::Optional).map_err(refused)?;
        let answers = predictor.predict(pairs, Reading::Batch).collect::<Result<Vec<_>, _>>();
        assert_eq!(answers.map_err(refused)?.len(), rows.len(), "each pair has its answer");
        Ok(())
    })
}

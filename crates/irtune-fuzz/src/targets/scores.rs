//! Scores of layers that a run recorded.

use irtune::replay::RecordedScores;

use crate::place::Place;
use crate::random::Random;
use crate::target::{Said, Target, refused};

/// What `irtune replay` reads.
pub const TARGET: Target = Target { name: "scores", names_files: true, usual: 2000, run };

fn run(place: &Place, random: &mut Random) -> Said {
    place.with_damage(random, &["scores.jsonl", "run/metrics.jsonl"], |path| {
        let scores = RecordedScores::read(path).map_err(refused)?;
        assert!(scores.steps().all(|(_, scores)| scores.len() == scores.len()));
        Ok(())
    })
}

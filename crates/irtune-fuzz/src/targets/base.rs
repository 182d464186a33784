//! Bases as transformers folders.

use irtune::inspect::BaseReport;
use irtune_model::Base;

use crate::place::Place;
use crate::random::Random;
use crate::target::{Said, Target, refused};

/// A folder of one file or of shards.
pub const TARGET: Target = Target { name: "base", names_files: true, usual: 800, run };

fn run(place: &Place, random: &mut Random) -> Said {
    place.with_damage(random, &["base", "shards", "merged"], |folder| {
        let base = Base::open(folder).map_err(refused)?;
        let encoded = base.tokenizer.encode("The river are old. <|end|>");
        encoded.map_err(|error| format!("{}: {error}", folder.display()))?;
        BaseReport::open(folder).map_err(refused)?;
        Ok(())
    })
}

//! Run folders to be described.

use irtune::inspect::{LinearReport, RunReport};
use irtune_train::RunFolder;

use crate::place::Place;
use crate::random::Random;
use crate::target::{Said, Target, refused};

/// What `irtune inspect` reads of a run.
pub const TARGET: Target = Target { name: "inspect", names_files: true, usual: 150, run };

fn run(place: &Place, random: &mut Random) -> Said {
    place.with_damage(random, &["run", "begun", "linear"], |folder| {
        let run = RunFolder::open(folder).map_err(refused)?;
        let texts = if run.is_linear() {
            let report = LinearReport::of(run).map_err(refused)?;
            (report.text().map_err(refused)?, report.json().map_err(refused)?)
        } else {
            let report = RunReport::open(folder).map_err(refused)?;
            (report.text().map_err(refused)?, report.json().map_err(refused)?)
        };
        assert!(!texts.0.is_empty() && texts.1.is_object());
        Ok(())
    })
}

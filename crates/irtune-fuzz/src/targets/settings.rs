//! Settings of a run, as a file of a user.

use irtune::settings::{Sources, resolve};

use crate::place::Place;
use crate::random::Random;
use crate::target::{Said, Target, refused};

/// What `--config` reads.
pub const TARGET: Target = Target { name: "settings", names_files: false, usual: 1500, run };

fn run(place: &Place, random: &mut Random) -> Said {
    place.with_damage(random, &["run/settings.toml"], |path| {
        let mut sources = Sources::default();
        sources.file(path);
        sources.set("base=smollm2");
        sources.set(&format!("train={}", place.path("train.jsonl").display()));
        let resolved = resolve(sources).map_err(refused)?;
        assert!(resolved.training.problems().is_empty(), "settings with problems are resolved");
        Ok(())
    })
}

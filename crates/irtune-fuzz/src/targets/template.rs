//! Templates of prompts.

use irtune_data::{LabelSet, Template};

use crate::in_memory;
use crate::place::Place;
use crate::random::Random;
use crate::target::{Said, Target, refused};

/// A template of a user.
pub const TARGET: Target = Target { name: "template", names_files: true, usual: 4000, run };

fn run(place: &Place, random: &mut Random) -> Said {
    if !random.one_in(4) {
        let (path, bytes) = place.damaged(random, &["template.txt"]);
        return in_memory::template(&path, &bytes);
    }
    place.with_damage(random, &["template.txt"], |path| {
        let template = Template::from_file(path).map_err(refused)?;
        let labels = LabelSet::new(["fluency", "clarity {original}"]).map_err(refused)?;
        template.prompt(&labels);
        Ok(())
    })
}

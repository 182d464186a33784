//! Drafts, their sentences aligned, and what is written of them.

use irtune::annotate::{Annotation, Drafts, Output, text};
use irtune_documents::read_tracked;

use crate::in_memory;
use crate::place::Place;
use crate::random::Random;
use crate::target::{Said, Target, refused};

/// What `irtune annotate` reads and writes.
pub const TARGET: Target = Target { name: "documents", names_files: true, usual: 1200, run };

const FILES: [&str; 4] = ["drafts.txt", "drafts.md", "drafts.tex", "tracked.docx"];
const OUTPUTS: [Output; 4] = [Output::Docx, Output::Html, Output::Json, Output::Jsonl];

fn run(place: &Place, random: &mut Random) -> Said {
    match random.below(4) {
        0 => {
            let (path, body) = place.damaged(random, &["document.xml"]);
            in_memory::word(&path, &body)
        }
        1 => {
            let (path, bytes) = place.damaged(random, &FILES);
            in_memory::documents(&path, &bytes)
        }
        _ => annotated(place, random),
    }
}

/// A whole draft and a damaged one, or a damaged document with tracked changes.
fn annotated(place: &Place, random: &mut Random) -> Said {
    let name = *random.one_of(&FILES);
    let (path, bytes) = place.damaged(random, &[name]);
    let path = path.display().to_string();
    let whole = place.bytes(name);
    let new = (!name.ends_with(".docx")).then_some((path.as_str(), bytes.as_slice()));
    let old = new.map_or((path.as_str(), bytes.as_slice()), |_| (path.as_str(), whole));
    let drafts = Drafts::read(old, new, None).map_err(refused)?;
    let annotation = Annotation::of(drafts, vec!["fluency".to_owned()]);
    assert!(!text(&annotation).is_empty(), "nothing is said of two drafts");
    for output in OUTPUTS {
        let written = output.write(&annotation);
        if output == Output::Docx {
            read_tracked(&path, &written).expect("our own document is read");
        }
    }
    Ok(())
}

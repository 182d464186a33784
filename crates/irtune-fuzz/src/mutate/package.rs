//! Parts of a zip file: workbooks and Word documents.

use std::io::{Cursor, Read as _, Write as _};

use zip::ZipArchive;
use zip::write::{SimpleFileOptions, ZipWriter};

use super::bytes;
use crate::random::Random;

/// Changes one part and packs all of them anew; `None` when it is no zip file.
pub fn part(random: &mut Random, whole: &[u8]) -> Option<Vec<u8>> {
    let mut archive = ZipArchive::new(Cursor::new(whole)).ok()?;
    let changed = random.below(archive.len().max(1));
    let mut packed = ZipWriter::new(Cursor::new(Vec::new()));
    for number in 0..archive.len() {
        let mut file = archive.by_index(number).ok()?;
        let (name, mut content) = (file.name().ok()?.into_owned(), Vec::new());
        file.read_to_end(&mut content).ok()?;
        if number == changed {
            bytes::change(random, &mut content);
        }
        packed.start_file(name, SimpleFileOptions::default()).ok()?;
        packed.write_all(&content).ok()?;
    }
    Some(packed.finish().ok()?.into_inner())
}

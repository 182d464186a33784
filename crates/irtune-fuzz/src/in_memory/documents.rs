use std::io::{Cursor, Write as _};
use std::path::Path;

use irtune_documents::{Document, Format, align, read, read_tracked};
use zip::write::{SimpleFileOptions, ZipWriter};

use super::{refused, way};

/// Parts two drafts in one.
const BETWEEN: &[u8] = b"\n=====\n";

/// Two drafts as text, Markdown or LaTeX, which are aligned; or one Word document with tracked changes.
pub fn documents(name: &Path, bytes: &[u8]) -> Result<(), String> {
    let name = name.display().to_string();
    if bytes.starts_with(b"PK") {
        return tracked(&name, bytes);
    }
    let format = [Format::Text, Format::Markdown, Format::Latex][way(bytes, 3)];
    let at = bytes.windows(BETWEEN.len()).position(|window| window == BETWEEN);
    let (old, new) = at.map_or((bytes, bytes), |at| (&bytes[..at], &bytes[at + BETWEEN.len()..]));
    let (old, new) = (read(&name, old, format).map_err(refused)?, read(&name, new, format).map_err(refused)?);
    aligned(&old, &new);
    Ok(())
}

/// The XML of a Word document's body, in a package without faults.
pub fn word(name: &Path, bytes: &[u8]) -> Result<(), String> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    zip.start_file("word/document.xml", stored).map_err(refused)?;
    zip.write_all(bytes).map_err(refused)?;
    let package = zip.finish().map_err(refused)?.into_inner();
    tracked(&name.display().to_string(), &package)
}

fn tracked(name: &str, bytes: &[u8]) -> Result<(), String> {
    let tracked = read_tracked(name, bytes).map_err(refused)?;
    aligned(&tracked.rejected, &tracked.accepted);
    Ok(())
}

/// Every sentence of either draft is in one revision.
fn aligned(old: &Document, new: &Document) {
    let revisions = align(old, new);
    let has_sides =
        |revision: &irtune_documents::Revision| revision.original.is_some() || revision.revised.is_some();
    assert!(revisions.iter().all(has_sides), "a revision of nothing");
    let both_are_empty = old.text().trim().is_empty() && new.text().trim().is_empty();
    assert!(both_are_empty || !revisions.is_empty(), "drafts without sentences");
}

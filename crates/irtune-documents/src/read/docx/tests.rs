//! Word documents that are written here, part by part.

use super::*;
use crate::block::BlockKind;
use std::io::{Cursor, Write as _};
use zip::write::SimpleFileOptions;

const NAMESPACE: &str = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";

/// A document of parts: name and content.
fn zipped(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(content.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn body(content: &str) -> Vec<u8> {
    let xml = format!(
        r#"<?xml version="1.0"?><w:document xmlns:w="{NAMESPACE}"><w:body>{content}</w:body></w:document>"#
    );
    zipped(&[("word/document.xml", &xml)])
}

fn both(content: &str) -> [Vec<String>; 2] {
    let tracked = read_tracked("draft.docx", &body(content)).unwrap();
    [tracked.rejected, tracked.accepted]
        .map(|document| document.blocks.into_iter().map(|block| block.text).collect())
}

#[test]
fn insertions_and_deletions_are_in_one_version_each() {
    let [rejected, accepted] = both(concat!(
        r#"<w:p><w:r><w:t xml:space="preserve">We </w:t></w:r>"#,
        r#"<w:del w:author="Reader A"><w:r><w:delText>goes</w:delText></w:r></w:del>"#,
        r#"<w:ins w:author="Reader B"><w:r><w:t>go</w:t></w:r>"#,
        r#"<w:del w:author="Reader A"><w:r><w:delText xml:space="preserve"> not</w:delText></w:r></w:del></w:ins>"#,
        r#"<w:r><w:t> home &amp; eat&#46;</w:t><w:tab/><w:t>End</w:t></w:r></w:p>"#,
    ));
    assert_eq!(
        (rejected, accepted),
        (vec!["We goes home & eat. End".into()], vec!["We go home & eat. End".into()])
    );
}

#[test]
fn a_moved_paragraph_stands_at_one_place_in_each_version() {
    let [rejected, accepted] = both(concat!(
        r#"<w:p><w:pPr><w:rPr><w:moveFrom/></w:rPr></w:pPr><w:moveFromRangeStart w:name="move1"/><w:moveFrom><w:r><w:t>First.</w:t></w:r></w:moveFrom>"#,
        r#"<w:moveFromRangeEnd/></w:p><w:p><w:r><w:t>Second.</w:t></w:r></w:p>"#,
        r#"<w:p><w:pPr><w:rPr><w:moveTo/></w:rPr></w:pPr><w:moveTo><w:r><w:t>First.</w:t></w:r></w:moveTo></w:p><w:p/>"#,
    ));
    assert_eq!(
        (rejected, accepted),
        (vec!["First.".into(), "Second.".into()], vec!["Second.".into(), "First.".into()])
    );
}

#[test]
fn paragraph_marks_that_come_and_go_part_and_join_paragraphs() {
    let mark = |change: &str| {
        format!("<w:p><w:pPr><w:rPr><w:{change}/></w:rPr></w:pPr><w:r><w:t>One. </w:t></w:r></w:p>")
    };
    let next = "<w:p><w:r><w:t>Two.</w:t></w:r></w:p>";
    let (one, two, both_texts) = ("One.".to_owned(), "Two.".to_owned(), "One. Two.".to_owned());
    assert_eq!(
        both(&format!("{}{next}", mark("del"))),
        [vec![one.clone(), two.clone()], vec![both_texts.clone()]]
    );
    assert_eq!(both(&format!("{}{next}", mark("ins"))), [vec![both_texts], vec![one, two]]);
}

#[test]
fn rows_notes_boxes_and_formulas_are_read_and_what_is_no_text_is_not() {
    let document = format!(
        r#"<w:document xmlns:w="{NAMESPACE}" xmlns:m="{}" xmlns:mc="urn:mc"><w:body>
        <w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr><w:r><w:t>Title</w:t></w:r></w:p>
        <w:p><w:pPr><w:numPr/></w:pPr><w:r><w:t>Item</w:t><w:footnoteReference w:id="2"/></w:r>
        <m:oMath><m:r><m:t>x+1</m:t></m:r></m:oMath>
        <w:r><w:instrText>PAGE</w:instrText><mc:AlternateContent><mc:Choice><w:txbxContent><w:p><w:r><w:t>Box</w:t></w:r></w:p></w:txbxContent></mc:Choice>
        <mc:Fallback><w:p><w:r><w:t>Box</w:t></w:r></w:p></mc:Fallback></mc:AlternateContent></w:r></w:p>
        <w:tbl><w:tr><w:tc><w:p><w:r><w:t>Kept</w:t></w:r></w:p></w:tc></w:tr>
        <w:tr><w:trPr><w:ins w:author="Reader A"/></w:trPr><w:tc><w:p><w:r><w:t>New</w:t></w:r></w:p></w:tc></w:tr></w:tbl>
        </w:body></w:document>"#,
        "http://schemas.openxmlformats.org/officeDocument/2006/math"
    );
    let notes = format!(
        r#"<w:footnotes xmlns:w="{NAMESPACE}"><w:footnote w:type="separator"><w:p><w:r><w:t>No.</w:t></w:r></w:p></w:footnote>
        <w:footnote w:id="2"><w:p><w:r><w:t>A note.</w:t></w:r></w:p></w:footnote></w:footnotes>"#
    );
    let relations = r#"<Relationships><Relationship Type="http://x/officeDocument" Target="/w/main.xml"/></Relationships>"#;
    let bytes = zipped(&[("_rels/.rels", relations), ("w/main.xml", &document), ("w/footnotes.xml", &notes)]);
    let tracked = read_tracked("draft.docx", &bytes).unwrap();
    let blocks: Vec<_> =
        tracked.accepted.blocks.iter().map(|block| (block.kind, block.text.as_str())).collect();
    let expected = [
        (BlockKind::Heading, "Title"),
        (BlockKind::Paragraph, "Box"),
        (BlockKind::ListItem, "Itemx+1"),
        (BlockKind::Cell, "Kept"),
        (BlockKind::Cell, "New"),
        (BlockKind::Note, "A note."),
    ];
    assert_eq!(blocks, expected);
    assert_eq!(tracked.rejected.blocks.len(), expected.len() - 1);
    assert_eq!((tracked.authors, tracked.changes), (vec!["Reader A".to_owned()], 1));
}

#[test]
fn what_is_no_word_document_is_told() {
    let told = |bytes: &[u8]| read_tracked("draft.docx", bytes).unwrap_err().to_string();
    assert!(told(b"plain text").starts_with("draft.docx: not a Word document: "));
    assert!(told(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1").contains("old or encrypted"));
    assert!(told(&zipped(&[("mimetype", "x")])).contains("it holds no word/document.xml"));
    let message = told(&zipped(&[("word/document.xml", "<w:document></w:body>")]));
    assert!(message.starts_with("draft.docx: word/document.xml, byte 1"), "{message}");
}

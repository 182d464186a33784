//! The text of a part of a Word document.

use super::Tracked;
use super::paragraph::{Paragraph, VERSIONS};
use crate::block::BlockKind;
use crate::document::Document;
use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::{Error, NsReader};

/// Namespaces of word processing: of most programs, and of the strict variant.
const WORDS: [&str; 2] = [
    "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    "http://purl.oclc.org/ooxml/wordprocessingml/main",
];

/// Namespaces of formulas.
const MATH: [&str; 2] = [
    "http://schemas.openxmlformats.org/officeDocument/2006/math",
    "http://purl.oclc.org/ooxml/officeDocument/math",
];

/// What an element means here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Element {
    Paragraph,
    /// Properties of a paragraph's mark or of a table's row, where `ins` and `del` speak of that.
    Properties,
    Inserted,
    Deleted,
    Text,
    Row,
    Cell,
    Note,
    /// Nothing in it is text of the document.
    Skipped,
    Other,
}

/// Reads parts one after another.
#[derive(Default)]
pub(super) struct Reader {
    documents: [Document; 2],
    authors: Vec<String>,
    changes: usize,
    /// Elements that are open, the innermost last.
    open: Vec<Element>,
    /// Paragraphs that are open: one in a text box stands inside another.
    paragraphs: Vec<Paragraph>,
    /// In each version a paragraph whose mark isn't there, so that the next one continues it.
    unfinished: [Option<(BlockKind, String)>; 2],
    /// Rows of tables that are open, and whether each was inserted and deleted.
    rows: Vec<(bool, bool)>,
}

impl Reader {
    /// # Errors
    /// The place in bytes, and why it isn't XML.
    pub fn read(&mut self, xml: &str) -> Result<(), (u64, Error)> {
        let mut reader = NsReader::from_str(xml);
        loop {
            let event = match reader.read_event() {
                Ok(event) => event,
                Err(error) => return Err((reader.error_position(), error)),
            };
            match event {
                Event::Start(element) => {
                    let (namespace, _) = reader.resolver().resolve_element(element.name());
                    let element = self.classify(&namespace, &element);
                    self.open.push(element);
                }
                Event::Empty(element) => {
                    let (namespace, _) = reader.resolver().resolve_element(element.name());
                    let element = self.classify(&namespace, &element);
                    self.open.push(element);
                    self.close();
                }
                Event::End(_) => self.close(),
                Event::Text(text) if self.is_text() => self.text(&text.xml10_content()),
                Event::CData(text) if self.is_text() => self.text(&text.xml10_content()),
                Event::GeneralRef(entity) if self.is_text() => {
                    let character = entity.resolve_char_ref();
                    match character.map_err(|error| (reader.error_position(), error))? {
                        Some(character) => self.text(character.encode_utf8(&mut [0; 4])),
                        None => self.text(resolve_predefined_entity(&entity).unwrap_or_default()),
                    }
                }
                Event::Eof => break,
                _ => {}
            }
        }
        // A part's last paragraph is continued by nothing.
        for version in VERSIONS {
            if let Some((kind, text)) = self.unfinished[version as usize].take() {
                self.documents[version as usize].push(kind, &text);
            }
        }
        Ok(())
    }

    /// Whether the innermost element that is open holds text.
    fn is_text(&self) -> bool {
        self.open.last() == Some(&Element::Text)
    }

    pub fn finish(self) -> Tracked {
        let [rejected, accepted] = self.documents;
        Tracked { rejected, accepted, authors: self.authors, changes: self.changes }
    }

    fn classify(&mut self, namespace: &ResolveResult<'_>, element: &BytesStart<'_>) -> Element {
        let of = |names: &[&str]| match namespace {
            ResolveResult::Bound(Namespace(name)) => names.contains(name),
            _ => false,
        };
        let local = element.local_name();
        if local.as_ref() == "Fallback" {
            return Element::Skipped;
        }
        if of(&MATH) {
            return if local.as_ref() == "t" { Element::Text } else { Element::Other };
        }
        if !of(&WORDS) {
            return Element::Other;
        }
        match local.as_ref() {
            "p" => {
                self.paragraphs.push(Paragraph::default());
                Element::Paragraph
            }
            "pPr" | "trPr" => Element::Properties,
            "ins" | "moveTo" => self.changed(element, Element::Inserted),
            "del" | "moveFrom" => self.changed(element, Element::Deleted),
            "t" | "delText" => Element::Text,
            "tr" => {
                self.rows.push((false, false));
                Element::Row
            }
            "tc" => Element::Cell,
            "footnote" | "endnote" => match attribute(element, "type") {
                // What stands between text and notes.
                Some(kind) if kind != "normal" => Element::Skipped,
                _ => Element::Note,
            },
            "pPrChange" | "rPrChange" | "trPrChange" | "rt" => Element::Skipped,
            "pStyle" => {
                self.style(attribute(element, "val").unwrap_or_default());
                Element::Other
            }
            "outlineLvl" => {
                // 9 is body text.
                if attribute(element, "val").is_some_and(|level| level != "9") {
                    self.kind(BlockKind::Heading);
                }
                Element::Other
            }
            "numPr" => {
                self.kind(BlockKind::ListItem);
                Element::Other
            }
            "tab" | "br" | "cr" if !self.open.contains(&Element::Properties) => {
                self.text(" ");
                Element::Other
            }
            "noBreakHyphen" => {
                self.text("-");
                Element::Other
            }
            _ => Element::Other,
        }
    }

    /// A tracked change: of text, of a paragraph's mark or of a row.
    fn changed(&mut self, element: &BytesStart<'_>, change: Element) -> Element {
        self.changes += 1;
        if let Some(author) = attribute(element, "author").filter(|author| !self.authors.contains(author)) {
            self.authors.push(author);
        }
        let inserted = change == Element::Inserted;
        let properties = self.open.iter().rposition(|element| *element == Element::Properties);
        let Some(properties) = properties else { return change };
        match self.open[..properties].last() {
            Some(Element::Row) => {
                if let Some(row) = self.rows.last_mut() {
                    *if inserted { &mut row.0 } else { &mut row.1 } = true;
                }
            }
            _ => {
                if let Some(paragraph) = self.paragraphs.last_mut() {
                    *if inserted { &mut paragraph.mark_inserted } else { &mut paragraph.mark_deleted } = true;
                }
            }
        }
        Element::Other
    }

    fn style(&mut self, style: String) {
        let style = style.to_lowercase();
        match style.as_str() {
            _ if style.starts_with("heading") || style == "title" || style == "subtitle" => {
                self.kind(BlockKind::Heading)
            }
            _ if style.starts_with("list") => self.kind(BlockKind::ListItem),
            "caption" => self.kind(BlockKind::Caption),
            _ => {}
        }
    }

    /// The first that says what a paragraph is wins.
    fn kind(&mut self, kind: BlockKind) {
        if let Some(paragraph) = self.paragraphs.last_mut() {
            paragraph.kind.get_or_insert(kind);
        }
    }

    fn text(&mut self, text: &str) {
        if self.open.contains(&Element::Skipped) {
            return;
        }
        let rows = |change: fn(&(bool, bool)) -> bool| self.rows.iter().any(change);
        let inserted = self.open.contains(&Element::Inserted) || rows(|row| row.0);
        let deleted = self.open.contains(&Element::Deleted) || rows(|row| row.1);
        if let Some(paragraph) = self.paragraphs.last_mut() {
            paragraph.push(text, inserted, deleted);
        }
    }

    fn close(&mut self) {
        match self.open.pop() {
            Some(Element::Paragraph) => self.end_paragraph(),
            Some(Element::Row) => drop(self.rows.pop()),
            Some(Element::Cell) => self.end_cell(),
            _ => {}
        }
    }

    fn end_paragraph(&mut self) {
        let Some(paragraph) = self.paragraphs.pop() else { return };
        let within = |element| self.open.contains(&element);
        let place = match (within(Element::Note), within(Element::Cell)) {
            (true, _) => Some(BlockKind::Note),
            (_, true) => Some(BlockKind::Cell),
            _ => None,
        };
        let kind = place.or(paragraph.kind).unwrap_or(BlockKind::Paragraph);
        for version in VERSIONS {
            let own = &paragraph.texts[version as usize];
            let unfinished = &mut self.unfinished[version as usize];
            let (kind, text) = match unfinished.take() {
                Some((kind, text)) => (kind, text + own),
                None => (kind, own.clone()),
            };
            match paragraph.ends(version) {
                true => self.documents[version as usize].push(kind, &text),
                false => *unfinished = Some((kind, text)),
            }
        }
    }

    /// No paragraph goes from one cell into the next.
    fn end_cell(&mut self) {
        for version in VERSIONS {
            if let Some((kind, text)) = self.unfinished[version as usize].take() {
                self.documents[version as usize].push(kind, &text);
            }
        }
    }
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    element
        .attributes()
        .flatten()
        .find(|attribute| attribute.key.local_name().as_ref() == name)
        .and_then(|attribute| Some(attribute.normalized_value(XmlVersion::Implicit1_0).ok()?.into_owned()))
}

//! A Word document with tracked changes and comments.

use super::item::{Item, Piece};
use super::package::package;
use crate::block::BlockKind;
use quick_xml::escape::escape;
use std::fmt::Write as _;

const BEGIN: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#;
const NAMESPACE: &str = r#"xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main""#;

/// Both drafts in one Word document: what changed is tracked, so rejecting every change gives the old draft and accepting it
/// the new one, and what is said of an item is a comment on it. `author` made the changes and the comments.
///
/// Headings, items of lists and captions keep their kind; cells and notes become paragraphs.
pub fn write_tracked(items: &[Item<'_>], author: &str) -> Vec<u8> {
    let author = escape(author);
    let mut writer = Writer { author: &author, body: String::new(), comments: String::new(), numbers: 0 };
    let mut rest = items;
    while !rest.is_empty() {
        let length = paragraph_length(rest);
        let (own, after) = rest.split_at(length);
        writer.paragraph(own, after);
        rest = after;
    }
    let Writer { body, comments, .. } = writer;
    let document = format!("{BEGIN}<w:document {NAMESPACE}><w:body>{body}</w:body></w:document>");
    package(&document, &format!("{BEGIN}<w:comments {NAMESPACE}>{comments}</w:comments>"))
}

/// How many items stand in one paragraph: those of one block in each draft.
fn paragraph_length(items: &[Item<'_>]) -> usize {
    let (mut old, mut new) = (None, None);
    let begins = |item: &&Item<'_>| {
        let differs = |at: Option<usize>, own: Option<usize>| at.is_some() && own.is_some() && at != own;
        let begins = differs(old, item.old_block) || differs(new, item.new_block);
        (old, new) = (item.old_block.or(old), item.new_block.or(new));
        !begins
    };
    items.iter().take_while(begins).count()
}

struct Writer<'a> {
    author: &'a str,
    body: String,
    comments: String,
    /// Changes and comments so far.
    numbers: usize,
}

impl Writer<'_> {
    fn paragraph(&mut self, items: &[Item<'_>], after: &[Item<'_>]) {
        let last = |block: fn(&Item<'_>) -> Option<usize>| items.iter().rev().find_map(block);
        let next = |block: fn(&Item<'_>) -> Option<usize>| after.iter().find_map(block);
        // A mark that one draft lacks: its block goes on in the next paragraph, or it has none here.
        let ends =
            |block: fn(&Item<'_>) -> Option<usize>| last(block).is_some() && last(block) != next(block);
        let (ends_old, ends_new) = (ends(|item| item.old_block), ends(|item| item.new_block));
        let mark = match (ends_old, ends_new) {
            (false, true) => self.change("ins", ""),
            (true, false) => self.change("del", ""),
            _ => String::new(),
        };
        let style = match items[0].kind {
            BlockKind::Heading => r#"<w:pStyle w:val="Heading1"/>"#,
            BlockKind::ListItem => r#"<w:pStyle w:val="ListParagraph"/>"#,
            BlockKind::Caption => r#"<w:pStyle w:val="Caption"/>"#,
            BlockKind::Paragraph | BlockKind::Cell | BlockKind::Note => "",
        };
        let _ = write!(self.body, "<w:p><w:pPr>{style}<w:rPr>{mark}</w:rPr></w:pPr>");
        for item in items {
            self.item(item);
        }
        self.body.push_str("</w:p>");
    }

    fn item(&mut self, item: &Item<'_>) {
        let comment = item.comment.as_ref().map(|comment| self.comment(comment));
        if let Some(number) = comment {
            let _ = write!(self.body, r#"<w:commentRangeStart w:id="{number}"/>"#);
        }
        for piece in &item.pieces {
            self.piece(*piece);
        }
        if let Some(number) = comment {
            let _ = write!(
                self.body,
                r#"<w:commentRangeEnd w:id="{number}"/><w:r><w:commentReference w:id="{number}"/></w:r>"#
            );
        }
        // The blank behind a sentence is where the sentence is.
        self.piece(match (item.old_block, item.new_block) {
            (None, _) => Piece::Added(" "),
            (_, None) => Piece::Removed(" "),
            _ => Piece::Same(" "),
        });
    }

    fn piece(&mut self, piece: Piece<'_>) {
        let run = |tag: &str, text: &str| {
            format!(r#"<w:r><w:{tag} xml:space="preserve">{}</w:{tag}></w:r>"#, escape(printable(text)))
        };
        let written = match piece {
            Piece::Same(text) => run("t", text),
            Piece::Removed(text) => self.change("del", &run("delText", text)),
            Piece::Added(text) => self.change("ins", &run("t", text)),
        };
        self.body.push_str(&written);
    }

    fn change(&mut self, kind: &str, inner: &str) -> String {
        self.numbers += 1;
        format!(r#"<w:{kind} w:id="{}" w:author="{}">{inner}</w:{kind}>"#, self.numbers, self.author)
    }

    fn comment(&mut self, text: &str) -> usize {
        self.numbers += 1;
        let _ = write!(
            self.comments,
            r#"<w:comment w:id="{}" w:author="{}"><w:p><w:r><w:t xml:space="preserve">{}</w:t></w:r></w:p></w:comment>"#,
            self.numbers,
            self.author,
            escape(printable(text))
        );
        self.numbers
    }
}

/// Without the characters that XML can't hold.
fn printable(text: &str) -> String {
    let holds = |letter: char| !matches!(letter, '\0'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}');
    text.chars().filter(|&letter| holds(letter)).collect()
}

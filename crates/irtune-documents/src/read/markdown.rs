//! Markdown.

use crate::block::BlockKind;
use crate::document::Document;
use pulldown_cmark::{Event, MetadataBlockKind, Options, Parser, Tag, TagEnd};

/// Prose without its marks. Code blocks, HTML and a header of metadata are no prose; code and math within a sentence stay
/// as they are.
pub fn read(text: &str) -> Document {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_MATH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
    let mut reader = Reader::default();
    Parser::new_ext(text, options).for_each(|event| reader.event(event));
    reader.flush();
    reader.document
}

#[derive(Default)]
struct Reader {
    document: Document,
    text: String,
    /// What text belongs to, the innermost last.
    kinds: Vec<BlockKind>,
    /// How many elements deep in what is no prose.
    skipped: usize,
}

impl Reader {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(&tag),
            Event::End(tag) => self.end(tag),
            _ if self.skipped > 0 => {}
            Event::Text(text) | Event::Code(text) => self.text.push_str(&text),
            Event::InlineMath(text) => self.text.push_str(&format!("${text}$")),
            Event::DisplayMath(text) => self.text.push_str(&format!("$${text}$$")),
            Event::SoftBreak | Event::HardBreak => self.text.push(' '),
            Event::Rule => self.flush(),
            Event::Html(_)
            | Event::InlineHtml(_)
            | Event::FootnoteReference(_)
            | Event::TaskListMarker(_) => {}
        }
    }

    fn start(&mut self, tag: &Tag<'_>) {
        match tag {
            Tag::CodeBlock(_) | Tag::HtmlBlock | Tag::MetadataBlock(MetadataBlockKind::YamlStyle) => {
                self.flush();
                self.skipped += 1;
            }
            Tag::Heading { .. } => self.enter(BlockKind::Heading),
            Tag::Item => self.enter(BlockKind::ListItem),
            Tag::TableCell => self.enter(BlockKind::Cell),
            Tag::FootnoteDefinition(_) => self.enter(BlockKind::Note),
            Tag::Paragraph => self.flush(),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::CodeBlock | TagEnd::HtmlBlock | TagEnd::MetadataBlock(MetadataBlockKind::YamlStyle) => {
                self.skipped = self.skipped.saturating_sub(1);
            }
            TagEnd::Heading(_) | TagEnd::Item | TagEnd::TableCell | TagEnd::FootnoteDefinition => {
                self.flush();
                self.kinds.pop();
            }
            TagEnd::Paragraph => self.flush(),
            _ => {}
        }
    }

    fn enter(&mut self, kind: BlockKind) {
        self.flush();
        self.kinds.push(kind);
    }

    fn flush(&mut self) {
        let kind = self.kinds.last().copied().unwrap_or(BlockKind::Paragraph);
        self.document.push(kind, &std::mem::take(&mut self.text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_stays_and_marks_go() {
        let document = read(concat!(
            "---\ntitle: No prose\n---\n\n# A *title*\n\nOne [link](x) and `code`,\nthen $a_1$.[^n]\n\n",
            "```\nno prose\n```\n\n- First\n  - Inner\n- [ ] Second\n\n| a | b |\n|---|---|\n| c | d e |\n\n",
            "> Said.\n\n<div>no prose</div>\n\n[^n]: A note.\n"
        ));
        let blocks: Vec<_> = document.blocks.iter().map(|block| (block.kind, block.text.as_str())).collect();
        let expected = [
            (BlockKind::Heading, "A title"),
            (BlockKind::Paragraph, "One link and code, then $a_1$."),
            (BlockKind::ListItem, "First"),
            (BlockKind::ListItem, "Inner"),
            (BlockKind::ListItem, "Second"),
            (BlockKind::Cell, "a"),
            (BlockKind::Cell, "b"),
            (BlockKind::Cell, "c"),
            (BlockKind::Cell, "d e"),
            (BlockKind::Paragraph, "Said."),
            (BlockKind::Note, "A note."),
        ];
        assert_eq!(blocks, expected);
    }
}

//! Plain text.

use crate::block::BlockKind;
use crate::document::Document;

/// Paragraphs are what stands between empty lines; the lines of one are joined. Line ends of Windows and old Macs count.
pub fn read(text: &str) -> Document {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut document = Document::default();
    let mut paragraph = String::new();
    for line in text.split('\n').chain([""]) {
        match line.trim().is_empty() {
            false => {
                paragraph.push_str(line);
                paragraph.push(' ');
            }
            true => document.push(BlockKind::Paragraph, &std::mem::take(&mut paragraph)),
        }
    }
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_lines_part_paragraphs_and_line_ends_do_not() {
        let document = read("One\r\ntwo.\r\n \r\nThree.\rFour.");
        let texts: Vec<_> = document.blocks.iter().map(|block| block.text.as_str()).collect();
        assert_eq!(texts, ["One two.", "Three. Four."]);
        assert!(read(" \n\n").blocks.is_empty());
    }
}

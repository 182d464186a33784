//! Which kinds of files are read.

use std::path::Path;
use strum::{Display, EnumString, VariantNames};

/// How a draft is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, EnumString, VariantNames)]
#[strum(serialize_all = "lowercase", parse_err_ty = UnknownFormat, parse_err_fn = unknown)]
pub enum Format {
    /// Plain text: paragraphs with empty lines between them.
    Text,
    /// CommonMark with tables, footnotes and math.
    Markdown,
    /// LaTeX: its prose, with math and references as they stand.
    Latex,
    /// A Word document.
    Docx,
}

impl Format {
    /// By the ending of a name: `.md`, `.tex`, `.docx`; anything else is plain text.
    ///
    /// # Errors
    /// When it is the ending of a format that can't be read.
    pub fn of_path(path: &Path) -> Result<Format, UnknownFormat> {
        let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        match ending.as_str() {
            "md" | "markdown" | "qmd" | "rmd" => Ok(Format::Markdown),
            "tex" | "ltx" | "latex" => Ok(Format::Latex),
            "docx" | "docm" => Ok(Format::Docx),
            "doc" | "odt" | "pdf" | "rtf" | "pages" | "html" | "htm" | "epub" => Err(unknown(&ending)),
            _ => Ok(Format::Text),
        }
    }
}

/// Not a format that is read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("drafts can't be read as {name:?}; save it as docx, markdown, latex or text")]
pub struct UnknownFormat {
    /// What was given.
    pub name: String,
}

fn unknown(name: &str) -> UnknownFormat {
    UnknownFormat { name: name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_known_by_endings_and_names() {
        let of = |name: &str| Format::of_path(Path::new(name));
        assert_eq!(of("a/paper.TEX"), Ok(Format::Latex));
        assert_eq!((of("draft.docx"), of("notes")), (Ok(Format::Docx), Ok(Format::Text)));
        assert!(of("draft.pdf").unwrap_err().to_string().contains("save it as docx"));
        assert_eq!("markdown".parse(), Ok(Format::Markdown));
        assert!("word".parse::<Format>().is_err());
    }
}

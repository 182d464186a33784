//! What an annotation is written as.

use super::{Annotation, document_json, m2, page, record, table, tracked};
use std::path::Path;
use strum::{Display, EnumString};

/// What an annotation is written as; the ending of a file's name says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, EnumString)]
#[strum(serialize_all = "lowercase", parse_err_ty = UnknownOutput, parse_err_fn = unknown)]
pub enum Output {
    /// A page to look at: both drafts side by side.
    Html,
    /// A JSON object a revision; `train` and `predict` read it too.
    Jsonl,
    /// A row a revision.
    Csv,
    /// One object: both drafts and their edits, in IteraTeR's layout of documents.
    Json,
    /// Every sentence with its edits, the intention as their type.
    M2,
    /// A Word document with tracked changes, and each intention as a comment.
    Docx,
}

impl Output {
    /// By the ending of a file's name.
    ///
    /// # Errors
    /// When it has another ending.
    pub fn of_path(path: &Path) -> Result<Output, UnknownOutput> {
        path.extension().unwrap_or_default().to_string_lossy().to_lowercase().parse()
    }

    /// The bytes of a file of an annotation.
    pub fn write(self, annotation: &Annotation) -> Vec<u8> {
        match self {
            Output::Html => page::page(annotation).into_bytes(),
            Output::Jsonl => record::lines(annotation).into_bytes(),
            Output::Csv => table::csv(annotation).into_bytes(),
            Output::Json => document_json::document(annotation).into_bytes(),
            Output::M2 => m2::document(annotation).into_bytes(),
            Output::Docx => tracked::document(annotation),
        }
    }
}

/// Not an ending of what is written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the file's name ends in {ending:?}; .html, .docx, .jsonl, .csv, .json and .m2 are written")]
pub struct UnknownOutput {
    /// The ending.
    pub ending: String,
}

fn unknown(ending: &str) -> UnknownOutput {
    UnknownOutput { ending: ending.to_owned() }
}

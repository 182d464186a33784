//! LaTeX.

mod accents;
mod commands;
mod scanner;
#[cfg(test)]
mod tests;

use crate::document::Document;

/// The prose between `\begin{document}` and `\end{document}`, or of a piece without them. Math and references stay as
/// they are written, as do commands' arguments that are text; comments, tables, displayed code and pictures are left out, but
/// captions are read.
pub fn read(text: &str) -> Document {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let start = text.find("\\begin{document}").map_or(0, |at| at + "\\begin{document}".len());
    let end = text.rfind("\\end{document}").filter(|end| *end >= start).unwrap_or(text.len());
    scanner::Scanner::new(&text[start..end]).scan()
}

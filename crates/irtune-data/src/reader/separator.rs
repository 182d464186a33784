//! What separates the fields of a table.

use super::columns::Columns;
use super::delimited::LineEnd;
use super::input::Input;
use super::record::Header;
use crate::error::DataError;

/// What separates fields, the usual ones first.
const SEPARATORS: [char; 4] = [',', '\t', ';', '|'];

/// The separator of the table that starts here; a line `sep=;` before it, which spreadsheets write, is taken.
///
/// The separator is the first under which the header has a column for a text. Where none has, it is the extension's, or
/// the only one that the header holds.
///
/// # Errors
/// When reading fails, or nothing tells the separator.
pub(super) fn separator(
    input: &mut Input,
    extension: Option<char>,
    columns: &Columns,
) -> Result<char, DataError> {
    let mut line = input.peek_line()?;
    if LineEnd::of(&line) == LineEnd::CarriageReturn {
        input.end_lines_with(b'\r');
        line = input.peek_line()?;
    }
    if let Some(separator) = said(&line) {
        input.next_line(&mut line)?;
        return Ok(separator);
    }
    let fits = |separator: &char| {
        let header = Header::new(fields(&line, *separator));
        columns.fit(|column| header.has(column))
    };
    let first = usual(&line, extension);
    if let Some(separator) = first.into_iter().chain(SEPARATORS).find(fits) {
        return Ok(separator);
    }
    let only = |&separator: &char| line.contains(separator);
    let otherwise = extension.and_then(|extension| SEPARATORS.into_iter().find(only).or(Some(extension)));
    first.or(otherwise).ok_or_else(|| DataError::UnknownFormat { file: input.file.clone() })
}

/// A comma or a tab, where the header or the extension says so.
fn usual(line: &str, extension: Option<char>) -> Option<char> {
    match (line.contains('\t'), line.contains(','), extension) {
        (true, false, _) | (true, true, None) => Some('\t'),
        (false, true, _) => Some(','),
        (true, true, extension) => extension,
        (false, false, _) => None,
    }
}

/// What a line such as `sep=;` says.
fn said(line: &str) -> Option<char> {
    let line = line.trim_end_matches(['\r', '\n']).trim_matches('"');
    let (name, separator) = line.split_at_checked(4)?;
    let mut rest = separator.chars();
    match (rest.next(), rest.next()) {
        (Some(separator), None) if name.eq_ignore_ascii_case("sep=") => Some(separator),
        _ => None,
    }
}

/// The fields of a line; separators between quotes belong to their field.
fn fields(line: &str, separator: char) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    for character in line.trim_end_matches(['\r', '\n']).chars() {
        match character {
            '"' => quoted = !quoted,
            _ if character == separator && !quoted => fields.push(String::new()),
            _ => fields.iter_mut().last().into_iter().for_each(|field| field.push(character)),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_may_say_the_separator() {
        assert_eq!(said("sep=;\r\n"), Some(';'));
        assert_eq!(said("\"SEP=|\"\n"), Some('|'));
        for line in ["sep=", "sep=ab", "sepa", "separate,b", "é=;"] {
            assert_eq!(said(line), None, "{line}");
        }
    }

    #[test]
    fn quotes_keep_separators() {
        assert_eq!(fields("\"a;b\";c\r\n", ';'), ["a;b", "c"]);
        assert_eq!(fields("a;b", ','), ["a;b"]);
    }
}

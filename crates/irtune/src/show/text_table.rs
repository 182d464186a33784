//! Columns of text, aligned.

use super::printable::printable_part;

/// Lays rows out in columns: the first column to the left, the others to the right.
pub fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let printable = |row: &Vec<String>| row.iter().map(|cell| printable_part(cell).into_owned()).collect();
    let rows: &[Vec<String>] = &rows.iter().map(printable).collect::<Vec<_>>();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(header.get(column).map(|cell| cell.chars().count())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut out = String::new();
        for (column, (cell, width)) in cells.zip(&widths).enumerate() {
            let gap = " ".repeat(width - cell.chars().count());
            match column {
                0 => out.extend(["  ", cell, &gap]),
                _ => out.extend(["  ", &gap, cell]),
            }
        }
        out.truncate(out.trim_end().len());
        out.push('\n');
        out
    };
    let mut out = line(&mut header.iter().copied());
    for row in rows {
        out.push_str(&line(&mut row.iter().map(String::as_str)));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn columns_align_by_characters_not_bytes() {
        let rows = [vec!["größe".to_owned(), "1".to_owned()], vec!["a".to_owned(), "12".to_owned()]];
        assert_eq!(table(&["name", "n"], &rows), "  name    n\n  größe   1\n  a      12\n");
        let rows = [vec!["a\nb".to_owned(), "\u{1b}[1m".to_owned()]];
        assert_eq!(table(&["name", "n"], &rows), "  name          n\n  a\\nb  \\u001b[1m\n");
    }
}

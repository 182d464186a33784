//! Workbooks of aligned essays: a sheet of sentences for each draft, as ArgRewrite has them.

use std::collections::BTreeMap;

use serde_json::json;

/// A sheet of sentences.
pub(super) struct Sheet<'a> {
    pub name: &'a str,
    /// The names of its columns.
    pub header: &'a [String],
    /// Its rows, each with its number.
    pub rows: &'a [(usize, Vec<String>)],
}

/// The columns of what is made of two sheets.
pub(super) const COLUMNS: [&str; 4] = ["original", "revised", "label", "id"];

/// A sentence.
struct Sentence<'a> {
    line: usize,
    index: usize,
    content: &'a str,
    aligned: Vec<usize>,
    purposes: Vec<&'a str>,
}

impl<'a> Sheet<'a> {
    fn column(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|own| own.eq_ignore_ascii_case(name))
    }

    /// Its sentences; nothing where it is no sheet of sentences.
    fn sentences(&self) -> Option<Vec<Sentence<'a>>> {
        let (index, content, aligned) =
            (self.column("Sentence Index")?, self.column("Sentence Content")?, self.column("Aligned Index")?);
        let is_purpose = |name: &String| name.to_lowercase().starts_with("revision purpose");
        let purposes: Vec<usize> =
            (0..self.header.len()).filter(|&at| is_purpose(&self.header[at])).collect();
        let field = |row: &'a [String], at: usize| row.get(at).map_or("", |text| text.trim());
        let sentence = |(line, row): &'a (usize, Vec<String>)| {
            Some(Sentence {
                line: *line,
                index: field(row, index).parse().ok()?,
                content: field(row, content),
                aligned: field(row, aligned).split(',').filter_map(|own| own.trim().parse().ok()).collect(),
                purposes: purposes.iter().map(|&at| field(row, at)).filter(|own| !own.is_empty()).collect(),
            })
        };
        Some(self.rows.iter().filter_map(sentence).collect())
    }
}

/// The revisions of two sheets of sentences, with the rows they stand in; `None` where the sheets are others. Sentences that
/// belong together are one revision; what stayed as it was is none.
///
/// # Source
/// ArgRewrite (Zhang, Hashemi, Hwa & Litman 2017; Kashefi et al. 2022): the sheets `Old Draft` and `New Draft`.
pub(super) fn revisions(sheets: &[Sheet<'_>]) -> Option<Vec<(usize, Vec<String>)>> {
    let [first, second] = sheets else { return None };
    let (old, new) =
        if first.name.to_lowercase().contains("new") { (second, first) } else { (first, second) };
    let (old, new) = (old.sentences()?, new.sentences()?);
    // Sentences of both drafts by number, those of the new one behind, and the group that each is in.
    let place: BTreeMap<(bool, usize), usize> = old
        .iter()
        .map(|own| (false, own.index))
        .chain(new.iter().map(|own| (true, own.index)))
        .enumerate()
        .map(|(at, key)| (key, at))
        .collect();
    let all: Vec<&Sentence<'_>> = old.iter().chain(&new).collect();
    let mut group: Vec<usize> = (0..all.len()).collect();
    for (at, sentence) in all.iter().enumerate() {
        let is_new = at >= old.len();
        for other in sentence.aligned.iter().filter_map(|&index| place.get(&(!is_new, index))) {
            let (keep, take) = (group[at].min(group[*other]), group[at].max(group[*other]));
            group.iter_mut().filter(|own| **own == take).for_each(|own| *own = keep);
        }
    }
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (at, own) in group.iter().enumerate() {
        groups.entry(*own).or_default().push(at);
    }
    let mut rows: Vec<(usize, Vec<String>)> = groups
        .into_values()
        .filter_map(|own| {
            let text = |is_new: bool| {
                let side = own.iter().filter(|&&at| (at >= old.len()) == is_new).map(|&at| all[at].content);
                side.collect::<Vec<_>>().join(" ")
            };
            let (original, revised) = (text(false), text(true));
            let mut purposes: Vec<&str> =
                own.iter().flat_map(|&at| all[at].purposes.iter().copied()).collect();
            purposes.sort_unstable();
            purposes.dedup();
            let label = match purposes.as_slice() {
                [] if original == revised => return None,
                [] => String::new(),
                [only] => (*only).to_owned(),
                several => json!({ "choices": several }).to_string(),
            };
            let first = all[*own.last()?];
            Some((first.line, vec![original, revised, label, first.index.to_string()]))
        })
        .collect();
    rows.sort_by_key(|(line, _)| *line);
    Some(rows)
}

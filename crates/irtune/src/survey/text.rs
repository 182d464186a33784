//! A survey as a person reads it.

use std::fmt::{self, Display, Formatter};

use irtune_data::{Contents, Leak, Leaks, Quantiles};

use super::{Agreement, FileLeaks, FileSurvey, Survey};
use crate::show::numbers::{count, percent};
use crate::show::text_table::table;

/// Rows that are named; JSON names all.
const SHOWN: usize = 5;

impl Display for Survey {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        for (place, file) in self.files.iter().enumerate() {
            write!(formatter, "{}{file}", if place == 0 { "" } else { "\n" })?;
        }
        self.leaks.iter().try_for_each(|leaks| write!(formatter, "\n{leaks}"))
    }
}

impl Display for FileSurvey {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let Contents { rows, labels, unlabelled, documents, repeats, .. } = &self.contents;
        write!(formatter, "{}: {}", self.name, number(*rows, "row"))?;
        if *documents > 0 {
            write!(formatter, " of {}", number(*documents, "document"))?;
        }
        writeln!(formatter)?;
        if *unlabelled > 0 {
            writeln!(formatter, "  {} without label", number(*unlabelled, "row"))?;
        }
        if !labels.is_empty() {
            let row = |label: &irtune_data::LabelCount| {
                vec![label.label.clone(), count(label.rows as u64), percent(label.share)]
            };
            let labels: Vec<Vec<String>> = labels.iter().map(row).collect();
            write!(formatter, "{}", table(&["label", "rows", "share"], &labels))?;
        }
        if !self.contents.labels_of_a_row.is_empty() {
            let rows = self.contents.labels_of_a_row.iter();
            let rows: Vec<String> =
                rows.map(|(labels, rows)| format!("{labels}: {}", number(*rows, "row"))).collect();
            writeln!(formatter, "  labels of a row: {}", rows.join(", "))?;
        }
        texts(&self.contents, formatter)?;
        let duplicates = repeats.duplicates.iter();
        listed(
            formatter,
            repeats.duplicates.len(),
            "row repeats an earlier one, label included",
            "rows repeat an earlier one, label included",
            duplicates.map(|repeat| format!("{} = {}", repeat.place, repeat.first)),
        )?;
        let conflicts = repeats.conflicts.iter().map(|conflict| {
            let rows: Vec<String> =
                conflict.rows.iter().map(|(place, label)| format!("{place} {label}")).collect();
            rows.join(", ")
        });
        listed(
            formatter,
            repeats.conflicts.len(),
            "pair of texts stands under more than one label",
            "pairs of texts stand under more than one label",
            conflicts,
        )?;
        self.agreement.iter().try_for_each(|agreement| agreement.fmt(formatter))?;
        self.several_labels.iter().try_for_each(|place| {
            writeln!(
                formatter,
                "  {place} has several labels, and other rows lists of one: look with --multi-label, and train with multi_label"
            )
        })
    }
}

/// Which texts are empty or equal, and how long they are.
fn texts(contents: &Contents, formatter: &mut Formatter<'_>) -> fmt::Result {
    let Contents { additions, deletions, modifications, equal, equal_but_blanks, .. } = contents;
    writeln!(
        formatter,
        "  {} (no original text), {} (no revised text), {}",
        number(*additions, "addition"),
        number(*deletions, "deletion"),
        number(*modifications, "modification")
    )?;
    let words = [("original text", contents.original_words), ("revised text", contents.revised_words)];
    let row = |(side, words): (&str, Option<Quantiles>)| {
        let Quantiles { minimum, p25, median, p75, p95, maximum } = words?;
        let numbers = [minimum, p25, median, p75, p95, maximum].map(|words| count(words as u64));
        Some([vec![side.to_owned()], numbers.to_vec()].concat())
    };
    let rows: Vec<Vec<String>> = words.into_iter().filter_map(row).collect();
    write!(
        formatter,
        "{}",
        table(&["words of the", "least", "25 %", "median", "75 %", "95 %", "most"], &rows)
    )?;
    if *equal > 0 {
        writeln!(formatter, "  {} with equal texts", number(*equal, "row"))?;
    }
    if *equal_but_blanks > 0 {
        writeln!(
            formatter,
            "  {} whose texts differ in nothing but blanks",
            number(*equal_but_blanks, "row")
        )?;
    }
    Ok(())
}

impl Display for Agreement {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let figure =
            |value: Option<f64>| value.map_or_else(|| "n/a".to_owned(), |value| format!("{value:.3}"));
        writeln!(
            formatter,
            "  {} by {}: Cohen's kappa {} (mean over every two), Fleiss' kappa {}, Krippendorff's alpha {}",
            number(self.rows, "row"),
            number(self.annotators, "annotator"),
            figure(self.cohen_kappa),
            figure(self.fleiss_kappa),
            figure(self.krippendorff_alpha)
        )?;
        self.ceiling.iter().try_for_each(|ceiling| {
            writeln!(
                formatter,
                "  one annotator against the others' majority (the human ceiling): accuracy {:.3}, macro F1 {:.3}",
                ceiling.accuracy, ceiling.macro_f1
            )
        })
    }
}

impl Display for FileLeaks {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let FileLeaks { name, other, new_labels, leaks } = self;
        let Leaks { rows, same, reversed, near, documents, document_rows } = leaks;
        writeln!(formatter, "{name} beside {other}:")?;
        if !new_labels.is_empty() {
            writeln!(formatter, "  labels that {other} doesn't have: {}", new_labels.join(", "))?;
        }
        if leaks.is_empty() {
            return writeln!(formatter, "  no shared pairs or documents");
        }
        let share = |part: usize| percent(part as f64 / *rows as f64);
        let lines = |leaks: &[Leak]| leaks.iter().map(leak).collect::<Vec<_>>().into_iter();
        let what = format!("({}) with the texts of a row there", share(same.len()));
        listed(formatter, same.len(), &format!("row {what}"), &format!("rows {what}"), lines(same))?;
        let what = format!("({}) with the texts of a row there in reverse order", share(reversed.len()));
        listed(formatter, reversed.len(), &format!("row {what}"), &format!("rows {what}"), lines(reversed))?;
        let what = format!(
            "({}) nearly like a row there (Jaccard index of their words, three by three, {} or more)",
            share(near.len()),
            Leaks::NEAR
        );
        let similar = near.iter().map(|near| format!("{}, {:.2}", leak(&near.rows), near.similarity));
        listed(formatter, near.len(), &format!("row {what}"), &format!("rows {what}"), similar)?;
        if !documents.is_empty() {
            let shared = number(documents.len(), "document");
            let rows = number(*document_rows, "row");
            writeln!(formatter, "  {rows} ({}) of {shared} that are also there", share(*document_rows))?;
        }
        Ok(())
    }
}

fn leak(leak: &Leak) -> String {
    let label = |label: &Option<String>| label.clone().unwrap_or_else(|| "no label".to_owned());
    match leak.label == leak.other_label {
        true => format!("{} and {}: {}", leak.place, leak.other, label(&leak.label)),
        false => {
            format!(
                "{} and {}: {}, there {}",
                leak.place,
                leak.other,
                label(&leak.label),
                label(&leak.other_label)
            )
        }
    }
}

/// A heading with a number, and the first few of what it counts below; nothing for none.
fn listed(
    formatter: &mut Formatter<'_>,
    total: usize,
    one: &str,
    many: &str,
    lines: impl Iterator<Item = String>,
) -> fmt::Result {
    if total == 0 {
        return Ok(());
    }
    writeln!(formatter, "  {} {}", count(total as u64), if total == 1 { one } else { many })?;
    for line in lines.take(SHOWN) {
        writeln!(formatter, "    {line}")?;
    }
    match total.saturating_sub(SHOWN) {
        0 => Ok(()),
        rest => writeln!(formatter, "    … and {} more (--json names all)", count(rest as u64)),
    }
}

/// A count of things, in the plural where it is not one.
fn number(of: usize, thing: &str) -> String {
    format!("{} {thing}{}", count(of as u64), if of == 1 { "" } else { "s" })
}

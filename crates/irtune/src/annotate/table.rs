//! A table of revisions as CSV.

use super::Annotation;

/// A row a revision: number, kind, section, texts, labels (with `|` between several) and the probability of each label.
pub(super) fn csv(annotation: &Annotation) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let columns = ["id", "kind", "section", "original", "revised", "label"].map(str::to_owned);
    let probabilities = annotation.labels.iter().map(|label| format!("probability of {label}"));
    let header: Vec<String> = columns.into_iter().chain(probabilities).collect();
    let rows = annotation.changes().enumerate().map(|(number, own)| {
        let (original, revised) = own.texts();
        let mut row = vec![(number + 1).to_string(), own.revision.kind.to_string()];
        row.extend([own.section().unwrap_or_default(), original, revised].map(str::to_owned));
        row.push(own.labels().join("|"));
        row.extend(annotation.labels.iter().map(|label| {
            let probability =
                own.prediction.as_ref().and_then(|prediction| prediction.probabilities.of(label));
            probability.map_or_else(String::new, |probability| probability.to_string())
        }));
        row
    });
    for row in std::iter::once(header.clone()).chain(rows) {
        writer.write_record(&row).expect("memory takes every row, and all rows are as long");
    }
    String::from_utf8(writer.into_inner().expect("memory takes every row")).expect("texts are UTF-8")
}

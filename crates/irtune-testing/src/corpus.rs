//! Small corpora of revision pairs, as lines of JSON.

use std::collections::BTreeMap;

use serde_json::json;

/// The labels of [`sentences`].
pub const SENTENCE_LABELS: [&str; 3] = ["fluency", "clarity", "meaning-changed"];

/// The labels of [`word_pair`].
pub const WORD_LABELS: [&str; 3] = ["clarity", "fluency", "style"];

/// Short English sentences, a third for each of [`SENTENCE_LABELS`]; other parts have other nouns and ids.
pub fn sentences(part: &str, count: usize) -> String {
    let nouns = match part {
        "train" => ["river", "garden", "engine", "letter", "window", "market", "harbour"],
        "test" => ["ocean", "forest", "boiler", "ticket", "mirror", "castle", "station"],
        _ => ["table", "bottle", "camera", "basket", "pencil", "school", "morning"],
    };
    (0..count)
        .map(|index| {
            let noun = nouns[(index + part.len()) % nouns.len()];
            let (original, revised) = match index % 3 {
                0 => (format!("The {noun} are old."), format!("The {noun} is old.")),
                1 => (format!("It is the {noun} that we see."), format!("We see the {noun}.")),
                _ => (format!("The {noun} was big."), format!("The {noun} was closed.")),
            };
            let row = BTreeMap::from([
                ("id", format!("{part}-{index}")),
                ("label", SENTENCE_LABELS[index % 3].to_owned()),
                ("original", original),
                ("revised", revised),
            ]);
            format!("{}\n", json!(row))
        })
        .collect()
}

/// Rows in words that the models of `golden/tiny_llama` know, which they can learn: the label shows in what was added.
pub struct Words<'a> {
    /// How many rows.
    pub count: usize,
    /// The number of the first row: rows of other numbers are other rows.
    pub first: usize,
    /// How many documents the rows come from in turn; without one, rows name no document.
    pub documents: Option<usize>,
    /// Which of [`WORD_LABELS`] the rows have in turn.
    pub labels: &'a [usize],
}

impl Words<'_> {
    /// The rows as lines of JSON.
    pub fn rows(&self) -> String {
        let row = |number: usize| {
            let label = self.labels[number % self.labels.len()];
            let (original, revised) = word_pair(number, label);
            let mut row = json!({
                "id": format!("row{number}"), "original": original, "revised": revised, "label": WORD_LABELS[label],
            });
            if let Some(documents) = self.documents {
                row["group"] = format!("d{}", number % documents).into();
            }
            format!("{row}\n")
        };
        (self.first..self.first + self.count).map(row).collect()
    }
}

/// A pair of these words, original and revised: what was added depends on the label.
pub fn word_pair(number: usize, label: usize) -> (String, String) {
    let original = format!("w{} w{} w{}", 10 + number % 7, 20 + number % 5, 30 + number % 11);
    let revised = format!("{original} w{} w{}", 60 + 10 * label + number % 3, 100 + 20 * label);
    (original, revised)
}

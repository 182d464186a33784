//! What a corpus holds, for people.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use serde::Serialize;

use super::Corpus;
use crate::encoding::encoder::Encoded;
use crate::pair::Pair;

/// Counts that tell whether a corpus is what one thinks it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// The file, or what the rows are called.
    pub name: String,
    /// Rows used.
    pub rows: usize,
    /// Rows left out for their label.
    pub dropped: usize,
    /// Rows of every label, the most frequent first.
    pub labels: Vec<(String, usize)>,
    /// Rows without label.
    pub unlabelled: usize,
    /// Documents; rows without one aren't counted.
    pub groups: usize,
    /// Rows without original text.
    pub additions: usize,
    /// Rows without revised text.
    pub deletions: usize,
    /// Rows whose two texts are equal.
    pub unchanged: usize,
    /// Rows that repeat an earlier row, its label included.
    pub duplicates: usize,
    /// Pairs of texts that stand under more than one label.
    pub contradictions: usize,
    /// Mean number of words of both texts together.
    pub mean_words: f64,
    /// Mean number of tokens of an example, when it has been encoded.
    pub mean_tokens: Option<f64>,
    /// Examples shortened to the limit, when they have been encoded.
    pub shortened: Option<usize>,
}

impl Summary {
    /// Counts a corpus.
    pub fn of(corpus: &Corpus) -> Summary {
        let pairs = &corpus.pairs;
        let count = |holds: &dyn Fn(&Pair) -> bool| pairs.iter().filter(|pair| holds(pair)).count();
        let mut labels = BTreeMap::new();
        let mut texts: HashMap<_, BTreeSet<Option<&str>>> = HashMap::new();
        let (mut duplicates, mut words) = (0, 0);
        for pair in pairs {
            if let Some(label) = &pair.label {
                *labels.entry(label.clone()).or_insert(0) += 1;
            }
            let of_texts = texts.entry((&pair.original, &pair.revised)).or_default();
            duplicates += usize::from(!of_texts.insert(pair.label.as_deref()));
            words += pair.original.split_whitespace().count() + pair.revised.split_whitespace().count();
        }
        let mut labels: Vec<(String, usize)> = labels.into_iter().collect();
        labels.sort_by_key(|(_, rows)| std::cmp::Reverse(*rows));
        Summary {
            name: corpus.name.to_string(),
            rows: pairs.len(),
            dropped: corpus.dropped,
            labels,
            unlabelled: count(&|pair| pair.label.is_none()),
            groups: pairs.iter().filter_map(|pair| pair.group.as_ref()).collect::<BTreeSet<_>>().len(),
            additions: count(&|pair| pair.original.trim().is_empty()),
            deletions: count(&|pair| pair.revised.trim().is_empty()),
            unchanged: count(&|pair| pair.original == pair.revised),
            duplicates,
            contradictions: texts.values().filter(|labels| labels.iter().flatten().count() > 1).count(),
            mean_words: words as f64 / pairs.len().max(1) as f64,
            mean_tokens: None,
            shortened: None,
        }
    }

    /// Adds what encoding the corpus told.
    pub fn with_tokens(self, encoded: &Encoded) -> Summary {
        let tokens: usize = encoded.examples.iter().map(|example| example.tokens.len()).sum();
        let mean_tokens = Some(tokens as f64 / encoded.examples.len().max(1) as f64);
        Summary { mean_tokens, shortened: Some(encoded.shortened), ..self }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} rows", self.name, self.rows)?;
        for (count, what) in [(self.groups, "documents"), (self.dropped, "rows dropped for their label")] {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        for (label, rows) in &self.labels {
            let share = 100.0 * *rows as f64 / self.rows as f64;
            write!(f, "\n  {label}: {rows} ({share:.1} %)")?;
        }
        for (count, what) in [
            (self.unlabelled, "rows without label"),
            (self.additions, "additions (no original text)"),
            (self.deletions, "deletions (no revised text)"),
            (self.unchanged, "rows whose texts are equal"),
            (self.duplicates, "rows that repeat an earlier one"),
            (self.contradictions, "pairs under more than one label"),
        ] {
            if count > 0 {
                write!(f, "\n  {count} {what}")?;
            }
        }
        write!(f, "\n  mean length {:.1} words", self.mean_words)?;
        if let Some(tokens) = self.mean_tokens {
            write!(f, ", {tokens:.1} tokens with the prompt")?;
        }
        if let Some(shortened @ 1..) = self.shortened {
            write!(f, "\n  {shortened} examples shortened to the token limit")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::example::Example;

    #[test]
    fn everything_is_counted() {
        let pair = |original: &str, revised: &str, label: &str| Pair {
            original: original.to_owned(),
            revised: revised.to_owned(),
            label: Some(label.to_owned()),
            group: Some("essay".to_owned()),
            ..Pair::default()
        };
        let pairs = vec![
            pair("", "two words", "claim"),
            pair("gone", "", "tone"),
            pair("same", "same", "tone"),
            pair("a", "b", "claim"),
            pair("a", "b", "tone"),
            pair("a", "b", "tone"),
            Pair { revised: "new".to_owned(), ..Pair::default() },
        ];
        let corpus = Corpus { name: "essays.csv".into(), pairs, dropped: 2 };
        let example =
            |tokens: usize| Example { tokens: vec![1; tokens], shortened: tokens > 9, ..Example::default() };
        let encoded = Encoded { examples: vec![example(10), example(5)], shortened: 1 };
        let summary = Summary::of(&corpus).with_tokens(&encoded);
        assert_eq!(
            summary.to_string(),
            "essays.csv: 7 rows, 1 documents, 2 rows dropped for their label\n  tone: 4 (57.1 %)\n  claim: 2 (28.6 %)\n  \
             1 rows without label\n  2 additions (no original text)\n  1 deletions (no revised text)\n  \
             1 rows whose texts are equal\n  1 rows that repeat an earlier one\n  1 pairs under more than one label\n  \
             mean length 1.7 words, 7.5 tokens with the prompt\n  1 examples shortened to the token limit"
        );
        assert_eq!(serde_json::to_value(&summary).unwrap()["labels"][0][0], "tone");
    }
}

//! Terms weighted by how seldom they are.

use std::collections::BTreeMap;

/// A vocabulary with the inverse document frequency of each term.
///
/// # Source
/// scikit-learn's `TfidfVectorizer(sublinear_tf=True)`: with tf a term's count in a document, `(1 + ln tf) · idf`, idf
/// being `ln((1 + n) / (1 + df)) + 1` of n documents of which df have the term; each document is then divided by its
/// length.
#[derive(Debug, Clone, PartialEq)]
pub struct Tfidf {
    /// In the order of their code points, which is that of the columns.
    pub(crate) terms: Vec<String>,
    /// Of each term.
    pub(crate) idf: Vec<f64>,
}

impl Tfidf {
    /// The terms that at least `least` documents have.
    pub fn fit(documents: &[Vec<String>], least: usize) -> Tfidf {
        let mut frequencies: BTreeMap<&str, usize> = BTreeMap::new();
        for document in documents {
            let mut terms: Vec<&str> = document.iter().map(String::as_str).collect();
            terms.sort_unstable();
            terms.dedup();
            terms.into_iter().for_each(|term| *frequencies.entry(term).or_default() += 1);
        }
        frequencies.retain(|_, count| *count >= least);
        let idf = |&count: &usize| ((1.0 + documents.len() as f64) / (1.0 + count as f64)).ln() + 1.0;
        Tfidf {
            idf: frequencies.values().map(idf).collect(),
            terms: frequencies.into_keys().map(str::to_owned).collect(),
        }
    }

    /// How many terms there are.
    #[expect(clippy::len_without_is_empty, reason = "an empty vocabulary is as good as any")]
    pub fn len(&self) -> usize {
        self.terms.len()
    }

    /// The terms, in the order of their code points, which is that of the columns.
    pub fn terms(&self) -> &[String] {
        &self.terms
    }

    /// The columns of a document that are not zero, in order, and their values.
    pub fn row(&self, document: &[String]) -> Vec<(usize, f64)> {
        let mut counts: BTreeMap<usize, f64> = BTreeMap::new();
        for term in document {
            if let Ok(column) = self.terms.binary_search(term) {
                *counts.entry(column).or_default() += 1.0;
            }
        }
        let weighted =
            counts.into_iter().map(|(column, count)| (column, (1.0 + count.ln()) * self.idf[column]));
        let mut row: Vec<(usize, f64)> = weighted.collect();
        let length = row.iter().map(|(_, value)| value * value).sum::<f64>().sqrt();
        row.iter_mut().for_each(|(_, value)| *value /= length);
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_without_a_known_term_has_no_column() {
        let documents = [vec!["a".to_owned(), "a".to_owned()], vec!["b".to_owned()]];
        assert_eq!(Tfidf::fit(&documents, 2).len(), 0);
        let tfidf = Tfidf::fit(&documents, 1);
        assert_eq!((tfidf.len(), tfidf.row(&["c".to_owned()])), (2, vec![]));
        assert_eq!(tfidf.row(&documents[0]), [(0, 1.0)]);
    }
}

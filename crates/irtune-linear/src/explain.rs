//! What a linear model goes by, in words.

use serde::Serialize;

use crate::features::Counters;
use crate::model::LinearModel;
use crate::terms::Field;

/// What speaks most for a label.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LabelWeights {
    /// The label.
    pub label: String,
    /// The words and marks that speak most for it when they are taken out, the strongest first.
    pub removed: Vec<TermWeight>,
    /// The words and marks that speak most for it when they are put in, the strongest first.
    pub added: Vec<TermWeight>,
    /// The counters and products of two that say most about it, the strongest first; a negative weight speaks against
    /// it.
    pub counters: Vec<TermWeight>,
}

/// A word or a counter, and how much it speaks for a label.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TermWeight {
    /// The word, or the counter's name.
    pub term: String,
    /// What it adds to the label's logit: a counter for each standard deviation above the mean, a word for all of a
    /// pair's weight.
    pub weight: f64,
}

impl LinearModel {
    /// What speaks most for each label, `most` of each kind.
    pub fn explain(&self, most: usize) -> Vec<LabelWeights> {
        let labels = self.labels.names().iter().enumerate();
        let of_label = |(label, name): (usize, &String)| LabelWeights {
            label: name.clone(),
            removed: self.words(Field::RemovedWords, label, most),
            added: self.words(Field::AddedWords, label, most),
            counters: self.counters(label, most),
        };
        labels.map(of_label).collect()
    }

    fn words(&self, field: Field, label: usize, most: usize) -> Vec<TermWeight> {
        let mut start = 0;
        for (other, tfidf) in &self.features.fields {
            if *other == field {
                let terms = tfidf.terms.iter().enumerate();
                let weighted = terms.map(|(index, term)| TermWeight {
                    term: term.clone(),
                    weight: self.logistic.term_weight(start + index, label),
                });
                let mut weighted: Vec<TermWeight> = weighted.filter(|term| term.weight > 0.0).collect();
                weighted.sort_by(|one, other| other.weight.total_cmp(&one.weight));
                weighted.truncate(most);
                return weighted;
            }
            start += tfidf.len();
        }
        Vec::new()
    }

    fn counters(&self, label: usize, most: usize) -> Vec<TermWeight> {
        let names = Counters::names().into_iter().enumerate();
        let mut weighted: Vec<TermWeight> = names
            .map(|(index, term)| TermWeight { term, weight: self.logistic.number_weight(index, label) })
            .collect();
        weighted.sort_by(|one, other| other.weight.abs().total_cmp(&one.weight.abs()));
        weighted.truncate(most);
        weighted
    }
}

//! In which order revisions are asked about.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use irtune_data::Pair;
use irtune_labelling::queue::{Candidate, Queue, RANDOM_FIRST, next};
use irtune_labelling::store::{Item, RevisionId};
use irtune_linear::features::Features;

use super::revision::prediction;

/// Revisions that are chosen at once.
const BATCH: usize = RANDOM_FIRST;
/// Revisions that are chosen among, at most: a page must not wait for more.
const CANDIDATES: usize = 2000;
/// Of the random order.
const SEED: u64 = 171;

/// The order in which revisions are asked about, as far as it was wanted: the same for everybody, so that annotators label
/// the same revisions. It begins anew with another model, whose doubts are others.
#[derive(Debug, Default)]
pub(super) struct Order {
    model: Arc<str>,
    /// By place in the order.
    chosen: Vec<RevisionId>,
}

impl Order {
    /// Which of those that wait for somebody comes first.
    pub fn first(
        &mut self,
        model: &Arc<str>,
        labels: &[String],
        items: &[Item],
        waiting: &[&Item],
    ) -> Option<RevisionId> {
        if self.model != *model {
            *self = Order { model: model.clone(), chosen: Vec::new() };
        }
        let waits: HashSet<RevisionId> = waiting.iter().map(|item| item.id).collect();
        if let Some(id) = self.chosen.iter().find(|id| waits.contains(id)) {
            return Some(*id);
        }
        let batch = batch(labels, items, waiting);
        self.chosen.extend(&batch);
        batch.first().copied()
    }
}

/// Which of those that wait are asked about next.
fn batch(labels: &[String], items: &[Item], waiting: &[&Item]) -> Vec<RevisionId> {
    let mut labelled = vec![0; labels.len()];
    let places: HashMap<&str, usize> = labels.iter().map(String::as_str).zip(0..).collect();
    for label in items.iter().flat_map(|item| item.opinions.settled().unwrap_or_default()) {
        if let Some(&place) = places.get(label.as_str()) {
            labelled[place] += 1;
        }
    }
    // Those that the model has answered, which its doubts are known of; where there are none, all.
    let answered: Vec<&Item> = waiting.iter().filter(|item| item.answer.is_some()).copied().collect();
    let mut among = if answered.is_empty() { waiting.to_vec() } else { answered };
    among.truncate(CANDIDATES);
    let candidates = candidates(labels, &among);
    let chosen = next(Queue::default(), &candidates, &labelled, BATCH, SEED);
    chosen.into_iter().map(|place| among[place].id).collect()
}

/// What the queue is told of revisions.
fn candidates(labels: &[String], items: &[&Item]) -> Vec<Candidate> {
    let pair = |item: &&Item| Pair {
        original: item.original.clone(),
        revised: item.revised.clone(),
        ..Pair::default()
    };
    let pairs: Vec<Pair> = items.iter().map(pair).collect();
    let (_, design) = Features::fit(&pairs);
    let features =
        design.rows().map(|(_, places, values)| places.iter().copied().zip(values.iter().copied()).collect());
    let candidate = |(item, features): (&&Item, Vec<(usize, f64)>)| {
        let prediction = prediction(item.answer.as_ref());
        let probability = |label: &String| match &prediction {
            Some(prediction) => prediction.probabilities.of(label).unwrap_or_default(),
            None => 1.0 / labels.len() as f64,
        };
        Candidate { probabilities: labels.iter().map(probability).collect(), features }
    };
    items.iter().zip(features).map(candidate).collect()
}

#[cfg(test)]
mod tests {
    use irtune_labelling::store::{Opinions, Origin, PoolId};

    use super::*;

    fn item(id: i64) -> Item {
        Item {
            id: RevisionId(id),
            original: format!("word {id}"),
            revised: format!("words {id}"),
            origin: Origin::Pool(PoolId(1)),
            group: None,
            name: None,
            section: None,
            answer: None,
            opinions: Opinions { said: Vec::new(), decided: None },
        }
    }

    #[test]
    fn an_order_is_kept_goes_on_and_begins_anew_with_another_model() {
        let items: Vec<Item> = (0..120).map(item).collect();
        let labels = ["clarity", "fluency"].map(str::to_owned);
        let mut order = Order::default();
        let mut waiting: Vec<&Item> = items.iter().collect();
        let mut asked = Vec::new();
        while let Some(first) = order.first(&"one".into(), &labels, &items, &waiting) {
            assert_eq!(order.first(&"one".into(), &labels, &items, &waiting), Some(first));
            waiting.retain(|item| item.id != first);
            asked.push(first);
        }
        assert_eq!(asked, order.chosen);
        let mut sorted = asked.clone();
        sorted.sort_by_key(|id| id.0);
        assert_eq!(sorted, items.iter().map(|item| item.id).collect::<Vec<_>>());
        assert_ne!(sorted, asked);
        // Who comes later is asked about the same, in the same order.
        let all: Vec<&Item> = items.iter().collect();
        assert_eq!(order.first(&"one".into(), &labels, &items, &all), Some(asked[0]));
        let few: Vec<&Item> = items[..2].iter().collect();
        assert!(order.first(&"two".into(), &labels, &items, &few).is_some());
        assert_eq!(order.chosen.len(), 2);
    }
}

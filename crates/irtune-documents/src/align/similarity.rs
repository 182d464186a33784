//! How alike sentences are.

use super::unit::Unit;
use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use unicode_segmentation::UnicodeSegmentation;

/// The words of a sentence or several, by number, each with how often it occurs; in rising order.
type Bag = Vec<(u32, u32)>;

/// The words of two drafts and what each weighs: the rarer, the more.
#[derive(Debug)]
pub(super) struct Words {
    old: Vec<Bag>,
    new: Vec<Bag>,
    /// What the sentences up to each one weigh together.
    old_masses: Vec<f64>,
    new_masses: Vec<f64>,
    weights: Vec<f64>,
    /// How many sentences have each word.
    sentences: Vec<usize>,
}

impl Words {
    pub fn of(old: &[Unit<'_>], new: &[Unit<'_>]) -> Self {
        let mut numbers: HashMap<String, u32> = HashMap::new();
        let mut sentences: Vec<usize> = Vec::new();
        let mut bag = |unit: &Unit<'_>| {
            let mut bag: HashMap<u32, u32> = HashMap::new();
            for word in unit.text.unicode_words() {
                let next = numbers.len() as u32;
                *bag.entry(*numbers.entry(word.to_lowercase()).or_insert(next)).or_default() += 1;
            }
            sentences.resize(numbers.len(), 0);
            let mut bag: Bag = bag.into_iter().collect();
            bag.sort_unstable();
            bag.iter().for_each(|&(word, _)| sentences[word as usize] += 1);
            bag
        };
        let old: Vec<Bag> = old.iter().map(&mut bag).collect();
        let new: Vec<Bag> = new.iter().map(&mut bag).collect();
        let all = (old.len() + new.len()) as f64;
        let weights: Vec<f64> =
            sentences.iter().map(|&count| 1.0 + 0.5 * (all / count.max(1) as f64).ln()).collect();
        let masses = |bags: &[Bag]| {
            let mass = |bag: &Bag| -> f64 {
                bag.iter().map(|&(word, count)| weights[word as usize] * f64::from(count)).sum()
            };
            let sum = |so_far: &mut f64, bag: &Bag| {
                *so_far += mass(bag);
                Some(*so_far)
            };
            std::iter::once(0.0).chain(bags.iter().scan(0.0, sum)).collect()
        };
        let (old_masses, new_masses) = (masses(&old), masses(&new));
        Words { old, new, old_masses, new_masses, weights, sentences }
    }

    /// What sentences of the old draft weigh.
    pub fn old_mass(&self, range: Range<usize>) -> f64 {
        self.old_masses[range.end] - self.old_masses[range.start]
    }

    /// What sentences of the new draft weigh.
    pub fn new_mass(&self, range: Range<usize>) -> f64 {
        self.new_masses[range.end] - self.new_masses[range.start]
    }

    /// The share of words that both have, by weight: 0 to 1 (Dice's coefficient).
    pub fn similarity(&self, old: Range<usize>, new: Range<usize>) -> f64 {
        let all = self.old_mass(old.clone()) + self.new_mass(new.clone());
        if all == 0.0 {
            return 0.0;
        }
        let (old, new) = (joined(&self.old[old]), joined(&self.new[new]));
        let (mut common, mut at) = (0.0, 0);
        for &(word, count) in old.iter() {
            while at < new.len() && new[at].0 < word {
                at += 1;
            }
            if let Some(&(other, others)) = new.get(at)
                && other == word
            {
                common += self.weights[word as usize] * f64::from(count.min(others));
            }
        }
        2.0 * common / all
    }

    /// Sentences of the new draft out of `among` that share a word with one of the old draft which few sentences have.
    pub fn candidates(&self, old: usize, among: &HashMap<u32, Vec<usize>>) -> Vec<usize> {
        let words = self.old[old].iter().filter_map(|(word, _)| among.get(word));
        let mut candidates: Vec<usize> = words.flatten().copied().collect();
        candidates.sort_unstable();
        candidates.dedup();
        candidates
    }

    /// Sentences of the new draft by the words in them that at most `most` sentences have.
    pub fn by_word(&self, new: impl Iterator<Item = usize>, most: usize) -> HashMap<u32, Vec<usize>> {
        let mut by_word: HashMap<u32, Vec<usize>> = HashMap::new();
        for sentence in new {
            for &(word, _) in
                self.new[sentence].iter().filter(|(word, _)| self.sentences[*word as usize] <= most)
            {
                by_word.entry(word).or_default().push(sentence);
            }
        }
        by_word
    }

    /// How many words a sentence of the old draft has.
    pub fn old_count(&self, old: usize) -> u32 {
        self.old[old].iter().map(|(_, count)| count).sum()
    }
}

/// The words of several sentences together.
fn joined(bags: &[Bag]) -> Cow<'_, [(u32, u32)]> {
    if let [bag] = bags {
        return Cow::Borrowed(bag);
    }
    let mut all: Bag = bags.concat();
    all.sort_unstable();
    let mut joined: Bag = Vec::with_capacity(all.len());
    for (word, count) in all {
        match joined.last_mut() {
            Some(last) if last.0 == word => last.1 += count,
            _ => joined.push((word, count)),
        }
    }
    Cow::Owned(joined)
}

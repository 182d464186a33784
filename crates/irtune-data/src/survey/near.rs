//! Finds, for each pair, the one most like it among many others, without comparing all with all.

use std::collections::HashMap;

use crate::pair::Pair;

/// Words of a gram.
const GRAM: usize = 3;

/// Pairs whose grams are the words of both texts three by three, searched for the most similar one.
///
/// Similarity is the Jaccard index of two pairs' sets of grams: what both have, over what any has. A set whose
/// similarity to another is at least t shares with it one of its 1 + ⌊(1 − t) · size⌋ rarest grams. So only pairs that
/// share such a gram are compared, which finds all of them.
///
/// # Source
/// Prefix filtering: Chaudhuri, Ganti & Kaushik 2006; Bayardo, Ma & Srikant 2007.
pub(super) struct NearIndex {
    threshold: f64,
    /// The distinct sets of grams, each with the first pair that has it; grams ascend, rare ones first.
    sets: Vec<(Vec<u32>, usize)>,
    /// Sets by the grams of their prefixes.
    holders: HashMap<u32, Vec<usize>>,
}

/// The grams of pairs as numbers that ascend with their frequency.
struct Grams {
    sets: Vec<Vec<u32>>,
}

impl Grams {
    fn of<'a>(pairs: impl Iterator<Item = &'a Pair>) -> Grams {
        let mut words: HashMap<String, u32> = HashMap::new();
        let mut grams: HashMap<[u32; GRAM], u32> = HashMap::new();
        let mut frequency: Vec<u32> = Vec::new();
        let mut sets: Vec<Vec<u32>> = Vec::new();
        for pair in pairs {
            let mut spoken: Vec<u32> = Vec::new();
            for text in [&pair.original, &pair.revised] {
                let lower = text.to_lowercase();
                let is_part = |character: char| character.is_alphanumeric() || character == '_';
                for word in lower.split(|character| !is_part(character)).filter(|word| !word.is_empty()) {
                    let next = words.len() as u32 + 1;
                    let known = words.get(word).copied();
                    spoken.push(known.unwrap_or_else(|| *words.entry(word.to_owned()).or_insert(next)));
                }
            }
            // Words are numbered from 1, so 0 fills up a text of fewer words than a gram.
            if !spoken.is_empty() {
                spoken.resize(spoken.len().max(GRAM), 0);
            }
            let mut set: Vec<u32> = spoken
                .windows(GRAM)
                .map(|window| {
                    let next = grams.len() as u32;
                    *grams.entry([window[0], window[1], window[2]]).or_insert(next)
                })
                .collect();
            set.sort_unstable();
            set.dedup();
            frequency.resize(grams.len(), 0);
            for &gram in &set {
                frequency[gram as usize] += 1;
            }
            sets.push(set);
        }
        let mut by_frequency: Vec<u32> = (0..grams.len() as u32).collect();
        by_frequency.sort_by_key(|&gram| frequency[gram as usize]);
        let mut rank = vec![0; grams.len()];
        for (place, &gram) in by_frequency.iter().enumerate() {
            rank[gram as usize] = place as u32;
        }
        for set in &mut sets {
            set.iter_mut().for_each(|gram| *gram = rank[*gram as usize]);
            set.sort_unstable();
        }
        Grams { sets }
    }
}

/// For each of some pairs, the most similar one among others, the first of several, with its similarity; `None` where
/// none reaches the threshold. Pairs without words resemble nothing.
pub(super) fn nearest(of: &[Pair], among: &[Pair], threshold: f64) -> Vec<Option<(usize, f64)>> {
    let mut sets = Grams::of(among.iter().chain(of)).sets;
    let asked = sets.split_off(among.len());
    let index = NearIndex::new(sets, threshold);
    asked.iter().map(|set| index.nearest(set)).collect()
}

impl NearIndex {
    fn new(all: Vec<Vec<u32>>, threshold: f64) -> NearIndex {
        let mut known: HashMap<&[u32], usize> = HashMap::new();
        let mut firsts = Vec::new();
        for (pair, set) in all.iter().enumerate().filter(|(_, set)| !set.is_empty()) {
            known.entry(set).or_insert_with(|| {
                firsts.push(pair);
                pair
            });
        }
        let mut all: Vec<Option<Vec<u32>>> = all.into_iter().map(Some).collect();
        let sets: Vec<(Vec<u32>, usize)> =
            firsts.into_iter().filter_map(|pair| Some((all[pair].take()?, pair))).collect();
        let mut holders: HashMap<u32, Vec<usize>> = HashMap::new();
        for (place, (set, _)) in sets.iter().enumerate() {
            for &gram in prefix(set, threshold) {
                holders.entry(gram).or_default().push(place);
            }
        }
        NearIndex { threshold, sets, holders }
    }

    fn nearest(&self, set: &[u32]) -> Option<(usize, f64)> {
        let mut candidates: Vec<usize> = prefix(set, self.threshold)
            .iter()
            .filter_map(|gram| self.holders.get(gram))
            .flatten()
            .copied()
            .collect();
        candidates.sort_unstable();
        candidates.dedup();
        let mut best: Option<(usize, f64)> = None;
        for candidate in candidates {
            let (other, pair) = &self.sets[candidate];
            let (less, more) = (set.len().min(other.len()), set.len().max(other.len()));
            let least = best.map_or(self.threshold, |(_, similarity)| similarity);
            if (less as f64) < least * more as f64 {
                continue;
            }
            let similarity = jaccard(set, other);
            if similarity >= self.threshold && best.is_none_or(|(_, best)| similarity > best) {
                best = Some((*pair, similarity));
            }
        }
        best
    }
}

/// The rarest grams of a set, one of which every set of at least that similarity shares.
fn prefix(set: &[u32], threshold: f64) -> &[u32] {
    // A little less than the threshold, so that rounding leaves nothing out.
    let needed = ((threshold - 1e-9) * set.len() as f64).ceil() as usize;
    &set[..(set.len() + 1).saturating_sub(needed.max(1)).min(set.len())]
}

/// What two ascending sets share over what any of them has.
fn jaccard(left: &[u32], right: &[u32]) -> f64 {
    let (mut at_left, mut at_right, mut shared) = (0, 0, 0);
    while at_left < left.len() && at_right < right.len() {
        let (one, other) = (left[at_left], right[at_right]);
        shared += usize::from(one == other);
        at_left += usize::from(one <= other);
        at_right += usize::from(other <= one);
    }
    shared as f64 / (left.len() + right.len() - shared) as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pairs(texts: &[String]) -> Vec<Pair> {
        texts.iter().map(|text| Pair { revised: text.clone(), ..Pair::default() }).collect()
    }

    fn slow(of: &[Pair], among: &[Pair], threshold: f64) -> Vec<Option<(usize, f64)>> {
        let mut sets = Grams::of(among.iter().chain(of)).sets;
        let asked = sets.split_off(among.len());
        let best = |set: &Vec<u32>| {
            let mut best: Option<(usize, f64)> = None;
            for (place, other) in sets.iter().enumerate() {
                if set.is_empty() || other.is_empty() {
                    continue;
                }
                let similarity = jaccard(set, other);
                if similarity >= threshold && best.is_none_or(|(_, most)| similarity > most) {
                    best = Some((place, similarity));
                }
            }
            best
        };
        asked.iter().map(best).collect()
    }

    proptest! {
        #[test]
        fn it_finds_what_comparing_all_with_all_finds(
            of in prop::collection::vec("[ab]( [abc]){0,9}", 1..20),
            among in prop::collection::vec("[ab]( [abc]){0,9}", 1..20),
            threshold in prop::sample::select(vec![0.5, 0.8, 1.0, 2.0 / 3.0]),
        ) {
            let (of, among) = (pairs(&of), pairs(&among));
            prop_assert_eq!(nearest(&of, &among, threshold), slow(&of, &among, threshold));
        }
    }

    #[test]
    fn words_are_compared_without_case_and_punctuation() {
        let among = pairs(&["The end.".to_owned(), "Some other text, of six words.".to_owned()]);
        let of = pairs(&["the END".to_owned(), "some other text of six words".to_owned(), "…".to_owned()]);
        assert_eq!(nearest(&of, &among, 0.8), [Some((0, 1.0)), Some((1, 1.0)), None]);
    }
}

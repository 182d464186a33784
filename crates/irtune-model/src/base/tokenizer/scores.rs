//! Merges of a vocabulary that holds only scores.

use std::{cmp::Reverse, collections::HashMap};

use super::{
    TokenizerError,
    vocabulary::{Kind, Vocabulary},
};

/// The merges that make the same tokens as joining, again and again, the two neighbours whose joined token has the highest
/// score: every way to cut a plain token into two, ordered by the token's score.
///
/// Where scores are equal, a longer left part comes first. So runs of blanks, which often share a score, grow from
/// the left as they do when of equal scores the leftmost pair is joined.
///
/// # Source
/// The rule: sentencepiece `bpe_model.cc`. The order: transformers `generate_merges`.
pub(super) fn merges_of_scores(vocabulary: &Vocabulary<'_>) -> Result<Vec<(String, String)>, TokenizerError> {
    let scores = vocabulary.scores()?;
    let plain: HashMap<&str, u32> = (0..)
        .zip(vocabulary.tokens.iter().zip(&vocabulary.kinds))
        .filter(|(_, (_, kind))| **kind == Kind::Plain)
        .map(|(id, (token, _))| (token.as_ref(), id))
        .collect();
    let mut merges = Vec::new();
    for (&token, &id) in &plain {
        for (at, _) in token.char_indices().skip(1) {
            let (left, right) = token.split_at(at);
            if let (Some(&left_id), Some(&right_id)) = (plain.get(left), plain.get(right)) {
                let lengths = (Reverse(left.chars().count()), Reverse(right.chars().count()));
                merges.push((scores[id as usize], lengths, [id, left_id, right_id], (left, right)));
            }
        }
    }
    merges.sort_unstable_by(|one, other| {
        other.0.total_cmp(&one.0).then_with(|| (one.1, one.2).cmp(&(other.1, other.2)))
    });
    Ok(merges.into_iter().map(|(.., (left, right))| (left.to_owned(), right.to_owned())).collect())
}

//! What is made of the likelihoods of the labels' words.

use strum::{Display, EnumString};

/// What is made of the likelihoods of the labels' words before they are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Display, EnumString)]
#[strum(serialize_all = "snake_case", parse_err_ty = UnknownNormalise, parse_err_fn = unknown)]
pub enum Normalise {
    /// Nothing: the sum of the log-probabilities of the words' tokens.
    #[default]
    None,
    /// Their mean, so that words of several tokens are not at a disadvantage.
    Tokens,
    /// Their sum minus the one after a neutral pair (both texts "N/A"), so that words the model likes anyway are not at an
    /// advantage.
    Prior,
}

impl Normalise {
    /// Changes the scores of one pair.
    ///
    /// # Shapes
    /// All `[labels]`; `counts` are the words' tokens, `prior` the scores of the neutral pair.
    pub fn apply(self, scores: &mut [f32], counts: &[usize], prior: &[f32]) {
        for ((score, &count), &prior) in scores.iter_mut().zip(counts).zip(prior) {
            match self {
                Normalise::None => {}
                Normalise::Tokens => *score /= count as f32,
                Normalise::Prior => *score -= prior,
            }
        }
    }
}

/// Not a way to normalise.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("scores can't be normalised by `{name}`; use none, tokens or prior")]
pub struct UnknownNormalise {
    /// What was given.
    pub name: String,
}

fn unknown(name: &str) -> UnknownNormalise {
    UnknownNormalise { name: name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_others_refused() {
        for way in [Normalise::None, Normalise::Tokens, Normalise::Prior] {
            assert_eq!(way.to_string().parse(), Ok(way));
        }
        assert!("length".parse::<Normalise>().unwrap_err().to_string().contains("none, tokens or prior"));
    }

    #[test]
    fn each_way_changes_scores_as_it_says() {
        let scores = |way: Normalise| {
            let mut scores = [-6.0, -3.0];
            way.apply(&mut scores, &[3, 1], &[-5.0, -1.0]);
            scores
        };
        assert_eq!(scores(Normalise::None), [-6.0, -3.0]);
        assert_eq!(scores(Normalise::Tokens), [-2.0, -3.0]);
        assert_eq!(scores(Normalise::Prior), [-1.0, -2.0]);
    }
}

//! What a run teaches the model.

use super::names::names;

names! {
    /// What a run teaches the model.
    pub enum Objective {
        /// A new classification head over the last token's state.
        #[default]
        Head,
        /// The base's own language-model head says the label's words: the loss is the mean cross-entropy of their tokens, and
        /// a pair's label is the one whose words are the most likely.
        Words,
    }

    /// Not an objective.
    #[error("there is no objective `{name}`; use head or words")]
    pub struct UnknownObjective;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_others_refused() {
        for objective in [Objective::Head, Objective::Words] {
            assert_eq!(objective.to_string().parse(), Ok(objective));
        }
        let error = "tokens".parse::<Objective>().unwrap_err();
        assert_eq!(error.to_string(), "there is no objective `tokens`; use head or words");
    }
}

//! What of a layer trains.

use super::names::names;

names! {
    /// What of a layer trains.
    pub enum Tune {
        /// Adapters beside its frozen matrices.
        #[default]
        Adapters,
        /// Its own weights: all seven matrices and both norms' gains. Embeddings and the final norm stay as they are.
        Weights,
    }

    /// Nothing that can train.
    #[error("`{name}` is nothing of a layer that can train; use adapters or weights")]
    pub struct UnknownTune;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_others_refused() {
        for tune in [Tune::Adapters, Tune::Weights] {
            assert_eq!(tune.to_string().parse(), Ok(tune));
        }
        let error = "biases".parse::<Tune>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`biases` is nothing of a layer that can train; use adapters or weights"
        );
    }
}

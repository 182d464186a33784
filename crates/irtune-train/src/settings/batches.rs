//! What a batch is made of.

use super::names::names;

names! {
    /// Which examples share a batch.
    pub enum Batches {
        /// All examples in random order.
        #[default]
        Shuffled,
        /// Revisions of the same text follow each other, texts are in random order: a batch computes a text once.
        Related,
    }

    /// Not a way to make batches.
    #[error("there are no `{name}` batches; use shuffled or related")]
    pub struct UnknownBatches;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_others_refused() {
        for batches in [Batches::Shuffled, Batches::Related] {
            assert_eq!(batches.to_string().parse(), Ok(batches));
        }
        let error = "sorted".parse::<Batches>().unwrap_err();
        assert_eq!(error.to_string(), "there are no `sorted` batches; use shuffled or related");
    }
}

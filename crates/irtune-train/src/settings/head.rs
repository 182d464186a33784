//! What the classification head reads.

use super::names::names;

names! {
    /// What the classification head reads of a pair.
    pub enum HeadKind {
        /// The last token's state, as transformers' `ForSequenceClassification`.
        #[default]
        Pooled,
        /// That state, the means of the states of deleted and of inserted tokens, and counters of the change.
        Edit,
    }

    /// Not a head.
    #[error("there is no head `{name}`; use pooled or edit")]
    pub struct UnknownHead;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_others_refused() {
        for head in [HeadKind::Pooled, HeadKind::Edit] {
            assert_eq!(head.to_string().parse(), Ok(head));
        }
        let error = "mean".parse::<HeadKind>().unwrap_err();
        assert_eq!(error.to_string(), "there is no head `mean`; use pooled or edit");
    }
}

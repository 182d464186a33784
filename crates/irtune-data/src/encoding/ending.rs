//! How an example ends for a head over the last token's state.

use serde::{Deserialize, Serialize};

/// How an example ends for a head over the last token's state: where transformers' classifiers read the same text.
///
/// # Source
/// transformers `modeling_layers.py`, `GenericForSequenceClassification`: the row that is classified is that of the
/// right-most token that isn't the padding token, or the first row where all are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ending {
    /// Tokens that the base's tokenizer puts behind every text.
    pub appended: Vec<u32>,
    /// The padding token: at the end of an example it is left out, since no row behind the last other token is read.
    pub padding: Option<u32>,
}

impl Ending {
    /// Whether every example ends as its text does.
    pub fn is_plain(&self) -> bool {
        *self == Ending::default()
    }

    /// Ends an example; the number of padding tokens that were left out.
    pub(super) fn end(&self, tokens: &mut Vec<u32>) -> usize {
        tokens.extend(&self.appended);
        let whole = tokens.len();
        while tokens.len() > 1 && tokens.last().copied() == self.padding {
            tokens.pop();
        }
        whole - tokens.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(tokens: &[u32], appended: &[u32], padding: Option<u32>) -> (Vec<u32>, usize) {
        let mut tokens = tokens.to_vec();
        let left_out = Ending { appended: appended.to_vec(), padding }.end(&mut tokens);
        (tokens, left_out)
    }

    #[test]
    fn padding_at_the_end_is_left_out_and_nowhere_else() {
        assert_eq!(ended(&[2, 5, 2, 6], &[], Some(2)), (vec![2, 5, 2, 6], 0));
        assert_eq!(ended(&[2, 5, 2, 2], &[], Some(2)), (vec![2, 5], 2));
        assert_eq!(ended(&[2, 2], &[], Some(2)), (vec![2], 1));
        assert_eq!(ended(&[5, 2], &[], None), (vec![5, 2], 0));
        assert_eq!(ended(&[], &[], Some(2)), (vec![], 0));
    }

    #[test]
    fn what_a_tokenizer_appends_is_read_unless_it_is_padding() {
        assert_eq!(ended(&[5], &[3], Some(2)), (vec![5, 3], 0));
        assert_eq!(ended(&[5], &[2], Some(2)), (vec![5], 1));
        assert_eq!(ended(&[5, 2], &[3], Some(2)), (vec![5, 2, 3], 0));
    }
}

//! Byte-level BPE: text is cut into pieces, each byte becomes a letter, and letters are merged.

use tokenizers::{
    NormalizerWrapper, PreTokenizerWrapper, models::bpe::BPE, normalizers::unicode::NFC,
    pre_tokenizers::byte_level::ByteLevel,
};

use super::{
    TokenizerError,
    built::{Begins, Built, does_not_fit},
    cuts::Cut,
    vocabulary::Vocabulary,
};

/// Builds it from tokens and merges.
pub(super) fn build(vocabulary: &Vocabulary<'_>, cut: &Cut) -> Result<Built, TokenizerError> {
    let does_not_fit = does_not_fit(vocabulary.path());
    let model = BPE::builder()
        .vocab_and_merges(vocabulary.ids(), vocabulary.merges()?)
        .ignore_merges(cut.whole_pieces)
        .build()
        .map_err(does_not_fit)?;
    let mut inner = tokenizers::Tokenizer::new(model);
    inner.with_normalizer(cut.composes.then_some(NormalizerWrapper::NFC(NFC)));
    let steps: PreTokenizerWrapper = cut.steps().map_err(does_not_fit)?;
    inner.with_pre_tokenizer(Some(steps));
    inner.with_decoder(Some(ByteLevel::default()));
    vocabulary.add_to(&mut inner, None, |_| false);
    let begins = if cut.begins { Begins::Usually } else { Begins::Rarely };
    Ok(Built { inner, begins, begin_token: None, end_token: None })
}

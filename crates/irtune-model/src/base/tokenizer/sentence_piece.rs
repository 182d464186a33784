//! SentencePiece's BPE: blanks are written as `▁`, the whole text is merged, and what has no token becomes bytes.
//!
//! A GGUF holds such a vocabulary in one of two ways: with a score for each token and no merges (`llama`: Llama 2, Mistral,
//! Phi-3, Gemma up to 3), or with merges (`gemma4`).

use tokenizers::{
    DecoderWrapper, NormalizerWrapper, PreTokenizerWrapper, SplitDelimiterBehavior,
    decoders::{
        byte_fallback::ByteFallback, fuse::Fuse, sequence::Sequence as DecoderSequence, strip::Strip,
    },
    models::bpe::BPE,
    normalizers::{Prepend, Replace, Sequence},
    pre_tokenizers::split::{Split, SplitPattern},
};

use super::{
    TokenizerError,
    built::{Begins, Built, does_not_fit},
    scores::merges_of_scores,
    vocabulary::Vocabulary,
};

/// What a blank is written as.
const BLANK: &str = "▁";

/// Builds it from tokens and their scores.
///
/// Text that follows the beginning or a token found whole gets a blank in front, unless the file says otherwise.
///
/// # Source
/// llama.cpp `llama-vocab.cpp`, `LLAMA_VOCAB_TYPE_SPM`.
pub(super) fn of_scores(vocabulary: &Vocabulary<'_>) -> Result<Built, TokenizerError> {
    let merges = merges_of_scores(vocabulary)?;
    let mut built = build(vocabulary, merges, true)?;
    built.begins = Begins::Usually;
    Ok(built)
}

/// Builds it from tokens and merges. Lines are merged one by one. A file that says that texts don't begin with a token is
/// mistaken.
///
/// # Source
/// llama.cpp `llama-vocab.cpp`, `LLAMA_VOCAB_PRE_TYPE_GEMMA4`.
pub(super) fn of_merges(vocabulary: &Vocabulary<'_>) -> Result<Built, TokenizerError> {
    let mut built = build(vocabulary, vocabulary.merges()?, false)?;
    let lines = SplitPattern::Regex(r"[^\n]+|\n+".to_owned());
    let lines = Split::new(lines, SplitDelimiterBehavior::Isolated, false);
    let lines = lines.map_err(does_not_fit(vocabulary.path()))?;
    built.inner.with_pre_tokenizer(Some(PreTokenizerWrapper::Split(lines)));
    Ok(built)
}

fn build(
    vocabulary: &Vocabulary<'_>,
    merges: Vec<(String, String)>,
    usually_prefixed: bool,
) -> Result<Built, TokenizerError> {
    let does_not_fit = does_not_fit(vocabulary.path());
    let unknown = vocabulary.special("tokenizer.ggml.unknown_token_id", Some(0));
    let mut model =
        BPE::builder().vocab_and_merges(vocabulary.ids(), merges).byte_fallback(true).fuse_unk(true);
    if let Some(unknown) = unknown {
        model = model.unk_token(vocabulary.tokens[unknown as usize].clone().into_owned());
    }
    let mut inner = tokenizers::Tokenizer::new(model.build().map_err(does_not_fit)?);

    let prefixed = vocabulary.flag("tokenizer.ggml.add_space_prefix").unwrap_or(usually_prefixed);
    let mut normalizers: Vec<NormalizerWrapper> = Vec::new();
    let mut decoders: Vec<DecoderWrapper> = Vec::new();
    decoders.push(Replace::new(BLANK, " ").map_err(does_not_fit)?.into());
    decoders.push(ByteFallback::new().into());
    decoders.push(Fuse::new().into());
    if prefixed {
        normalizers.push(Prepend::new(BLANK.to_owned()).into());
        decoders.push(Strip::new(' ', 1, 0).into());
    }
    normalizers.push(Replace::new(" ", BLANK).map_err(does_not_fit)?.into());
    inner.with_normalizer(Some(Sequence::new(normalizers)));
    inner.with_decoder(Some(DecoderSequence::new(decoders)));

    let phi3 = vocabulary.is_of_phi3();
    vocabulary
        .add_to(&mut inner, unknown, |token| phi3 && !["<unk>", "<s>", "<|endoftext|>"].contains(&token));
    Ok(Built { inner, begins: Begins::Always, begin_token: Some(1), end_token: Some(2) })
}

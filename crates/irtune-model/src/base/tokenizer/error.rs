//! Why a tokenizer can't be used.

use std::path::PathBuf;

/// Why a tokenizer can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TokenizerError {
    /// The file can't be read.
    #[error("cannot read {}: {source}; a model folder holds a tokenizer.json", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Not a tokenizer.
    #[error("{} is no tokenizer: {source}; download it again", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Where it went wrong.
        source: tokenizers::Error,
    },
    /// A part of the GGUF's vocabulary isn't there, or is something else.
    #[error("{}: `{key}` is missing or not {expected}; take a GGUF that holds its tokenizer", path.display())]
    Vocabulary {
        /// The file.
        path: PathBuf,
        /// The key.
        key: &'static str,
        /// What it should hold.
        expected: &'static str,
    },
    /// Another kind of tokenizer.
    #[error(
        "{}: `{key}` is `{found}`, which is not supported ({supported} are); use the model's folder with \
         tokenizer.json instead of the GGUF",
        path.display()
    )]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// The key.
        key: &'static str,
        /// What it holds.
        found: String,
        /// What would work.
        supported: String,
    },
    /// A token that occurs twice.
    #[error("{}: the tokens {first} and {second} are both `{token}`; convert the model again", path.display())]
    DuplicateToken {
        /// The file.
        path: PathBuf,
        /// The token's text.
        token: String,
        /// Its first id.
        first: usize,
        /// Its second id.
        second: usize,
    },
    /// Not as many kinds of tokens as tokens.
    #[error("{}: there are {tokens} tokens, but {kinds} token types; convert the model again", path.display())]
    TokenTypes {
        /// The file.
        path: PathBuf,
        /// Number of tokens.
        tokens: usize,
        /// Number of kinds.
        kinds: usize,
    },
    /// A merge that isn't two tokens.
    #[error("{}: merge {index}, `{merge}`, is not two parts with a space between; convert the model again", path.display())]
    Merge {
        /// The file.
        path: PathBuf,
        /// Its place in the list.
        index: usize,
        /// What stands there.
        merge: String,
    },
    /// Merges and tokens don't fit.
    #[error("{}: the vocabulary and the merges don't fit: {source}; convert the model again", path.display())]
    Build {
        /// The file.
        path: PathBuf,
        /// What doesn't fit.
        source: tokenizers::Error,
    },
    /// A text without ids.
    #[error(
        "cannot tokenize a text of {characters} characters: {source}; is {} the base's own tokenizer, and whole?",
        path.display()
    )]
    Encode {
        /// The tokenizer's file.
        path: PathBuf,
        /// The text's length.
        characters: usize,
        /// What the tokenizer says.
        source: tokenizers::Error,
    },
    /// A token that the base can't read.
    #[error(
        "the text has the token `{token}` ({id}), but the base's embedding has {rows} rows and none for it; take it out of \
         the text"
    )]
    BeyondEmbedding {
        /// Its text.
        token: String,
        /// Its id.
        id: u32,
        /// Rows of the embedding.
        rows: usize,
    },
}

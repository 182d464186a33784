//! Why a configuration can't be used.

use std::path::PathBuf;

use crate::families::Family;

/// A hint at the family that is most like an unknown one.
fn nearest(found: &str) -> String {
    Family::nearest(found).map_or_else(String::new, |known| format!(" (the nearest that is: `{known}`)"))
}

/// Why a configuration can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("cannot read {}: {source}; a model folder holds a config.json", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is not JSON, or not an object.
    #[error("{} is not a JSON object: {source}; download it again", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Where it went wrong.
        source: serde_json::Error,
    },
    /// A field that the model can't do without.
    #[error("{}: `{field}` is missing; is this a decoder's configuration?", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// The field's name.
        field: String,
    },
    /// A field that holds something else than it should.
    #[error("{}: `{field}` is {found}, but must be {expected}", path.display())]
    Field {
        /// The file.
        path: PathBuf,
        /// The field's name.
        field: String,
        /// What it holds.
        found: String,
        /// What it should hold.
        expected: &'static str,
    },
    /// Another architecture.
    #[error(
        "{}: `{field}` is `{found}`, which is not supported{}; bases of these families are: {}",
        path.display(), nearest(found), Family::list()
    )]
    Family {
        /// The file.
        path: PathBuf,
        /// The field that says so.
        field: &'static str,
        /// What it says.
        found: String,
    },
    /// A variant of the layer that isn't built.
    #[error("{}: `{field}` is {value}, which is not supported; choose a base with {supported}", path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// The field's name.
        field: String,
        /// What it holds.
        value: String,
        /// What would work.
        supported: String,
    },
    /// A text that the base has no positions for.
    #[error(
        "a text has {tokens} tokens, but the base reads no more than {most}: give a max_length of at most {most}"
    )]
    TooLong {
        /// How many it has.
        tokens: usize,
        /// How many it may have.
        most: usize,
    },
    /// Query heads must share key heads evenly.
    #[error("{}: {heads} heads cannot share {key_value_heads} key and value heads evenly", path.display())]
    HeadsNotDivisible {
        /// The file.
        path: PathBuf,
        /// Query heads.
        heads: usize,
        /// Key and value heads.
        key_value_heads: usize,
    },
    /// Rotary positions turn pairs of values.
    #[error("{}: a head of {head_size} values cannot be turned in pairs; head_dim must be even", path.display())]
    OddHeadSize {
        /// The file.
        path: PathBuf,
        /// Width of a head.
        head_size: usize,
    },
    /// A special token outside the vocabulary.
    #[error("{}: the {field} token {token} is outside the vocabulary of {vocabulary_size}", path.display())]
    TokenOutOfRange {
        /// The file.
        path: PathBuf,
        /// Which token.
        field: &'static str,
        /// Its id.
        token: u32,
        /// Rows of the embedding.
        vocabulary_size: usize,
    },
    /// Rotary factors that don't fit the head.
    #[error("{}: the rotary frequencies have {found} factors, but a head has {expected} pairs", path.display())]
    RopeFactors {
        /// The file.
        path: PathBuf,
        /// Factors in the file.
        found: usize,
        /// Pairs of a head.
        expected: usize,
    },
}

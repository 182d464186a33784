//! Why a conversation can't be written in a base's way.

/// Why a conversation can't be written in a base's way.
#[derive(Debug, thiserror::Error)]
pub enum ChatError {
    /// The base never learnt to chat, or its files don't say how.
    #[error(
        "the base has no chat template (chat_template.jinja, tokenizer_config.json, or a GGUF's tokenizer.chat_template)"
    )]
    NoTemplate,
    /// The template says that it takes no such conversation.
    #[error("the base's chat template says: {says}")]
    Refused {
        /// Its own words.
        says: String,
    },
    /// The template does something that isn't known.
    #[error("the base's chat template fails in line {line}: {source}")]
    Template {
        /// The line.
        line: usize,
        /// What is wrong.
        source: Box<minijinja::Error>,
    },
}

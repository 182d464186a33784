//! The verbalizer: what each label is called where a language model itself names it.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::encode::Encode;
use super::prompt::Prompt;
use crate::error::{DataError, Quoted};
use crate::label_set::LabelSet;
use crate::number::same_name;
use crate::reader::input::BYTE_ORDER_MARK;

/// Different words for every label, in the order of the label set; stored as a plain list. Settings call it
/// `label_words`, a run folder `words.json`.
///
/// # Source
/// The word for it is that of Schick and Schütze, "Exploiting Cloze Questions for Few Shot Text Classification", 2021.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Verbalizer {
    words: LabelSet,
}

impl Verbalizer {
    /// The labels' own names, `-` and `_` as blanks.
    ///
    /// # Errors
    /// When two labels then have the same words.
    pub fn of_names(labels: &LabelSet) -> Result<Verbalizer, DataError> {
        Verbalizer::new(labels, &BTreeMap::new())
    }

    /// From a JSON file, `{"label": "words", …}`; labels that it leaves out are called by their names.
    ///
    /// # Errors
    /// When the file can't be read, isn't such an object or names another label, or two labels have the same words.
    pub fn from_file(path: &Path, labels: &LabelSet) -> Result<Verbalizer, DataError> {
        let file = || path.display().to_string().into();
        let bytes = std::fs::read(path).map_err(|source| DataError::Open { file: file(), source })?;
        let json = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&bytes);
        let given: BTreeMap<String, String> = serde_json::from_slice(json)
            .map_err(|source| DataError::VerbalizerFile { file: file(), source })?;
        if let Some(label) = given.keys().find(|label| labels.index(label).is_none()) {
            let (label, known) = (label.clone(), Quoted(labels.names().to_vec()));
            return Err(DataError::VerbalizerLabel { file: file(), label, known });
        }
        Verbalizer::new(labels, &given)
    }

    fn new(labels: &LabelSet, given: &BTreeMap<String, String>) -> Result<Verbalizer, DataError> {
        let words_of =
            |name: &str| given.iter().find(|(label, _)| same_name(label, name)).map(|(_, words)| words);
        let words = labels.names().iter().map(|name| match given.get(name).or_else(|| words_of(name)) {
            Some(words) => words.trim().to_owned(),
            None => name.replace(['-', '_'], " ").trim().to_owned(),
        });
        let words: Vec<String> = words.collect();
        for (index, own) in words.iter().enumerate() {
            if own.is_empty() || words[..index].contains(own) {
                let (label, words) = (labels.names()[index].clone(), own.clone());
                return Err(DataError::Verbalizer { label, words });
            }
        }
        Ok(Verbalizer { words: LabelSet::new(words)? })
    }

    /// The words in the place of the labels: what a prompt lists.
    pub fn as_labels(&self) -> &LabelSet {
        &self.words
    }

    /// The words of every label, in order.
    pub fn all(&self) -> &[String] {
        self.words.names()
    }

    /// The label tokens: those of every label's words as they follow the prompt, set off by a blank unless it ends in white space.
    ///
    /// # Errors
    /// When the prompt ends in a text of the pair, or the tokenizer doesn't cut between it and the words.
    pub fn label_tokens(&self, tokenizer: &dyn Encode, prompt: &Prompt) -> Result<Vec<Vec<u32>>, DataError> {
        let cue = prompt.cue().ok_or(DataError::NoCue)?;
        let encode = |text: &str| tokenizer.encode(text).map_err(|source| DataError::Prompt { source });
        let before = encode(cue)?;
        let tokens = self.all().iter().map(|words| {
            let whole = encode(&(cue.to_owned() + blank_after(cue) + words))?;
            match whole.strip_prefix(before.as_slice()) {
                Some(own) if !own.is_empty() => Ok(own.to_vec()),
                _ => Err(DataError::WordsMerge { cue: cue.to_owned(), words: words.clone() }),
            }
        });
        tokens.collect()
    }
}

/// What sets words off from the text before them.
pub(crate) fn blank_after(text: &str) -> &'static str {
    if text.is_empty() || text.ends_with(char::is_whitespace) { "" } else { " " }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::encode::EncodeError;
    use crate::encoding::template::Template;

    /// A token a letter, but a blank belongs to the letter after it.
    struct Letters;

    impl Encode for Letters {
        fn encode(&self, text: &str) -> Result<Vec<u32>, EncodeError> {
            let mut ids = Vec::new();
            let mut blank = false;
            for letter in text.chars() {
                match (letter, blank) {
                    (' ', false) => blank = true,
                    (letter, true) => {
                        ids.push(u32::from(letter) + 1000);
                        blank = false;
                    }
                    (letter, false) => ids.push(u32::from(letter)),
                }
            }
            ids.extend(blank.then_some(32));
            Ok(ids)
        }

        fn offsets(&self, _: &str) -> Result<Vec<std::ops::Range<usize>>, EncodeError> {
            unreachable!("words need no offsets")
        }

        fn begin_token(&self) -> Option<u32> {
            None
        }
    }

    fn labels() -> LabelSet {
        LabelSet::new(["b", "not-a"]).unwrap()
    }

    #[test]
    fn names_lose_their_dashes_and_a_file_changes_them() {
        let words = Verbalizer::of_names(&labels()).unwrap();
        assert_eq!(words.all(), ["b", "not a"]);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("words.json");
        std::fs::write(&path, r#"{"not-a": " changed "}"#).unwrap();
        let words = Verbalizer::from_file(&path, &labels()).unwrap();
        assert_eq!(words.all(), ["b", "changed"]);
        let stored = serde_json::to_string(&words).unwrap();
        assert_eq!(stored, r#"["b","changed"]"#);
        assert_eq!(serde_json::from_str::<Verbalizer>(&stored).unwrap(), words);
        let refused = |text: &str| {
            std::fs::write(&path, text).unwrap();
            Verbalizer::from_file(&path, &labels()).unwrap_err()
        };
        assert!(matches!(refused("[]"), DataError::VerbalizerFile { .. }));
        let error = refused(r#"{"c": "d"}"#);
        assert!(
            error.to_string().ends_with("there is no label \"c\"; known labels: \"b\", \"not-a\""),
            "{error}"
        );
        let error = refused(r#"{"b": "not a"}"#);
        assert!(matches!(&error, DataError::Verbalizer { words, .. } if words == "not a"), "{error}");
    }

    #[test]
    fn tokens_are_those_that_follow_the_prompt() {
        let words = Verbalizer::of_names(&labels()).unwrap();
        let tokens = |template: &str| {
            words.label_tokens(&Letters, &Template::parse("t", template).unwrap().prompt(words.as_labels()))
        };
        let with_blank = |text: &str| Letters.encode(text).unwrap();
        assert_eq!(tokens("{revised}\nIs:").unwrap(), [with_blank(" b"), with_blank(" not a")]);
        assert_eq!(tokens("{revised}\n").unwrap(), [with_blank("b"), with_blank("not a")]);
        assert!(matches!(tokens("Now {revised}").unwrap_err(), DataError::NoCue));
        let error = tokens("{revised} is ").unwrap_err();
        assert!(error.to_string().contains("without a blank"), "{error}");
    }
}

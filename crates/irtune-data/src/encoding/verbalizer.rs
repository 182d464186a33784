//! The verbalizer: what each label is called where a language model itself names it.

use std::collections::BTreeMap;
use std::path::Path;

use irtune_files::UniqueKeys;
use serde::{Deserialize, Serialize};

use super::encode::Encode;
use super::prompt::{EMPTY_LINE, Prompt};
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
        let UniqueKeys(given) = serde_json::from_slice(json)
            .map_err(|source| DataError::VerbalizerFile { file: file(), source })?;
        let given: BTreeMap<String, String> = given.into_iter().collect();
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
    /// Where one label's tokens begin another's, as `grammar` begins `grammar and style`, the longer could never be the more
    /// likely. All labels' words then have an end: in a chat the base's end token, otherwise the empty line that stands
    /// behind an answer in a prompt with [shots](Prompt::with_shots). Where that one doesn't tell them apart, because the
    /// tokenizer drops line breaks for instance, it is the other.
    ///
    /// # Errors
    /// When the prompt ends in a text of the pair, the tokenizer doesn't cut between it and the words, or one label's tokens
    /// begin another's even with their end.
    pub fn label_tokens(&self, tokenizer: &dyn Encode, prompt: &Prompt) -> Result<Vec<Vec<u32>>, DataError> {
        let cue = prompt.cue().ok_or(DataError::NoCue)?;
        let encode = |text: &str| tokenizer.encode(text).map_err(|source| DataError::Prompt { source });
        let before = encode(cue)?;
        let tokens = |end: &str| {
            let tokens = self.all().iter().map(|words| {
                let whole = encode(&(cue.to_owned() + blank_after(cue) + words + end))?;
                match whole.strip_prefix(before.as_slice()) {
                    Some(own) if !own.is_empty() => Ok(own.to_vec()),
                    _ => Err(DataError::WordsMerge { cue: cue.to_owned(), words: words.clone() }),
                }
            });
            tokens.collect::<Result<Vec<_>, DataError>>()
        };
        let open = tokens("")?;
        let Some((shorter, longer)) = beginning(&open) else { return Ok(open) };
        let ended = |end: u32| open.iter().map(|own| [own.as_slice(), &[end]].concat()).collect::<Vec<_>>();
        let ended = tokenizer.end_token().map(ended);
        let candidates = match prompt.begins() {
            true => [ended, Some(tokens(EMPTY_LINE)?)],
            false => [Some(tokens(EMPTY_LINE)?), ended],
        };
        let words = |label: usize| self.all()[label].clone();
        candidates
            .into_iter()
            .flatten()
            .find(|tokens| beginning(tokens).is_none())
            .ok_or_else(|| DataError::WordsBegin { shorter: words(shorter), longer: words(longer) })
    }
}

/// Two labels, the tokens of the first of which begin those of the second.
fn beginning(tokens: &[Vec<u32>]) -> Option<(usize, usize)> {
    let begins = |a: usize, b: usize| a != b && tokens[b].starts_with(&tokens[a]);
    let pairs = (0..tokens.len()).flat_map(|a| (0..tokens.len()).map(move |b| (a, b)));
    pairs.into_iter().find(|&(a, b)| begins(a, b))
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

        fn end_token(&self) -> Option<u32> {
            Some(END)
        }
    }

    const END: u32 = 7;

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

    #[test]
    fn words_that_begin_others_get_an_end() {
        let labels = LabelSet::new(["1", "10", "2"]).unwrap();
        let words = Verbalizer::of_names(&labels).unwrap();
        let prompt = Template::parse("t", "{revised}\nIs:").unwrap().prompt(words.as_labels());
        let encode = |text: &str| Letters.encode(text).unwrap();
        let ended = [encode(" 1\n\n"), encode(" 10\n\n"), encode(" 2\n\n")];
        assert_eq!(words.label_tokens(&Letters, &prompt).unwrap(), ended);

        let chat = Prompt { begins: true, ..prompt.clone() };
        let ended = ["1", "10", "2"].map(|words| [encode(&format!(" {words}")), vec![END]].concat());
        assert_eq!(words.label_tokens(&Letters, &chat).unwrap(), ended);

        // Neither end tells these apart.
        let words = Verbalizer { words: LabelSet::new(["1", "1\n\n1\u{7}", "1\u{7}"]).unwrap() };
        let error = words.label_tokens(&Letters, &prompt).unwrap_err().to_string();
        assert!(error.contains(r#""1" begin those of "1\n\n1\u{7}""#), "{error}");
    }
}

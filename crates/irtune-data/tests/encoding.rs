//! Prompts as token ids: whole strings, never too long, what changed is kept.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Mutex;

use irtune_data::{
    COUNTERS, Change, Chat, ChatFailure, DataError, Encode, EncodeError, Encoder, LabelSet, Pair, Place,
    Target, Template, Turn,
};
use proptest::prelude::*;

/// One token for every word with the blank before it, and one for every other character; ids can be read back.
#[derive(Default)]
struct Words {
    ids: Mutex<(HashMap<String, u32>, Vec<String>)>,
    begin: Option<u32>,
}

const REFUSED: char = '\u{0}';
const BEGIN: u32 = 1_000_000;

impl Words {
    fn decode(&self, tokens: &[u32]) -> String {
        let ids = self.ids.lock().unwrap();
        tokens.iter().filter(|&&token| token != BEGIN).map(|&token| ids.1[token as usize].as_str()).collect()
    }
}

impl Encode for Words {
    fn encode(&self, text: &str) -> Result<Vec<u32>, EncodeError> {
        if text.contains(REFUSED) {
            return Err(EncodeError::new("a character without token"));
        }
        let mut ids = self.ids.lock().unwrap();
        let (known, texts) = &mut *ids;
        let encoded = pieces(text).into_iter().map(|piece| {
            *known.entry(piece.clone()).or_insert_with(|| {
                texts.push(piece);
                texts.len() as u32 - 1
            })
        });
        Ok(encoded.collect())
    }

    fn offsets(&self, text: &str) -> Result<Vec<Range<usize>>, EncodeError> {
        let mut at = 0;
        let ranges = pieces(text).into_iter().map(|piece| {
            at += piece.len();
            at - piece.len()..at
        });
        Ok(ranges.collect())
    }

    fn begin_token(&self) -> Option<u32> {
        self.begin
    }

    fn end_token(&self) -> Option<u32> {
        None
    }
}

fn pieces(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    for character in text.chars() {
        match pieces.last_mut() {
            Some(piece)
                if character.is_alphanumeric()
                    && (piece == " " || piece.ends_with(char::is_alphanumeric)) =>
            {
                piece.push(character);
            }
            _ => pieces.push(character.to_string()),
        }
    }
    pieces
}

fn labels() -> LabelSet {
    LabelSet::new(["clarity", "tone"]).unwrap()
}

fn pair(original: &str, revised: &str) -> Pair {
    let label = Some("tone".to_owned());
    Pair {
        original: original.to_owned(),
        revised: revised.to_owned(),
        label,
        place: Place::Line { file: "a.csv".into(), line: 5 },
        ..Pair::default()
    }
}

#[test]
fn the_ids_are_those_of_the_whole_prompt_behind_the_begin_token() {
    let words = Words { begin: Some(BEGIN), ..Words::default() };
    let prompt = Template::instruction().prompt(&labels());
    let text = prompt.render("The cat sat.", "The cat was sitting.");
    let encoder = Encoder::new(&words, prompt, 256).unwrap();
    let example = encoder.encode(&pair("The cat sat.", "The cat was sitting."), Some(&labels())).unwrap();
    assert_eq!(example.tokens[0], BEGIN);
    assert_eq!(example.tokens[1..], words.encode(&text).unwrap());
    assert_eq!((example.target, example.shortened), (Some(Target::Class(1)), false));
    assert_eq!(encoder.encode(&pair("a", "b"), None).unwrap().target, None);
}

#[test]
fn what_changed_is_known_as_tokens_when_it_is_asked_for() {
    let words = Words { begin: Some(BEGIN), ..Words::default() };
    let template = Template::parse("t", "{original}\n{revised}\n{removed} / {added}\n{marked}").unwrap();
    let encoder = Encoder::new(&words, template.prompt(&labels()), 256).unwrap();
    let pair = pair("The old cat sat.", "The cat sat down.");
    let plain = encoder.encode(&pair, Some(&labels())).unwrap();
    assert_eq!(plain.change, None);
    let example = encoder.with_change().encode(&pair, Some(&labels())).unwrap();
    assert_eq!(example.tokens, plain.tokens);
    let change = example.change.unwrap();
    let shown = |positions: &[u32]| -> Vec<String> {
        positions.iter().map(|&position| words.decode(&[example.tokens[position as usize]])).collect()
    };
    // In the text, in the list and between the marks. The blank that goes with a word says nothing.
    assert_eq!(shown(&change.removed), [" old", "old", "old"]);
    assert_eq!(shown(&change.added), [" down", " down", " down"]);
    assert_eq!(change.counters, Change::of(&pair.original, &pair.revised).counters());
    assert_eq!(change.counters.len(), COUNTERS.len());
}

/// A chat that marks nothing.
struct Bare;

impl Chat for Bare {
    fn write(&self, turns: &[Turn]) -> Result<String, ChatFailure> {
        Ok(turns.iter().map(|turn| turn.text.as_str()).collect())
    }
}

#[test]
fn a_prompt_in_a_chat_brings_its_own_begin_token() {
    let words = Words { begin: Some(BEGIN), ..Words::default() };
    let alone = Template::pair();
    let chat = alone.in_chat(&Bare, None, &[]).unwrap();
    let of = |template: &Template| {
        let encoder = Encoder::new(&words, template.prompt(&labels()), 256).unwrap().with_change();
        encoder.encode(&pair("The old cat sat.", "The cat sat down."), None).unwrap()
    };
    let (alone, chat) = (of(&alone), of(&chat));
    assert_eq!((alone.tokens[0], &alone.tokens[1..]), (BEGIN, &chat.tokens[..]));
    // What changed is a token further ahead.
    let (alone, chat) = (alone.change.unwrap(), chat.change.unwrap());
    let ahead = |positions: &[u32]| positions.iter().map(|position| position - 1).collect::<Vec<_>>();
    assert_eq!((ahead(&alone.removed), ahead(&alone.added)), (chat.removed, chat.added));
}

#[test]
fn a_pair_that_just_fits_is_left_alone() {
    let words = Words::default();
    let prompt = Template::pair().prompt(&labels());
    let pair = pair("a b c d e f g h i j", "a b c d e f g h i k");
    let length = words.encode(&prompt.render(&pair.original, &pair.revised)).unwrap().len();
    let encoded = |limit| Encoder::new(&words, prompt.clone(), limit).unwrap().encode(&pair, None).unwrap();
    assert!(!encoded(length).shortened);
    let shorter = encoded(length - 1);
    assert!(shorter.shortened);
    assert_eq!(words.decode(&shorter.tokens), "… c d e f g h i j\n… c d e f g h i k");
}

#[test]
fn shortened_examples_are_counted() {
    let words = Words::default();
    let encoder = Encoder::new(&words, Template::pair().prompt(&labels()), 20).unwrap();
    let long = "so many words in here that nothing helps but to leave some of them out";
    let pairs = [pair("short", "shorter"), pair(long, &format!("{long} now"))];
    let encoded = encoder.encode_all(&pairs, Some(&labels())).unwrap();
    assert_eq!(encoded.shortened, 1);
    assert_eq!(encoded.examples.iter().map(|example| example.shortened).collect::<Vec<_>>(), [false, true]);
    assert_eq!(encoded.examples[1].as_ref(), encoded.examples[1].tokens.as_slice());
}

#[test]
fn a_limit_without_room_is_an_error() {
    let words = Words::default();
    let error = Encoder::new(&words, Template::instruction().prompt(&labels()), 20).err().unwrap();
    assert!(matches!(error, DataError::MaxLength { max_length: 20, room: 16, .. }));
    let DataError::MaxLength { fixed, .. } = error else { unreachable!() };
    assert_eq!(
        error.to_string(),
        format!(
            "max_length 20 is too small: the prompt's fixed text takes {fixed} tokens and a pair needs at least 16 more; \
             set max_length to {} or higher",
            fixed + 16
        )
    );
    let encoder = Encoder::new(&words, Template::instruction().prompt(&labels()), fixed + 16).unwrap();
    let text = "very ".repeat(500);
    let example = encoder.encode(&pair(&text, &format!("{text}long")), None).unwrap();
    assert!(example.tokens.len() <= fixed + 16);
    let text = words.decode(&example.tokens);
    assert!(text.starts_with("Name the writer") && text.ends_with("long\n\nIntention:"), "{text}");
}

#[test]
fn the_tokenizers_refusal_names_the_row() {
    let words = Words::default();
    let encoder = Encoder::new(&words, Template::pair().prompt(&labels()), 64).unwrap();
    let error = encoder.encode(&pair("a", "b\u{0}"), None).unwrap_err();
    assert!(matches!(error, DataError::Row { .. }));
    assert_eq!(error.to_string(), "a.csv:5: cannot be tokenized: a character without token");
    let prompt = Template::parse("t", "\u{0}{revised}").unwrap().prompt(&labels());
    let error = Encoder::new(&words, prompt, 64).err().unwrap();
    assert!(matches!(error, DataError::Prompt { .. }));
    assert_eq!(error.to_string(), "the prompt's fixed text: cannot be tokenized: a character without token");
}

#[test]
fn an_unknown_label_stops_encoding() {
    let words = Words::default();
    let encoder = Encoder::new(&words, Template::pair().prompt(&labels()), 64).unwrap();
    let pair = Pair { label: Some("tones".to_owned()), ..pair("a", "b") };
    assert!(
        matches!(encoder.encode(&pair, Some(&labels())), Err(DataError::UnknownLabel { place, .. }) if place.number() == 5)
    );
}

/// Words that occur nowhere else, so that finding one in the result means it was kept.
fn sentence(name: &'static str, most: usize) -> impl Strategy<Value = Vec<String>> {
    (0..most).prop_map(move |length| (0..length).map(|word| format!("{name}{word}")).collect())
}

proptest! {
    #[test]
    fn no_example_is_too_long_and_changed_words_stay_while_they_fit(
        before in sentence("before", 60),
        old in sentence("old", 40),
        new in sentence("new", 40),
        after in sentence("after", 60),
        limit in 30usize..120,
    ) {
        let join = |middle: &[String]| [&before[..], middle, &after[..]].concat().join(" ");
        let pair = pair(&join(&old), &join(&new));
        let words = Words { begin: Some(BEGIN), ..Words::default() };
        let prompt = Template::pair().prompt(&labels());
        let encoder = Encoder::new(&words, prompt.clone(), limit).unwrap();
        let example = encoder.encode(&pair, None).unwrap();
        prop_assert!(example.tokens.len() <= limit);
        prop_assert_eq!(&example, &encoder.encode(&pair, None).unwrap());
        let text = words.decode(&example.tokens);
        let whole = prompt.render(&pair.original, &pair.revised);
        prop_assert_eq!(example.shortened, text != whole);
        prop_assert_eq!(example.shortened, words.encode(&whole).unwrap().len() + 1 > limit);
        let kept: Vec<&str> = text.split(|character: char| !character.is_alphanumeric()).collect();
        // Begin token, line end, an ellipsis and a blank around each side.
        if old.len() + new.len() + 10 <= limit {
            for word in old.iter().chain(&new) {
                prop_assert!(kept.contains(&word.as_str()), "{} is missing in {}", word, text);
            }
        }
        // Both sides lose the same of what they share.
        if old != new {
            let count = |word: &String| kept.iter().filter(|kept| *kept == word).count();
            prop_assert!(before.iter().chain(&after).all(|word| count(word) % 2 == 0), "{}", text);
        }
        // The end is never simply cut: where words are missing stands an ellipsis.
        if example.shortened {
            prop_assert!(text.contains('…'));
        }
        // Words are cut apart only when they cannot be kept whole.
        let words_of = |words: &[String], word: &str| words.iter().any(|known| known == word);
        prop_assert!(kept.iter().filter(|word| !word.is_empty()).all(|word| {
            [&before, &old, &new, &after].into_iter().any(|words| words_of(words, word))
        }), "{}", text);
    }

    #[test]
    fn any_two_texts_can_be_shortened(original in "\\PC{0,80}", revised in "\\PC{1,80}", more in 0usize..40) {
        for template in TEMPLATES {
            let words = Words::default();
            let prompt = Template::parse("t", template).unwrap().prompt(&labels());
            let fixed = Encoder::new(&words, prompt.clone(), 1000).unwrap().fixed_length();
            let limit = fixed + more + Encoder::new(&words, prompt.clone(), 0).err().map_or(0, room);
            let encoder = Encoder::new(&words, prompt, limit).unwrap().with_change();
            let example = encoder.encode(&pair(&original, &revised), None).unwrap();
            prop_assert!(example.tokens.len() <= limit);
            let change = example.change.unwrap();
            for positions in [&change.removed, &change.added] {
                prop_assert!(positions.is_sorted_by(|one, other| one < other));
                prop_assert!(positions.iter().all(|&position| (position as usize) < example.tokens.len()));
            }
            prop_assert_eq!(change.removed.is_empty() && change.added.is_empty(), original == revised);
        }
    }

    #[test]
    fn marked_texts_are_shortened_around_their_hunks(
        before in sentence("before", 60),
        old in sentence("old", 30),
        between in sentence("between", 60),
        new in sentence("new", 30),
        after in sentence("after", 60),
        limit in 40usize..120,
    ) {
        let join = |parts: &[&[String]]| parts.concat().join(" ");
        let pair = pair(&join(&[&before, &old, &between, &after]), &join(&[&before, &between, &new, &after]));
        let words = Words::default();
        let prompt = Template::parse("t", "{marked}").unwrap().prompt(&labels());
        let encoder = Encoder::new(&words, prompt.clone(), limit).unwrap();
        let example = encoder.encode(&pair, None).unwrap();
        prop_assert!(example.tokens.len() <= limit);
        let text = words.decode(&example.tokens);
        prop_assert_eq!(example.shortened, text != prompt.render(&pair.original, &pair.revised));
        let has = |word: &String| text.split(|character: char| !character.is_alphanumeric()).any(|kept| kept == word);
        // Two hunks of at most one text each: four marks, gaps and blanks.
        if old.len() + new.len() + 25 <= limit {
            prop_assert!(old.iter().chain(&new).all(has), "{}", text);
        }
        // What stays of the context stands beside the hunks.
        let kept: Vec<bool> = before.iter().map(has).collect();
        prop_assert!(old.is_empty() || kept.is_sorted(), "{}", text);
        let kept: Vec<bool> = after.iter().map(|word| !has(word)).collect();
        prop_assert!(new.is_empty() || kept.is_sorted(), "{}", text);
    }
}

/// Every way to show a pair.
const TEMPLATES: [&str; 4] = [
    "{original}\n{revised}",
    "{marked}",
    "{removed} / {added}",
    "{original} {revised} {removed} {added} {marked}",
];

fn room(error: DataError) -> usize {
    match error {
        DataError::MaxLength { room, .. } => room,
        error => panic!("{error}"),
    }
}

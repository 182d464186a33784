//! A prompt as a conversation, in the words of a base's chat template.

use super::prompt::{Segment, at_last_empty_line};
use super::shots::Shot;
use super::template::{Piece, Template};
use super::turns::{Chat, Speaker, Turn};
use super::verbalizer::blank_after;
use crate::error::DataError;

/// How a prompt is asked for: a template, by itself or in the base's chat template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptChoice {
    /// The template.
    pub template: Template,
    /// Whether it is put into a chat.
    pub chat: bool,
}

impl PromptChoice {
    /// Whether a name asks for a chat.
    pub fn is_chat(name: &str) -> bool {
        name == "chat" || name.starts_with("chat:")
    }

    /// The choice of a name: `chat` is `instruction` in a chat, `chat:` before a template's name or path puts that one in a
    /// chat, and any other is the template by itself.
    ///
    /// # Errors
    /// As [`Template::from_file`].
    pub fn named_or_file(name: &str) -> Result<PromptChoice, DataError> {
        let template = match name {
            "chat" => "instruction",
            _ => name.strip_prefix("chat:").unwrap_or(name),
        };
        Ok(PromptChoice { template: Template::named_or_file(template)?, chat: PromptChoice::is_chat(name) })
    }
}

/// What stands for a pair's texts and the labels while a template is written into a conversation: code points that are
/// no characters, so no text has them.
static PLACES: [(char, Piece); 6] = [
    ('\u{FDD0}', Piece::Labels),
    ('\u{FDD1}', Piece::Pair(Segment::Original)),
    ('\u{FDD2}', Piece::Pair(Segment::Revised)),
    ('\u{FDD3}', Piece::Pair(Segment::Removed)),
    ('\u{FDD4}', Piece::Pair(Segment::Added)),
    ('\u{FDD5}', Piece::Pair(Segment::Marked)),
];

fn is_place(letter: char) -> bool {
    PLACES.iter().any(|(place, _)| *place == letter)
}

/// A place of the pair's own texts.
fn is_pair(letter: char) -> bool {
    is_place(letter) && letter != PLACES[0].0
}

impl Template {
    /// The same template in a conversation: a system turn where `system` is given, then what stands before the last empty
    /// line behind the pair's texts as the user's turn. What follows that line is the beginning of the assistant's answer.
    ///
    /// Each shot is a turn of the user and an answer before. What stands before the last empty line ahead of the pair is
    /// then said in the first turn only.
    ///
    /// # Errors
    /// When `chat` refuses the conversation or doesn't keep its texts.
    pub fn in_chat(
        &self,
        chat: &dyn Chat,
        system: Option<&str>,
        shots: &[Shot],
    ) -> Result<Template, DataError> {
        let name = self.name().to_owned();
        let changed = || DataError::ChatChanges { template: self.name().to_owned() };
        let whole = self.with_places().ok_or_else(changed)?;
        let first = whole.find(is_pair).unwrap_or(whole.len());
        let behind = whole.rfind(is_pair).map_or(whole.len(), |at| at + PLACES[0].0.len_utf8());
        let (start, body, end) = (&whole[..first], &whole[first..behind], &whole[behind..]);
        let (once, opening) = at_last_empty_line(start);
        let (rest, cue) = at_last_empty_line(end);
        let (rest, cue) = (rest.trim_end(), cue.trim_start());

        let say = |speaker, text: String| Turn { speaker, text };
        let mut turns: Vec<Turn> = Vec::new();
        turns.extend(system.map(|text| say(Speaker::System, text.to_owned())));
        let mut ahead = once;
        for shot in shots {
            let body = filled(body, shot).ok_or_else(changed)?;
            turns.push(say(Speaker::User, format!("{ahead}{opening}{body}{rest}")));
            let blank = if cue.is_empty() { "" } else { blank_after(cue) };
            turns.push(say(Speaker::Assistant, format!("{cue}{blank}{}", shot.words)));
            ahead = "";
        }
        turns.push(say(Speaker::User, format!("{ahead}{opening}{body}{rest}")));
        let written = chat.write(&turns);
        let written =
            written.map_err(|source| DataError::Chat { template: self.name().to_owned(), source })? + cue;

        let places = |text: &str| text.chars().filter(|&letter| is_place(letter)).collect::<Vec<_>>();
        let said: String = turns.iter().map(|turn| turn.text.as_str()).collect();
        if places(&said) != places(&written) {
            return Err(changed());
        }
        Ok(Template::of_pieces(format!("chat:{name}"), of_places(&written)))
    }

    /// Its text with a code point for each place; nothing where the text has such a code point itself.
    fn with_places(&self) -> Option<String> {
        let mut text = String::new();
        for piece in self.pieces() {
            match piece {
                Piece::Text(fixed) if fixed.contains(is_place) => return None,
                Piece::Text(fixed) => text.push_str(fixed),
                place => text.push(PLACES.iter().find(|(_, piece)| piece == place)?.0),
            }
        }
        Some(text)
    }
}

/// A shot's passages in their places.
fn filled(body: &str, shot: &Shot) -> Option<String> {
    let mut text = String::new();
    for letter in body.chars() {
        let passage = match PLACES.iter().find(|(place, _)| *place == letter) {
            Some((_, Piece::Pair(segment))) => segment.passage(&shot.passages),
            _ => None,
        };
        match passage {
            Some(passage) if passage.text.contains(is_place) => return None,
            Some(passage) => text.push_str(&passage.text),
            None => text.push(letter),
        }
    }
    Some(text)
}

/// The pieces of a text with code points in places.
fn of_places(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut fixed = String::new();
    for letter in text.chars() {
        match PLACES.iter().find(|(place, _)| *place == letter) {
            Some((_, piece)) => {
                if !fixed.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut fixed)));
                }
                pieces.push(piece.clone());
            }
            None => fixed.push(letter),
        }
    }
    if !fixed.is_empty() {
        pieces.push(Piece::Text(fixed));
    }
    pieces
}

#[cfg(test)]
mod tests;

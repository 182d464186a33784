//! A prompt: the template with its labels filled in, waiting for a pair.

use std::borrow::Cow;

use crate::edits::edits;

/// A piece of a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// Text that is the same for every pair.
    Text(String),
    /// The original text's place.
    Original,
    /// The revised text's place.
    Revised,
    /// The place of both texts as one, the edits marked.
    Edits,
}

impl Segment {
    /// Its text for a pair.
    pub fn text<'a>(&'a self, original: &'a str, revised: &'a str) -> Cow<'a, str> {
        match self {
            Segment::Text(text) => text.into(),
            Segment::Original => original.into(),
            Segment::Revised => revised.into(),
            Segment::Edits => edits(original, revised).into(),
        }
    }
}

/// What surrounds the texts of every pair of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    segments: Vec<Segment>,
}

impl Prompt {
    /// Joins neighbouring fixed texts, so that segments alternate.
    pub(crate) fn new(parts: impl IntoIterator<Item = Segment>) -> Prompt {
        let mut segments: Vec<Segment> = Vec::new();
        for part in parts {
            match (segments.last_mut(), part) {
                (Some(Segment::Text(text)), Segment::Text(more)) => text.push_str(&more),
                (_, part) => segments.push(part),
            }
        }
        Prompt { segments }
    }

    /// Its pieces in order; no two fixed texts follow each other.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The whole text for a pair.
    pub fn render(&self, original: &str, revised: &str) -> String {
        self.segments.iter().map(|segment| segment.text(original, revised)).collect()
    }
}

//! A prompt: the template with its labels filled in, waiting for a pair.

use super::passages::Passages;
use super::passages::passage::Passage;

/// A piece of a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// Text that is the same for every pair.
    Text(String),
    /// The original text's place.
    Original,
    /// The revised text's place.
    Revised,
    /// The place of the texts that were removed, with ` | ` between them.
    Removed,
    /// The place of the texts that were added, with ` | ` between them.
    Added,
    /// The place of both texts in one, `[-old-]{+new+}` where they differ.
    Marked,
}

impl Segment {
    /// What a template calls its place; fixed text has none.
    pub(super) fn placeholder(&self) -> &'static str {
        match self {
            Segment::Text(_) => "",
            Segment::Original => "original",
            Segment::Revised => "revised",
            Segment::Removed => "removed",
            Segment::Added => "added",
            Segment::Marked => "marked",
        }
    }

    /// What a pair shows there; fixed text shows nothing of a pair.
    pub(super) fn passage<'a>(&self, passages: &'a Passages) -> Option<&'a Passage> {
        match self {
            Segment::Text(_) => None,
            Segment::Original => Some(&passages.original),
            Segment::Revised => Some(&passages.revised),
            Segment::Removed => Some(&passages.removed),
            Segment::Added => Some(&passages.added),
            Segment::Marked => Some(&passages.marked),
        }
    }

    /// Tokens that a pair needs there at least.
    fn least_room(&self) -> usize {
        match self {
            Segment::Text(_) => 0,
            Segment::Original | Segment::Revised | Segment::Removed | Segment::Added => 8,
            // Two texts and four marks.
            Segment::Marked => 24,
        }
    }
}

/// What surrounds the texts of every pair of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    pub(super) segments: Vec<Segment>,
    /// Whether its text holds its own begin token if it needs one.
    pub(super) begins: bool,
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
        Prompt { segments, begins: false }
    }

    /// Whether its text holds its own begin token if it needs one, so that none is to be added.
    pub fn begins(&self) -> bool {
        self.begins
    }

    /// Its pieces in order; no two fixed texts follow each other.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The whole text for a pair.
    pub fn render(&self, original: &str, revised: &str) -> String {
        fill(&self.segments, &Passages::whole(original, revised)).text
    }

    /// The text for a pair's passages, with what changed in it.
    pub(crate) fn fill(&self, passages: &Passages) -> Passage {
        fill(&self.segments, passages)
    }

    /// Tokens that a pair gets at least beside the fixed text.
    pub(crate) fn least_room(&self) -> usize {
        self.segments.iter().map(Segment::least_room).sum::<usize>().max(16)
    }
}

/// What stands between the parts of a prompt, and behind the answer of a worked example.
pub(super) const EMPTY_LINE: &str = "\n\n";

/// What stands up to the last empty line of a text, that line included, and the rest.
pub(super) fn at_last_empty_line(text: &str) -> (&str, &str) {
    text.split_at(text.rfind(EMPTY_LINE).map_or(0, |at| at + EMPTY_LINE.len()))
}

/// Segments with a pair's passages in their places.
pub(super) fn fill(segments: &[Segment], passages: &Passages) -> Passage {
    let mut filled = Passage::default();
    for segment in segments {
        match (segment, segment.passage(passages)) {
            (Segment::Text(text), _) => filled.text.push_str(text),
            (_, passage) => passage.into_iter().for_each(|passage| filled.push(passage)),
        }
    }
    filled
}

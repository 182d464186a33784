//! A prompt: the template with its labels filled in, waiting for a pair.

/// A piece of a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// Text that is the same for every pair.
    Text(String),
    /// The original text's place.
    Original,
    /// The revised text's place.
    Revised,
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
        let pieces = self.segments.iter().map(|segment| match segment {
            Segment::Text(text) => text.as_str(),
            Segment::Original => original,
            Segment::Revised => revised,
        });
        pieces.collect()
    }
}

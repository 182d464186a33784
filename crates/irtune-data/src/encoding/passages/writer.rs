//! Writes a passage unit by unit, with an ellipsis for every gap.

use std::ops::Range;

use super::passage::Passage;

/// What stands where something was left out.
pub(crate) const ELLIPSIS: &str = "…";

/// A passage that is being written.
#[derive(Debug, Default)]
pub(super) struct Writer {
    passage: Passage,
    in_gap: bool,
}

impl Writer {
    /// Writes the units that are kept.
    pub fn write(&mut self, units: &[&str], kept: &[bool]) {
        for (unit, &kept) in units.iter().zip(kept) {
            match kept {
                true => self.fixed(unit),
                false => self.gap(),
            }
        }
    }

    /// The same for text that was removed.
    pub fn write_removed(&mut self, units: &[&str], kept: &[bool]) {
        let range = self.write_changed(units, kept);
        self.passage.removed.extend(range);
    }

    /// The same for text that was added.
    pub fn write_added(&mut self, units: &[&str], kept: &[bool]) {
        let range = self.write_changed(units, kept);
        self.passage.added.extend(range);
    }

    /// Writes what is in no text: marks.
    pub fn fixed(&mut self, text: &str) {
        self.passage.text.push_str(text);
        self.in_gap = false;
    }

    /// Says that something was left out, once for neighbours.
    pub fn gap(&mut self) {
        if !self.in_gap {
            self.passage.text.push_str(ELLIPSIS);
        }
        self.in_gap = true;
    }

    pub fn is_empty(&self) -> bool {
        self.passage.text.is_empty()
    }

    pub fn is_in_gap(&self) -> bool {
        self.in_gap
    }

    pub fn finish(self) -> Passage {
        self.passage
    }

    /// Writes changed units; the bytes they take, without the blanks around them, when one of them is kept.
    fn write_changed(&mut self, units: &[&str], kept: &[bool]) -> Option<Range<usize>> {
        let start = self.passage.text.len();
        self.write(units, kept);
        let text = &self.passage.text[start..];
        let (inside, before) = (text.trim(), text.len() - text.trim_start().len());
        let range = match inside.is_empty() {
            true => start..start + text.len(),
            false => start + before..start + before + inside.len(),
        };
        kept.contains(&true).then_some(range)
    }
}

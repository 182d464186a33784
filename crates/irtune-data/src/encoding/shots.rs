//! Prompts with worked examples in front.

use super::passages::Passages;
use super::prompt::{EMPTY_LINE, Prompt, Segment, at_last_empty_line, fill};
use super::verbalizer::blank_after;
use crate::error::DataError;

/// A pair that a prompt shows with its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shot {
    /// Its texts.
    pub passages: Passages,
    /// The words of its label.
    pub words: String,
}

impl Prompt {
    /// The fixed text at the end, after which an answer is expected; nothing when the prompt ends in a text of the pair.
    pub fn cue(&self) -> Option<&str> {
        match self.segments().last() {
            Some(Segment::Text(text)) if self.segments().len() > 1 => Some(text),
            _ => None,
        }
    }

    /// The same prompt after worked examples: what stands before the last empty line ahead of the pair is said once, the
    /// rest for every example, followed by its words and an empty line.
    ///
    /// # Errors
    /// When the prompt ends in a text of the pair, where no answer could follow.
    pub fn with_shots(&self, shots: &[Shot]) -> Result<Prompt, DataError> {
        let closing = self.cue().ok_or(DataError::NoCue)?;
        let segments = self.segments();
        let (start, body) = match &segments[0] {
            Segment::Text(text) => (text.as_str(), &segments[1..segments.len() - 1]),
            _ => ("", &segments[..segments.len() - 1]),
        };
        let (once, opening) = at_last_empty_line(start);
        let mut fixed = format!("{once}{opening}");
        for shot in shots {
            fixed += &fill(body, &shot.passages).text;
            let blank = blank_after(closing);
            fixed += &format!("{closing}{blank}{}{EMPTY_LINE}{opening}", shot.words);
        }
        let parts = [Segment::Text(fixed)].into_iter().chain(body.iter().cloned());
        Ok(Prompt::new(parts.chain([Segment::Text(closing.to_owned())])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::template::Template;
    use crate::label_set::LabelSet;

    fn shot() -> Shot {
        Shot { passages: Passages::whole("A car.", "The car."), words: "tone".into() }
    }

    fn prompt() -> Prompt {
        Template::instruction().prompt(&LabelSet::new(["clarity", "tone"]).unwrap())
    }

    #[test]
    fn without_shots_nothing_changes() {
        assert_eq!(prompt().with_shots(&[]).unwrap(), prompt());
    }

    #[test]
    fn the_task_is_said_once_and_every_shot_with_its_words() {
        let text = prompt().with_shots(&[shot(), shot()]).unwrap().render("X", "Y");
        let shown = "Original:\nA car.\n\nRevised:\nThe car.\n\nIntention: tone\n\n";
        assert_eq!(
            text,
            format!(
                "Name the writer's intention behind this text revision.\nIntentions: clarity, tone\n\n\
                 {shown}{shown}Original:\nX\n\nRevised:\nY\n\nIntention:"
            )
        );
    }

    #[test]
    fn a_prompt_without_a_cue_takes_no_answer() {
        let labels = LabelSet::new(["clarity", "tone"]).unwrap();
        let refused = Template::pair().prompt(&labels).with_shots(&[]);
        assert!(refused.unwrap_err().to_string().contains("ends with the pair's own text"));
    }
}

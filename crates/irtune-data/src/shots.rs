//! Prompts with worked examples in front, and as turns of a chat.

use crate::error::DataError;
use crate::label_set::LabelSet;
use crate::label_words::blank_after;
use crate::pair::Pair;
use crate::prompt::{Prompt, Segment};
use crate::random::shuffled;

/// A pair that a prompt shows with its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shot {
    /// The text before the revision.
    pub original: String,
    /// The text after the revision.
    pub revised: String,
    /// The words of its label.
    pub words: String,
}

/// Of the draw of the shots.
const PURPOSE: u64 = 0x5348_4f54;

/// Draws `count` pairs of every label, and an order of them all that has nothing to do with their labels.
///
/// # Errors
/// When a label has fewer pairs, or a pair a label that isn't in the set.
pub fn draw_shots(
    pairs: &[Pair],
    labels: &LabelSet,
    count: usize,
    seed: u64,
) -> Result<Vec<usize>, DataError> {
    let targets: Vec<Option<u32>> = pairs.iter().map(|pair| labels.target(pair)).collect::<Result<_, _>>()?;
    let mut drawn = Vec::with_capacity(count * labels.len());
    for (class, label) in (0..).zip(labels.names()) {
        let own: Vec<usize> = (0..pairs.len()).filter(|&pair| targets[pair] == Some(class)).collect();
        if own.len() < count {
            let (label, pairs) = (label.clone(), own.len());
            return Err(DataError::TooFewShots { label, pairs, shots: count });
        }
        let order = shuffled(own.len(), PURPOSE, seed, u64::from(class));
        drawn.extend(order.into_iter().take(count).map(|place| own[place]));
    }
    let order = shuffled(drawn.len(), PURPOSE, seed, u64::MAX);
    Ok(order.into_iter().map(|place| drawn[place]).collect())
}

/// Markers of ChatML's turns.
const USER: &str = "<|im_start|>user\n";
const ASSISTANT: &str = "<|im_end|>\n<|im_start|>assistant\n";
const TURN_END: &str = "<|im_end|>\n";

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
    /// As a chat (ChatML's markers, no system turn), every pair is a user's turn and every answer the assistant's, which
    /// begins with what follows the last empty line of the prompt.
    ///
    /// # Errors
    /// When the prompt ends in a text of the pair, where no answer could follow.
    pub fn with_shots(&self, shots: &[Shot], chat: bool) -> Result<Prompt, DataError> {
        let end = self.cue().ok_or(DataError::NoCue)?;
        let segments = self.segments();
        let (start, body) = match &segments[0] {
            Segment::Text(text) => (text.as_str(), &segments[1..segments.len() - 1]),
            _ => ("", &segments[..segments.len() - 1]),
        };
        let (once, opening) = start.split_at(start.rfind("\n\n").map_or(0, |at| at + 2));
        let (before, between, closing) = match chat {
            false => ("", "\n\n", end.to_owned()),
            true => {
                let (rest, cue) = end.split_at(end.rfind("\n\n").map_or(0, |at| at + 2));
                (USER, TURN_END, format!("{}{ASSISTANT}{cue}", rest.trim_end()))
            }
        };
        let mut fixed = format!("{before}{once}{opening}");
        for shot in shots {
            let texts = body.iter().map(|segment| match segment {
                Segment::Text(text) => text.as_str(),
                Segment::Original => shot.original.as_str(),
                Segment::Revised => shot.revised.as_str(),
            });
            fixed.extend(texts);
            let blank = blank_after(&closing);
            fixed += &format!("{closing}{blank}{}{between}{before}{opening}", shot.words);
        }
        let parts = [Segment::Text(fixed)].into_iter().chain(body.iter().cloned());
        Ok(Prompt::new(parts.chain([Segment::Text(closing)])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::Template;

    fn pair(label: &str) -> Pair {
        Pair { label: Some(label.to_owned()), ..Pair::default() }
    }

    fn shot() -> Shot {
        Shot { original: "A car.".into(), revised: "The car.".into(), words: "tone".into() }
    }

    fn prompt() -> Prompt {
        Template::instruction().prompt(&LabelSet::new(["clarity", "tone"]).unwrap())
    }

    #[test]
    fn without_shots_nothing_changes() {
        assert_eq!(prompt().with_shots(&[], false).unwrap(), prompt());
    }

    #[test]
    fn the_task_is_said_once_and_every_shot_with_its_words() {
        let text = prompt().with_shots(&[shot(), shot()], false).unwrap().render("X", "Y");
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
    fn a_chat_has_turns() {
        let text = prompt().with_shots(&[shot()], true).unwrap().render("X", "Y");
        assert_eq!(
            text,
            "<|im_start|>user\nName the writer's intention behind this text revision.\nIntentions: clarity, tone\n\n\
             Original:\nA car.\n\nRevised:\nThe car.<|im_end|>\n<|im_start|>assistant\nIntention: tone<|im_end|>\n\
             <|im_start|>user\nOriginal:\nX\n\nRevised:\nY<|im_end|>\n<|im_start|>assistant\nIntention:"
        );
    }

    #[test]
    fn a_prompt_without_a_cue_takes_no_answer() {
        let labels = LabelSet::new(["clarity", "tone"]).unwrap();
        let refused = Template::pair().prompt(&labels).with_shots(&[], false);
        assert!(refused.unwrap_err().to_string().contains("ends with the pair's own text"));
    }

    #[test]
    fn shots_are_drawn_by_seed_and_equally_of_every_label() {
        let labels = LabelSet::new(["a", "b"]).unwrap();
        let pairs: Vec<Pair> = (0..30).map(|index| pair(if index % 3 == 0 { "a" } else { "b" })).collect();
        let drawn = draw_shots(&pairs, &labels, 4, 7).unwrap();
        assert_eq!(drawn, draw_shots(&pairs, &labels, 4, 7).unwrap());
        assert_ne!(drawn, draw_shots(&pairs, &labels, 4, 8).unwrap());
        assert_eq!(drawn.iter().filter(|&&index| index % 3 == 0).count(), 4);
        assert_eq!(drawn.iter().collect::<std::collections::BTreeSet<_>>().len(), 8);
        let error = draw_shots(&pairs, &labels, 11, 7).unwrap_err();
        assert!(matches!(error, DataError::TooFewShots { pairs: 10, shots: 11, .. }), "{error}");
    }
}

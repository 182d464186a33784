//! Which change of a revision its label hangs on: `irtune explain`.

use crate::annotate::marked;
use irtune_data::{Change, DataError, Pair};
use irtune_train::{Prediction, Predictor, PredictorError, Reading};
use serde::Serialize;
use std::fmt::{self, Display, Formatter};

/// Pairs that are explained at once.
const TOGETHER: usize = 16;

/// Changes of a pair, at most: each takes a copy of its text, and an answer.
const MOST_CHANGES: usize = 256;

/// A revision with its prediction, and what each of its changes adds to it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// What the model says of the whole revision.
    #[serde(flatten)]
    pub prediction: Prediction,
    /// Its changes, in the order of the texts.
    pub changes: Vec<ChangeEffect>,
}

/// One change of a revision.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChangeEffect {
    /// The text that was taken out.
    pub removed: String,
    /// The text that took its place.
    pub added: String,
    /// By how much the probability of the revision's label falls where this change alone is not made; nothing for the only
    /// change of a revision, without which there is none.
    pub effect: Option<f64>,
}

/// The revisions with what each of their changes adds to the probability of their most probable label: each change is left
/// out once, and the model asked again. A revision of `n` changes takes `n + 1` answers; what their prompts share is
/// computed once. `told` is given each as it comes, and ends it by saying no.
///
/// # Errors
/// When a pair can't be used or the model fails; `told` has had what came before.
pub fn explain(
    predictor: &mut Predictor,
    pairs: impl Iterator<Item = Result<Pair, DataError>>,
    told: &mut dyn FnMut(Explanation) -> bool,
) -> Result<(), PredictorError> {
    let mut pairs = pairs.peekable();
    while pairs.peek().is_some() {
        let pairs: Vec<Pair> = pairs.by_ref().take(TOGETHER).collect::<Result<_, _>>()?;
        let changes: Vec<Change<'_>> =
            pairs.iter().map(|pair| Change::of(&pair.original, &pair.revised)).collect();
        let mut asked = Vec::new();
        for (pair, change) in pairs.iter().zip(&changes) {
            let changes = change.hunks().len();
            if changes > MOST_CHANGES {
                let place = pair.place.clone();
                return Err(DataError::ManyChanges { place, changes, most: MOST_CHANGES }.into());
            }
            asked.push(pair.clone());
            if change.hunks().len() > 1 {
                let without = |hunk| Pair { revised: without(change, hunk), ..pair.clone() };
                asked.extend((0..change.hunks().len()).map(without));
            }
        }
        let mut answers = predictor.predict(asked.into_iter().map(Ok), Reading::Ahead);
        for change in &changes {
            let mut next =
                || answers.next().expect("an answer to every question").map(|answer| answer.prediction);
            let prediction = next()?;
            let (label, whole) = prediction.probabilities.highest();
            let of_label = |prediction: &Prediction| prediction.probabilities.of(label).unwrap_or_default();
            let alone = change.hunks().len() == 1;
            let effects = change.hunks().iter().map(|hunk| {
                let effect = if alone { None } else { Some(whole - of_label(&next()?)) };
                let (removed, added) = (change.removed(hunk).to_owned(), change.added(hunk).to_owned());
                Ok::<_, PredictorError>(ChangeEffect { removed, added, effect })
            });
            let changes = effects.collect::<Result<_, _>>()?;
            if !told(Explanation { prediction, changes }) {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The revised text with one change not made.
fn without(change: &Change<'_>, hunk: usize) -> String {
    let hunk = &change.hunks()[hunk];
    let revised = change.revised();
    [&revised[..hunk.added.start], change.removed(hunk), &revised[hunk.added.end..]].concat()
}

impl Display for Explanation {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let (label, probability) = self.prediction.probabilities.highest();
        let id = self.prediction.id.as_ref().map_or_else(String::new, |id| format!("{id}: "));
        writeln!(formatter, "{id}{label} {probability:.2}")?;
        for change in &self.changes {
            let effect =
                change.effect.map_or_else(|| "     –".to_owned(), |effect| format!("{effect:>+6.2}"));
            writeln!(formatter, "  {effect}  {}", marked(&change.removed, &change.added))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_is_left_out_alone() {
        let change = Change::of("He go home now.", "He goes home, now!");
        let texts: Vec<String> = (0..change.hunks().len()).map(|hunk| without(&change, hunk)).collect();
        assert_eq!(texts, ["He go home, now!", "He goes home now!", "He goes home, now."]);
    }

    #[test]
    fn an_explanation_is_shown_with_its_signs() {
        let said = r#"{"id":"7","label":"tone","probabilities":{"claim":0.25,"tone":0.75}}"#;
        let change = |removed: &str, added: &str, effect| ChangeEffect {
            removed: removed.to_owned(),
            added: added.to_owned(),
            effect,
        };
        let changes = vec![change("go", "goes", Some(0.5)), change("", "!", Some(-0.125))];
        let explanation = Explanation { prediction: serde_json::from_str(said).unwrap(), changes };
        assert_eq!(explanation.to_string(), "7: tone 0.75\n   +0.50  [-go-]{+goes+}\n   -0.12  {+!+}\n");
        let json = serde_json::to_value(&explanation).unwrap();
        assert_eq!((&json["label"], &json["changes"][1]["effect"]), (&"tone".into(), &(-0.125).into()));
    }
}

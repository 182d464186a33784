//! Both drafts and their edits as IteraTeR has them.

use super::{Annotated, Annotation};
use irtune_data::Change;
use irtune_documents::RevisionKind;
use serde::Serialize;

/// A document in IteraTeR's layout: two texts and the edits between them.
///
/// # Source
/// The files of Du et al., "Understanding Iterative Revision from Human-Written Text", 2022 (human_doc_level).
#[derive(Debug, Serialize)]
struct DocumentJson<'a> {
    doc_id: &'a str,
    before_revision: String,
    after_revision: String,
    edit_actions: Vec<EditAction>,
    /// Where each sentence of the text before begins, in characters.
    sents_char_pos: Vec<usize>,
}

/// An edit: `R` for text that another takes the place of, `A` for added and `D` for deleted text.
#[derive(Debug, Serialize)]
struct EditAction {
    #[serde(rename = "type")]
    kind: char,
    before: Option<String>,
    after: Option<String>,
    /// Where it begins and ends in the text before, in characters.
    start_char_pos: usize,
    end_char_pos: usize,
    major_intent: Option<String>,
}

/// The object, with a line end.
pub(super) fn document(annotation: &Annotation) -> String {
    let mut actions: Vec<EditAction> = annotation.changes().flat_map(actions).collect();
    actions.sort_by_key(|action| action.start_char_pos);
    let starts =
        annotation.revisions.iter().filter_map(|own| Some(own.revision.original.as_ref()?.span.start));
    let mut starts: Vec<usize> = starts.collect();
    starts.sort_unstable();
    let document = DocumentJson {
        doc_id: &annotation.new_name,
        before_revision: annotation.old.text(),
        after_revision: annotation.new.text(),
        edit_actions: actions,
        sents_char_pos: starts,
    };
    serde_json::to_string(&document).expect("texts are JSON") + "\n"
}

/// The edits of a revision, one for each place that changed; what moved is deleted here and added there.
fn actions(own: &Annotated) -> Vec<EditAction> {
    let (original, revised) = own.texts();
    let intent = own.labels().first().map(|&label| label.to_owned());
    let start = own.revision.original.as_ref().map_or(own.revision.at, |passage| passage.span.start);
    let action = |before: &str, after: &str, at: usize| {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let kind = match (before.is_empty(), after.is_empty()) {
            (true, _) => 'A',
            (_, true) => 'D',
            _ => 'R',
        };
        EditAction {
            kind,
            before: text(before),
            after: text(after),
            start_char_pos: at,
            end_char_pos: at + before.chars().count(),
            major_intent: intent.clone(),
        }
    };
    if own.revision.kind == RevisionKind::Moved {
        return vec![action(original, "", start), action("", revised, own.revision.at)];
    }
    let change = Change::of(original, revised);
    let hunks = change.hunks().iter().map(|hunk| {
        let before = original[..hunk.removed.start].chars().count();
        action(change.removed(hunk), change.added(hunk), start + before)
    });
    hunks.collect()
}

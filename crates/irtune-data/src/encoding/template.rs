//! Prompt templates: text with places for the original, the revised text and the labels.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::prompt::{Prompt, Segment};
use crate::error::DataError;
use crate::label_set::LabelSet;
use crate::reader::input::utf8;

/// A parsed prompt template; stored as its name and text.
///
/// Replaced are `{labels}`, the texts `{original}` and `{revised}`, and what changed: `{removed}` and `{added}` are the
/// texts of the hunks with ` | ` between them, `{marked}` is both texts in one, `[-old-]{+new+}` where they differ. `{{`
/// and `}}` write a brace. Task and labels should come first: what all prompts share at their beginning is computed once a
/// batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Template {
    name: String,
    text: String,
    pieces: Vec<Piece>,
    begins: bool,
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// Text that is the same for every pair.
    Text(String),
    /// The place of a text of the pair.
    Pair(Segment),
    /// The place of the labels.
    Labels,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    name: String,
    text: String,
    /// Left out where it is false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    begins: bool,
}

const INSTRUCTION: &str = "\
Name the writer's intention behind this text revision.
Intentions: {labels}

Original:
{original}

Revised:
{revised}

Intention:";

const PAIR: &str = "{original}\n{revised}";

const MARKED: &str = "\
{marked}
Removed: {removed}
Added: {added}";

const CHANGES: &str = "\
Name the writer's intention behind this text revision.
Intentions: {labels}

Original:
{original}

Revised:
{revised}

Removed: {removed}
Added: {added}

Intention:";

/// The templates that come with the crate.
const BUILT_IN: [(&str, &str); 4] =
    [("instruction", INSTRUCTION), ("pair", PAIR), ("marked", MARKED), ("changes", CHANGES)];

impl Template {
    /// The task, the labels, then both texts under headings, and a cue for the answer.
    pub fn instruction() -> Template {
        built_in("instruction", INSTRUCTION)
    }

    /// Both texts on their own lines, without any instruction.
    pub fn pair() -> Template {
        built_in("pair", PAIR)
    }

    /// A template that comes with the crate. `marked` shows both texts as one, with marks where they differ, and then what
    /// was removed and added, without a task. `changes` is `instruction` with what was removed and added after the texts.
    pub fn named(name: &str) -> Option<Template> {
        BUILT_IN.into_iter().find(|(known, _)| *known == name).map(|(name, text)| built_in(name, text))
    }

    /// The names of the templates that come with the crate.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.into_iter().map(|(name, _)| name)
    }

    /// The template of this name, or else of the file at this path.
    ///
    /// # Errors
    /// As [`Template::from_file`].
    pub fn named_or_file(name: &str) -> Result<Template, DataError> {
        Template::named(name).map_or_else(|| Template::from_file(Path::new(name)), Ok)
    }

    /// Reads a template from a file; one line end at the end of the file isn't part of it.
    ///
    /// # Errors
    /// When the file can't be read or [`Template::parse`] refuses its text.
    pub fn from_file(path: &Path) -> Result<Template, DataError> {
        let name = path.display().to_string();
        let bytes =
            std::fs::read(path).map_err(|source| DataError::Open { file: name.as_str().into(), source })?;
        let text = utf8(bytes, &name.as_str().into(), 1, 0)?;
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(&text).replace("\r\n", "\n");
        Template::parse(&name, text.strip_suffix('\n').unwrap_or(&text))
    }

    /// Parses a template; `name` is what errors call it.
    ///
    /// # Errors
    /// For an unknown or unclosed placeholder, and a template that shows no revision: none of `{revised}`, `{marked}`, and
    /// `{removed}` with `{added}`.
    pub fn parse(name: &str, text: &str) -> Result<Template, DataError> {
        let mut pieces = Vec::new();
        let mut fixed = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, brace) = rest.split_at(at);
            fixed.push_str(before);
            if let Some(after) = brace.strip_prefix("{{") {
                fixed.push('{');
                rest = after;
                continue;
            }
            if let Some(after) = brace.strip_prefix('}') {
                fixed.push('}');
                rest = after.strip_prefix('}').unwrap_or(after);
                continue;
            }
            let line = 1 + text[..text.len() - brace.len()].matches('\n').count();
            let end = brace.find(['}', '\n']).filter(|&end| brace.as_bytes()[end] == b'}');
            let Some(end) = end else {
                return Err(DataError::UnclosedPlaceholder { template: name.to_owned(), line });
            };
            let piece = match &brace[1..end] {
                "original" => Piece::Pair(Segment::Original),
                "revised" => Piece::Pair(Segment::Revised),
                "removed" => Piece::Pair(Segment::Removed),
                "added" => Piece::Pair(Segment::Added),
                "marked" => Piece::Pair(Segment::Marked),
                "labels" => Piece::Labels,
                placeholder => {
                    let (template, placeholder) = (name.to_owned(), placeholder.to_owned());
                    return Err(DataError::UnknownPlaceholder { template, line, placeholder });
                }
            };
            if !fixed.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut fixed)));
            }
            pieces.push(piece);
            rest = &brace[end + 1..];
        }
        fixed.push_str(rest);
        if !fixed.is_empty() {
            pieces.push(Piece::Text(fixed));
        }
        let has = |segment| pieces.contains(&Piece::Pair(segment));
        let lists = has(Segment::Removed) && has(Segment::Added);
        if !(has(Segment::Revised) || has(Segment::Marked) || lists) {
            return Err(DataError::ShowsNoRevision { template: name.to_owned() });
        }
        Ok(Template { name: name.to_owned(), text: text.to_owned(), pieces, begins: false })
    }

    /// A template of pieces, whose text holds its own begin token if it needs one.
    pub(super) fn of_pieces(name: String, pieces: Vec<Piece>) -> Template {
        let text = |piece: &Piece| match piece {
            Piece::Text(text) => text.replace('{', "{{").replace('}', "}}"),
            Piece::Labels => "{labels}".to_owned(),
            Piece::Pair(segment) => format!("{{{}}}", segment.placeholder()),
        };
        Template { name, text: pieces.iter().map(text).collect(), pieces, begins: true }
    }

    /// Its pieces in order; no two texts follow each other.
    pub(super) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Whether its text holds its own begin token if it needs one, so that none is to be added.
    pub fn begins(&self) -> bool {
        self.begins
    }

    /// Its name, or the file it was read from.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its text with the placeholders.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The prompt for a label set.
    pub fn prompt(&self, labels: &LabelSet) -> Prompt {
        let segments = self.pieces.iter().map(|part| match part {
            Piece::Text(text) => Segment::Text(text.clone()),
            Piece::Labels => Segment::Text(labels.names().join(", ")),
            Piece::Pair(segment) => segment.clone(),
        });
        Prompt { begins: self.begins, ..Prompt::new(segments) }
    }
}

fn built_in(name: &str, text: &str) -> Template {
    Template::parse(name, text).expect("a test parses every template of the crate")
}

impl TryFrom<Stored> for Template {
    type Error = DataError;

    fn try_from(stored: Stored) -> Result<Template, DataError> {
        Ok(Template { begins: stored.begins, ..Template::parse(&stored.name, &stored.text)? })
    }
}

impl From<Template> for Stored {
    fn from(template: Template) -> Stored {
        Stored { name: template.name, text: template.text, begins: template.begins }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels() -> LabelSet {
        LabelSet::new(["clarity", "tone"]).unwrap()
    }

    #[test]
    fn the_crates_templates_parse_and_put_task_and_labels_first() {
        let rendered = |name: &str| {
            let template = Template::named(name).unwrap();
            assert_eq!(template.name(), name);
            template.prompt(&labels()).render("A car.", "The car.")
        };
        let task = "Name the writer's intention behind this text revision.\nIntentions: clarity, tone\n\n";
        let texts = "Original:\nA car.\n\nRevised:\nThe car.\n\n";
        let text = rendered("instruction");
        assert_eq!(text, format!("{task}{texts}Intention:"));
        assert_eq!(rendered("changes"), format!("{task}{texts}Removed: A\nAdded: The\n\nIntention:"));
        assert_eq!(rendered("marked"), "[-A-]{+The+} car.\nRemoved: A\nAdded: The");
        assert_eq!(rendered("pair"), "A car.\nThe car.");
        assert_eq!(Template::names().map(rendered).count(), 4);
        assert!(Template::named("chat").is_none());
        let prompt = Template::instruction().prompt(&labels());
        // Everything before the first text is one fixed piece.
        assert_eq!(prompt.segments()[0], Segment::Text(text[..text.find("A car").unwrap()].to_owned()));
        assert_eq!(prompt.segments()[1], Segment::Original);
    }

    #[test]
    fn texts_are_not_searched_for_placeholders() {
        let prompt = Template::parse("t", "{{x}} {revised}|{original}").unwrap().prompt(&labels());
        assert_eq!(prompt.render("{revised}", "{labels}"), "{x} {labels}|{revised}");
    }

    #[test]
    fn serde_keeps_name_and_text() {
        let template = Template::parse("mine", "a {{ {revised} }").unwrap();
        let text = serde_json::to_string(&template).unwrap();
        assert_eq!(text, r#"{"name":"mine","text":"a {{ {revised} }"}"#);
        assert_eq!(serde_json::from_str::<Template>(&text).unwrap(), template);
    }

    #[test]
    fn an_unknown_placeholder_is_named_with_its_line() {
        let error = Template::parse("p.txt", "Task\n{revised} {label}").unwrap_err();
        assert!(matches!(error, DataError::UnknownPlaceholder { line: 2, .. }));
        assert_eq!(
            error.to_string(),
            "p.txt:2: unknown placeholder {label}; known are {labels}, {original}, {revised}, {removed}, {added} and \
             {marked}, and {{ writes a brace"
        );
    }

    #[test]
    fn an_open_brace_is_named_with_its_line() {
        let error = Template::parse("p.txt", "{revised}\n\n{original\n}").unwrap_err();
        assert!(matches!(error, DataError::UnclosedPlaceholder { line: 3, .. }));
        assert!(error.to_string().starts_with("p.txt:3: a brace is opened"), "{error}");
    }

    #[test]
    fn a_template_must_show_the_revision() {
        for text in ["{original} {{revised}}", "{original} {removed}", "{added}"] {
            let error = Template::parse("p.txt", text).unwrap_err();
            assert!(matches!(error, DataError::ShowsNoRevision { .. }));
            assert_eq!(
                error.to_string(),
                "p.txt: the template shows no revision; use {revised}, {marked}, or both {removed} and {added}"
            );
        }
        for text in ["{revised}", "{marked}", "{removed}{added}"] {
            assert_eq!(Template::parse("p.txt", text).unwrap().text(), text);
        }
    }

    #[test]
    fn a_template_can_show_the_change() {
        let template = Template::parse("t", "{removed}/{added}/{marked}/{revised}").unwrap();
        assert_eq!(
            template.prompt(&labels()).render("A red car.", "A car!"),
            "red | ./!/A [-red -]car[-.-]{+!+}/A car!"
        );
    }

    #[test]
    fn a_file_loses_its_mark_and_last_line_end_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.txt");
        std::fs::write(&path, "\u{FEFF}Old: {original}\r\nNew: {revised}\n\n").unwrap();
        assert_eq!(Template::from_file(&path).unwrap().text(), "Old: {original}\nNew: {revised}\n");
        std::fs::write(&path, b"ok\nab\xFFc").unwrap();
        let error = Template::from_file(&path).unwrap_err();
        assert!(matches!(error, DataError::InvalidUtf8 { line: 2, column: 3, .. }), "{error}");
        let error = Template::from_file(&folder.path().join("none")).unwrap_err();
        assert!(matches!(error, DataError::Open { .. }));
    }
}

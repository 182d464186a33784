//! An annotation as a page: one HTML file with everything in it, readable on light and dark backgrounds and in print,
//! without scripts.

use super::pieces::{Side, changes, pieces};
use super::{Annotated, Annotation, counts, text::NO_SECTION};
use crate::html_page;
use irtune_documents::{BlockKind, RevisionKind};
use maud::{Markup, html};

/// Colours that [`chart::STYLE`](crate::chart::STYLE) has.
const COLOURS: usize = 8;

/// How the page looks; what depends on the labels is in [`label_style`].
const STYLE: &str = include_str!("page.css");

/// The page.
pub(super) fn page(annotation: &Annotation) -> String {
    let title = format!("{} → {}", annotation.old_name, annotation.new_name);
    let changes = annotation.changes().count();
    let body = html! {
        header {
            h1 { "Revisions" }
            p { (title) ": " (changes) " revisions; " (annotation.revisions.len() - changes) " sentences stayed as they were." }
        }
        fieldset {
            legend { "Show" }
            @for (number, label) in annotation.labels.iter().enumerate() {
                label { input type="checkbox" id=(format!("show-{number}")) checked; span class=(format!("tag label-{number}")) { (label) } }
            }
            label { input type="checkbox" id="show-none" checked; span class="tag label-none" { "without an intention" } }
        }
        (sections(annotation))
        (drafts(annotation))
        (list(annotation))
    };
    html_page::page(&title, &[STYLE, &label_style(annotation.labels.len())], &body)
}

/// A colour for each label, and what hides it.
fn label_style(labels: usize) -> String {
    let names = (0..labels).map(|number| (number.to_string(), format!("var(--s{})", number % COLOURS)));
    let rule = |(name, colour): (String, String)| {
        let hidden = format!("body:has(#show-{name}:not(:checked))");
        format!(
            ".label-{name} {{ --label: {colour}; }}\n\
             {hidden} .revision.label-{name} {{ --label: transparent; }}\n\
             {hidden} .revision.label-{name} > :is(del, ins) {{ background: none; text-decoration: none; }}\n\
             {hidden} :is(.revision.label-{name} > .tag, tr.label-{name}) {{ display: none; }}\n"
        )
    };
    names.chain([("none".to_owned(), "var(--quiet)".to_owned())]).map(rule).collect()
}

/// The class of a revision's first label.
fn class(annotation: &Annotation, own: &Annotated) -> String {
    let first =
        own.labels().first().and_then(|first| annotation.labels.iter().position(|label| label == first));
    first.map_or_else(|| "label-none".to_owned(), |number| format!("label-{number}"))
}

fn sections(annotation: &Annotation) -> Markup {
    html! {
        section {
            h2 { "Intentions by section" }
            div class="wide" { table {
                thead { tr {
                    th scope="col" { "Section" }
                    @for label in &annotation.labels { th scope="col" { (label) } }
                    th scope="col" { "none" }
                } }
                tbody { @for counts in counts(annotation) { tr {
                    th scope="row" { (counts.section.unwrap_or(NO_SECTION)) }
                    @for count in &counts.labels { td { (count) } }
                    td { (counts.none) }
                } } }
            } }
        }
    }
}

fn probability(value: f64) -> String {
    format!("{value:.2}")
}

/// Both drafts side by side: a row for each block.
fn drafts(annotation: &Annotation) -> Markup {
    let mut rows: Vec<Vec<(usize, &Annotated)>> = Vec::new();
    let block = |own: &Annotated, side: Side| {
        let passage = match side {
            Side::Old if own.revision.kind == RevisionKind::Moved => None,
            Side::Old => own.revision.original.as_ref(),
            Side::New => own.revision.revised.as_ref(),
        };
        passage.map(|passage| passage.block)
    };
    let mut at = [None, None];
    let mut number = 0;
    for own in &annotation.revisions {
        let blocks = [block(own, Side::Old), block(own, Side::New)];
        let differs = at.iter().zip(&blocks).any(|(at, own)| own.is_some() && at.is_some() && at != own);
        if rows.is_empty() || differs {
            rows.push(Vec::new());
            at = [None, None];
        }
        at.iter_mut().zip(blocks).for_each(|(at, own)| *at = own.or(*at));
        number += usize::from(own.revision.kind != RevisionKind::Unchanged);
        rows.last_mut().expect("a row was begun").push((number, own));
    }
    html! {
        section {
            h2 { "Both drafts" }
            table class="drafts" {
                thead { tr { th scope="col" { (annotation.old_name) } th scope="col" { (annotation.new_name) } } }
                tbody { @for row in &rows { tr class=[kind(annotation, row)] {
                    td { @for (number, own) in row { (sentence(annotation, *number, own, Side::Old)) " " } }
                    td { @for (number, own) in row { (sentence(annotation, *number, own, Side::New)) " " } }
                } } }
            }
        }
    }
}

/// Whether a row is a heading.
fn kind(annotation: &Annotation, row: &[(usize, &Annotated)]) -> Option<&'static str> {
    let heading = row.iter().any(|(_, own)| {
        let old = own.revision.original.as_ref().map(|passage| &annotation.old.blocks[passage.block]);
        let new = own.revision.revised.as_ref().map(|passage| &annotation.new.blocks[passage.block]);
        new.or(old).is_some_and(|block| block.kind == BlockKind::Heading)
    });
    heading.then_some("heading")
}

/// A sentence on one side.
fn sentence(annotation: &Annotation, number: usize, own: &Annotated, side: Side) -> Markup {
    let (original, revised) = own.texts();
    let own_text = if side == Side::Old { original } else { revised };
    // What moved stands on the new side, whole: its old place is elsewhere.
    let moved_away = own.revision.kind == RevisionKind::Moved && side == Side::Old;
    if own_text.is_empty() || moved_away {
        return html! {};
    }
    if own.revision.kind == RevisionKind::Unchanged {
        return html! { (own_text) };
    }
    let tagged = match side {
        Side::New => true,
        Side::Old => revised.is_empty(),
    };
    html! {
        span class=(format!("revision {}", class(annotation, own))) id=[tagged.then(|| format!("r{number}"))] {
            (changes(&pieces(original, revised), &[side]))
            @if tagged { " " a class="tag" href=(format!("#l{number}")) { (own.told().unwrap_or_else(|| own.revision.kind.to_string())) } }
        }
    }
}

/// Every revision with all its probabilities.
fn list(annotation: &Annotation) -> Markup {
    html! {
        section {
            h2 { "Every revision" }
            div class="wide" { table class="list" {
                thead { tr {
                    th scope="col" { "No." } th scope="col" { "Kind" } th scope="col" { "Revision" } th scope="col" { "Intention" }
                    @for label in &annotation.labels { th scope="col" { (label) } }
                } }
                tbody { @for (number, own) in annotation.changes().enumerate() { tr class=(class(annotation, own)) id=(format!("l{}", number + 1)) {
                    td { a href=(format!("#r{}", number + 1)) { (number + 1) } }
                    td { (own.revision.kind) }
                    td class="text" { (changes(&pieces(own.texts().0, own.texts().1), &[Side::Old, Side::New])) }
                    td { @match own.labels().is_empty() { true => "–", false => span class="tag" { (own.labels().join(", ")) } } }
                    @for label in &annotation.labels { td {
                        @if let Some(value) = own.prediction.as_ref().and_then(|prediction| prediction.probabilities.of(label)) { (probability(value)) }
                    } }
                } } }
            } }
        }
    }
}

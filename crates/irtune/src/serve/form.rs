//! The page that takes two drafts.

use std::sync::Arc;

use axum::extract::State as From;
use axum::response::Html;
use irtune_documents::Format;
use maud::{Markup, html};
use strum::VariantNames as _;

use super::state::State;
use crate::html_page;

/// How the page looks.
const STYLE: &str = include_str!("form.css");

/// The page: its form is answered with the page of revisions.
pub(super) async fn page(From(state): From<Arc<State>>) -> Html<String> {
    let body = html! {
        h1 { "Why was it revised?" }
        p { "Two drafts in, every revision with its intention out. The model is " strong { (state.name) } "; it tells "
            (state.labels.join(", ")) ". Drafts are not kept." }
        form method="post" action="/v1/annotate" enctype="multipart/form-data" {
            (drafts(14))
            label { "Answer with " select name="output" {
                option value="html" { "a page" }
                option value="docx" { "a Word document with comments" }
                option value="csv" { "a table (CSV)" }
                option value="jsonl" { "JSON lines" }
                option value="json" { "an IteraTeR document" }
            } }
            button type="submit" { "Show the revisions" }
        }
    };
    Html(html_page::page("irtune", &[STYLE], &body))
}

/// The fields of a form that takes two drafts, with so many rows of text, and how they are written.
pub(super) fn drafts(rows: usize) -> Markup {
    let draft = |name: &str, title: &str, hint: &str| {
        html! {
            fieldset {
                legend { (title) }
                label { "A file " input type="file" name=(name); }
                label { "or its text" textarea name=(name) rows=(rows) {} }
                p { (hint) }
            }
        }
    };
    html! {
        div class="drafts" {
            (draft("old", "The old draft", "Text, Markdown, LaTeX or Word. A Word document with tracked changes is both drafts."))
            (draft("new", "The new draft", "Leave it empty for tracked changes."))
        }
        label { "Texts are written in " select name="format" {
            option value="" { "what the file's name says" }
            @for format in Format::VARIANTS { option value=(format) { (format) } }
        } }
    }
}

//! The frame of every page of labelling.

use axum::response::Html;
use irtune_labelling::store::LONGEST_NAME;
use maud::{Markup, html};

use super::annotator::Annotator;
use crate::html_page;

/// The pages that every page leads to.
const PAGES: [(&str, &str); 4] = [
    ("/", "Documents"),
    ("/labelling/next", "Annotate next"),
    ("/labelling/agreement", "Agreement"),
    ("/labelling/training", "Train again"),
];

/// A page; `path` is its own.
pub(super) fn page(path: &str, title: &str, annotator: &Annotator, body: &Markup) -> Html<String> {
    let name = annotator.0.as_deref().unwrap_or_default();
    let head = html! {
        link rel="stylesheet" href="/labelling/style.css";
        script src="/labelling/script.js" defer {}
    };
    let body = html! {
        header {
            nav aria-label="Pages" {
                @for (target, name) in PAGES { a href=(target) aria-current=[(target == path).then_some("page")] { (name) } }
            }
            form id="name" {
                label for="name-field" { "Your name" }
                input id="name-field" name="name" autocomplete="name" maxlength=(LONGEST_NAME) required value=(name);
                button type="submit" { "That's me" }
            }
            button type="button" data-post="/labelling/undo" data-reload { "Undo my last step" }
            p id="status" role="status" aria-live="polite" {}
        }
        main { h1 { (title) } (body) }
    };
    Html(html_page::framed(&format!("{title} – irtune"), &head, &body))
}

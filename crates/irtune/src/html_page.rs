//! The frame of every page, readable on light and dark backgrounds.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::chart;

/// A page with a title and a body, one file with everything in it, without scripts; `styles` follow those of charts, whose colours they may use.
pub(crate) fn page(title: &str, styles: &[&str], body: &Markup) -> String {
    let style = html! { style { (PreEscaped(chart::STYLE)) @for style in styles { (PreEscaped(style)) } } };
    framed(title, &style, body)
}

/// A page whose head has `more` too, such as its style.
pub(crate) fn framed(title: &str, more: &Markup, body: &Markup) -> String {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                (more)
            }
            body { (body) }
        }
    };
    markup.into_string()
}

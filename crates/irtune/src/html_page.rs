//! The frame of every page: one HTML file with everything in it, readable on light and dark backgrounds, without scripts.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::chart;

/// A page with a title and a body; `styles` follow those of charts, whose colours they may use.
pub(crate) fn page(title: &str, styles: &[&str], body: &Markup) -> String {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(chart::STYLE)) @for style in styles { (PreEscaped(style)) } }
            }
            body { (body) }
        }
    };
    markup.into_string()
}

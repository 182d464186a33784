//! The page's script and how it looks.

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use crate::chart;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("script.js");

/// How the pages look.
pub(super) async fn style() -> Response {
    let colours: String =
        (0..8).map(|colour| format!(".label-{colour} {{ --label: var(--s{colour}); }}\n")).collect();
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], format!("{}{STYLE}{colours}", chart::STYLE)).into_response()
}

/// What the pages do.
pub(super) async fn script() -> Response {
    ([(CONTENT_TYPE, "text/javascript; charset=utf-8")], SCRIPT).into_response()
}

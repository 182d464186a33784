//! Who is at the page: a name that a person types once.

use std::convert::Infallible;

use axum::Json;
use axum::extract::FromRequestParts;
use axum::extract::rejection::JsonRejection;
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use irtune_labelling::store::{StoreError, annotator_name};
use serde::Deserialize;

use crate::serve::failure::ApiFailure;

/// The cookie with the name, in base64 since names have any letters.
const NAME: &str = "irtune-name";

/// Who is at the page, if they said it.
#[derive(Debug, Clone)]
pub(super) struct Annotator(pub Option<String>);

impl Annotator {
    /// The name.
    ///
    /// # Errors
    /// When they didn't say it.
    pub fn known(self) -> Result<String, ApiFailure> {
        self.0.ok_or_else(|| ApiFailure::Request("say who you are first: type your name at the top".into()))
    }
}

impl<S: Sync> FromRequestParts<S> for Annotator {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let cookies = parts.headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut own = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|cookie| {
            let (name, value) = cookie.trim().split_once('=')?;
            (name == NAME).then_some(value)
        });
        let name = own.next().and_then(|value| String::from_utf8(URL_SAFE_NO_PAD.decode(value).ok()?).ok());
        Ok(Annotator(name.as_deref().and_then(annotator_name).map(str::to_owned)))
    }
}

/// Who somebody is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Introduction {
    name: String,
}

/// Remembers a name in the browser.
pub(super) async fn name(
    introduction: Result<Json<Introduction>, JsonRejection>,
) -> Result<Response, ApiFailure> {
    let Json(introduction) = introduction?;
    let name = annotator_name(&introduction.name).ok_or(StoreError::Name)?;
    let value = URL_SAFE_NO_PAD.encode(name);
    let cookie = format!("{NAME}={value}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Strict");
    Ok(([(SET_COOKIE, cookie)], Json(serde_json::json!({ "said": format!("Hello, {name}.") })))
        .into_response())
}

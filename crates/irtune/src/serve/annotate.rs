//! `/v1/annotate`: two drafts in, their revisions out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::State as From;
use axum::extract::multipart::{Multipart, MultipartError, MultipartRejection};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use irtune_documents::Format;
use utoipa::ToSchema;

use super::failure::{ApiError, ApiFailure};
use super::state::State;
use crate::annotate::{Annotation, Drafts, Output};

/// A form of two drafts.
#[derive(Debug, Default, ToSchema)]
pub(super) struct AnnotateForm {
    /// The old draft: a file, or its text.
    #[schema(value_type = String, format = Binary)]
    old: Draft,
    /// The new draft; left out for a Word document with tracked changes. Empty where all was deleted.
    #[schema(value_type = Option<String>, format = Binary)]
    new: Draft,
    /// How drafts are written whose names don't say it: text, markdown, latex or docx.
    #[schema(value_type = Option<String>)]
    format: Option<Format>,
    /// What is answered: html, jsonl (what is answered by default), csv, docx, or json, IteraTeR's layout of documents.
    #[schema(value_type = Option<String>)]
    output: Option<Output>,
}

/// A draft as it came.
#[derive(Debug, Default)]
struct Draft {
    name: Option<String>,
    bytes: Vec<u8>,
    /// Fields of its name, empty ones included.
    fields: usize,
}

impl Draft {
    /// Takes what a field holds.
    ///
    /// # Errors
    /// When another field has held it already.
    fn take(&mut self, field: &str, file: Option<String>, bytes: Vec<u8>) -> Result<(), ApiFailure> {
        self.fields += 1;
        // The page's form has a field for a file and one for a text, one of them empty.
        if bytes.is_empty() {
            return Ok(());
        }
        if !self.bytes.is_empty() {
            return Err(ApiFailure::Request(format!(
                "there are two drafts {field:?}: send one, as a file or as text"
            )));
        }
        (self.name, self.bytes) = (file.filter(|file| !file.is_empty()), bytes);
        Ok(())
    }

    /// Whether there is one. The one field of a program may be an empty draft; the page has no way to send one.
    fn is_there(&self) -> bool {
        !self.bytes.is_empty() || self.fields == 1
    }
}

impl AnnotateForm {
    /// Reads a form.
    ///
    /// # Errors
    /// When it is none, or has other fields.
    pub async fn read(mut form: Multipart) -> Result<AnnotateForm, ApiFailure> {
        let mut read = AnnotateForm::default();
        while let Some(field) = form.next_field().await? {
            let name = field.name().unwrap_or_default().to_owned();
            // The last part of what a browser says is the file's name.
            let file =
                field.file_name().map(|file| file.rsplit(['/', '\\']).next().unwrap_or_default().to_owned());
            let bytes = field.bytes().await?.to_vec();
            let text = || String::from_utf8_lossy(&bytes).into_owned();
            match name.as_str() {
                "old" => read.old.take("old", file, bytes)?,
                "new" => read.new.take("new", file, bytes)?,
                "format" if bytes.is_empty() => {}
                "format" if read.format.is_some() => return Err(twice("format")),
                "output" if read.output.is_some() => return Err(twice("output")),
                "format" => {
                    let format = text().parse::<Format>();
                    read.format = Some(format.map_err(|error| ApiFailure::Request(error.to_string()))?);
                }
                "output" => {
                    let output = text().parse::<Output>();
                    read.output = Some(output.map_err(|error| ApiFailure::Request(error.to_string()))?);
                }
                _ => {
                    return Err(ApiFailure::Request(format!(
                        "there is no field {name:?}: old, new, format and output are"
                    )));
                }
            }
        }
        Ok(read)
    }

    /// The drafts in it.
    ///
    /// # Errors
    /// When there are none, or they can't be read.
    pub fn drafts(&self) -> Result<Drafts, ApiFailure> {
        if self.old.fields == 0 || (self.old.bytes.is_empty() && !self.new.is_there()) {
            return Err(ApiFailure::Request("the form lacks a draft: old and new are its fields".into()));
        }
        let old = self.old.name.as_deref().unwrap_or("the old draft");
        let new = self.new.name.as_deref().unwrap_or("the new draft");
        let second = self.new.is_there().then_some((new, self.new.bytes.as_slice()));
        Ok(Drafts::read((old, &self.old.bytes), second, self.format)?)
    }
}

fn twice(field: &str) -> ApiFailure {
    ApiFailure::Request(format!("the field {field:?} stands twice"))
}

/// Set once nobody waits for the answer any more.
#[derive(Default)]
struct GivenUp(Arc<AtomicBool>);

impl Drop for GivenUp {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The revisions between a form's drafts, of which nothing is said yet.
///
/// # Errors
/// When the drafts can't be read.
pub(super) async fn aligned(form: AnnotateForm, labels: Vec<String>) -> Result<Annotation, ApiFailure> {
    let waiting = GivenUp::default();
    let given_up = waiting.0.clone();
    // Long drafts take a while to align, on a thread of its own that ends when the request does.
    let aligned = tokio::task::spawn_blocking(move || {
        let drafts = form.drafts()?;
        Annotation::of_while(drafts, labels, &|| !given_up.load(Ordering::Relaxed)).ok_or(ApiFailure::Slow)
    });
    aligned.await.map_err(|_| ApiFailure::Broken)?
}

/// Aligns two drafts and tells why each revision was made.
#[utoipa::path(
    post,
    path = "/v1/annotate",
    request_body(content = AnnotateForm, content_type = "multipart/form-data"),
    responses(
        (status = 200, description = "the revisions, as `irtune annotate` writes them"),
        (status = 413, body = ApiError),
        (status = 415, body = ApiError),
        (status = 422, body = ApiError),
    )
)]
pub(super) async fn annotate(
    From(state): From<Arc<State>>,
    form: Result<Multipart, MultipartRejection>,
) -> Result<Response, ApiFailure> {
    let form = form.map_err(|_| ApiFailure::NoForm)?;
    let form = AnnotateForm::read(form).await?;
    let output = form.output.unwrap_or(Output::Jsonl);
    let labels = state.labels.clone();
    let mut annotation = aligned(form, labels).await?;
    let predictions = state.classify(annotation.questions()).await?;
    annotation.answer(predictions);
    Ok(written(output, &annotation))
}

/// An annotation as an answer.
pub(super) fn written(output: Output, annotation: &Annotation) -> Response {
    let kind = match output {
        Output::Html => "text/html; charset=utf-8",
        Output::Jsonl => "application/x-ndjson",
        Output::M2 => "text/plain; charset=utf-8",
        Output::Csv => "text/csv; charset=utf-8",
        Output::Json => "application/json",
        Output::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    };
    if output == Output::Docx {
        let saved = (CONTENT_DISPOSITION, "attachment; filename=\"revisions.docx\"");
        return ([(CONTENT_TYPE, kind), saved], output.write(annotation)).into_response();
    }
    ([(CONTENT_TYPE, kind)], output.write(annotation)).into_response()
}

impl std::convert::From<MultipartError> for ApiFailure {
    fn from(error: MultipartError) -> Self {
        if error.status() == StatusCode::BAD_REQUEST {
            return ApiFailure::Request(error.body_text());
        }
        ApiFailure::Body(error.status(), error.body_text())
    }
}

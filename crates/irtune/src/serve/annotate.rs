//! `/v1/annotate`: two drafts in, their revisions out.

use std::sync::Arc;

use axum::extract::State as From;
use axum::extract::multipart::{Multipart, MultipartError, MultipartRejection};
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
    /// The new draft; left out for a Word document with tracked changes.
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
                // A form has a field for a file and one for a text, one of them empty.
                "old" | "new" if bytes.is_empty() => {}
                "old" => read.old = Draft { name: file.filter(|file| !file.is_empty()), bytes },
                "new" => read.new = Draft { name: file.filter(|file| !file.is_empty()), bytes },
                "format" if bytes.is_empty() => {}
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
        if self.old.bytes.is_empty() && self.new.bytes.is_empty() {
            return Err(ApiFailure::Request("the form holds no draft: old and new are its fields".into()));
        }
        let old = self.old.name.as_deref().unwrap_or("the old draft");
        let new = self.new.name.as_deref().unwrap_or("the new draft");
        let second = (!self.new.bytes.is_empty()).then_some((new, self.new.bytes.as_slice()));
        Ok(Drafts::read((old, &self.old.bytes), second, self.format)?)
    }
}

/// Aligns two drafts and tells why each revision was made.
#[utoipa::path(
    post,
    path = "/v1/annotate",
    request_body(content = AnnotateForm, content_type = "multipart/form-data"),
    responses(
        (status = 200, description = "the revisions, as `irtune annotate` writes them"),
        (status = 413, body = ApiError),
        (status = 422, body = ApiError),
    )
)]
pub(super) async fn annotate(
    From(state): From<Arc<State>>,
    form: Result<Multipart, MultipartRejection>,
) -> Result<Response, ApiFailure> {
    let form = form.map_err(|rejection| ApiFailure::Body(rejection.status(), rejection.body_text()))?;
    let form = AnnotateForm::read(form).await?;
    let output = form.output.unwrap_or(Output::Jsonl);
    let labels = state.labels.clone();
    // Long drafts take a while to align.
    let aligned =
        tokio::task::spawn_blocking(move || Ok::<_, ApiFailure>(Annotation::of(form.drafts()?, labels)))
            .await;
    let mut annotation = aligned.map_err(|_| ApiFailure::Broken)??;
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
        ApiFailure::Body(error.status(), error.body_text())
    }
}

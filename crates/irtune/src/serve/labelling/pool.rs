//! Pairs that are imported to be labelled.

use axum::extract::State as From;
use axum::extract::multipart::{Multipart, MultipartRejection};
use axum::response::Redirect;
use irtune_data::{Columns, CorpusSource, Labels};
use irtune_labelling::store::PoolPair;

use super::context::Labelling;
use super::predictions;
use crate::serve::failure::ApiFailure;

/// Takes a file of pairs and leads back to the list. Labels in it are not looked at.
pub(super) async fn add(
    From(labelling): From<Labelling>,
    form: Result<Multipart, MultipartRejection>,
) -> Result<Redirect, ApiFailure> {
    let mut form = form.map_err(|_| ApiFailure::NoForm)?;
    let field = form.next_field().await?.filter(|field| field.name() == Some("pairs"));
    let field =
        field.ok_or_else(|| ApiFailure::Request("the form holds no file in its field pairs".into()))?;
    let name =
        field.file_name().and_then(|name| name.rsplit(['/', '\\']).next()).unwrap_or("pairs").to_owned();
    let bytes = field.bytes().await?.to_vec();
    if form.next_field().await?.is_some() {
        return Err(ApiFailure::Request("import one file at a time".into()));
    }
    let file = name.clone();
    let read = tokio::task::spawn_blocking(move || {
        let source = CorpusSource::Content { name: file.as_str().into(), bytes: bytes.into() };
        // Unlike what prediction reads, documents are of interest here.
        source.pairs(&Columns::default(), Labels::Optional)?.collect::<Result<Vec<_>, _>>()
    });
    let pairs = read.await.map_err(|_| ApiFailure::Broken)?;
    let pairs = pairs.map_err(|error| ApiFailure::Request(error.to_string()))?;
    let pairs = pairs.into_iter().map(|pair| PoolPair {
        original: pair.original,
        revised: pair.revised,
        group: pair.group,
        name: pair.id.map(|id| id.to_string()),
    });
    let pairs: Vec<PoolPair> = pairs.collect();
    if labelling.stored(move |store| store.add_pool(&name, pairs)).await? == 0 {
        return Err(ApiFailure::Conflict("all pairs of this file are in the project already".into()));
    }
    predictions::ask_for_missing(&labelling);
    Ok(Redirect::to("/"))
}

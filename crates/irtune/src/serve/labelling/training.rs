//! A model trained again on what people said, and taken when a person says so.

use std::path::PathBuf;
use std::sync::PoisonError;

use axum::Json;
use axum::extract::State as From;
use axum::extract::rejection::JsonRejection;
use axum::response::Html;
use irtune_labelling::store::{Decision, ModelId, ModelState, StoredModel};
use irtune_train::Predictor;
use maud::{Markup, html};
use serde::Deserialize;

use super::annotator::Annotator;
use super::context::Labelling;
use super::project::name;
use super::retrain::{Comparison, Job, Start, begin, is_begun, own_pairs};
use super::say::Kept;
use super::{frame, predictions};
use crate::serve::failure::ApiFailure;

/// The models, and the button that trains one.
pub(super) async fn page(
    From(labelling): From<Labelling>,
    annotator: Annotator,
) -> Result<Html<String>, ApiFailure> {
    let kind = labelling.server.current().kind();
    let read = labelling.stored(move |store| {
        let pairs = store.training_pairs(kind)?.len();
        Ok((store.models()?, store.accepted()?, pairs))
    });
    let (models, accepted, pairs) = read.await?;
    let project = labelling.project.clone();
    let own = tokio::task::spawn_blocking(move || own_pairs(&project.run, &project.predictor));
    let own = own.await.map_err(|_| ApiFailure::Broken)?;
    let running = running(&labelling);
    let body = html! {
        p { "People labelled " (pairs) " revisions. The model at work is " strong { (labelling.server.current().state.name) } "." }
        @if let Some(model) = running {
            section aria-label="Training" {
                p id="progress" data-poll="/labelling/training/progress" role="status" aria-live="polite" { "Model " (model) " is trained." }
                button type="button" data-post="/labelling/training/cancel" { "Stop it; it can be continued" }
            }
        } @else {
            form id="train" {
                @if let Some(own) = own {
                    label { input type="checkbox" name="own" checked; " with the " (own) " training pairs of the run" }
                } @else {
                    p { "The run's own training pairs are not there any more, so a new model learns from these labels alone." }
                }
                button type="submit" { "Train again" }
            }
        }
        @for model in &models { (one(model, accepted.as_ref().map(|model| model.id) == Some(model.id), running)) }
    };
    Ok(frame::page("/labelling/training", "Train again", &annotator, &body))
}

fn one(model: &StoredModel, used: bool, running: Option<ModelId>) -> Markup {
    let comparison: Option<Comparison> =
        model.comparison.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let body = |decision: &str| serde_json::json!({ "model": model.id, "decision": decision }).to_string();
    let row = |what: &str, [before, after]: [f64; 2]| {
        html! { tr { th scope="row" { (what) } td { (format!("{before:.3}")) } td { (format!("{after:.3}")) } } }
    };
    html! {
        section id=(format!("model-{}", model.id)) {
            h2 { "Model " (model.id) @if used { " (at work)" } }
            p { "From " (model.pairs) " labelled revisions: " (model.state) @if let Some(message) = &model.message { ". " (message) } }
            @if let Some(comparison) = &comparison {
                table {
                    caption { "On " (comparison.held_out) " (" (comparison.pairs) ")" }
                    thead { tr { th scope="col" {} th scope="col" { "before" } th scope="col" { "after" } } }
                    tbody {
                        (row("macro-F1", comparison.macro_f1)) (row("accuracy", comparison.accuracy)) (row("loss", comparison.loss))
                        @for label in &comparison.labels { (row(&format!("F1 of {} ({})", label.label, label.pairs), label.f1)) }
                    }
                }
            }
            @if model.state == ModelState::Finished && !used {
                button type="button" data-post="/labelling/training/judge" data-body=(body("accepted")) data-reload { "Take this model" }
                @if model.decision.is_none() {
                    " " button type="button" data-post="/labelling/training/judge" data-body=(body("declined")) data-reload { "Decline it" }
                }
            }
            @if model.decision == Some(Decision::Declined) { p { "Declined." } }
            @if model.state == ModelState::Cancelled && running.is_none() {
                button type="button" data-post="/labelling/training/resume" data-body=(serde_json::json!({ "model": model.id })) data-reload { "Continue" }
            }
        }
    }
}

/// What to train on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    /// Whether the run's own training pairs are taken too.
    own: bool,
}

/// Trains a model.
pub(super) async fn start(
    From(labelling): From<Labelling>,
    wish: Result<Json<Wish>, JsonRejection>,
) -> Result<Json<Kept>, ApiFailure> {
    let Json(Wish { own }) = wish?;
    let kind = labelling.server.current().kind();
    let pairs = labelling.stored(move |store| store.training_pairs(kind)).await?;
    if pairs.is_empty() {
        return Err(ApiFailure::Request("nobody labelled anything yet".into()));
    }
    let count = pairs.len();
    let make = move |store: &mut irtune_labelling::store::Store| store.begin_model("runs", count);
    let model = match running(&labelling) {
        None => labelling.stored(make).await?,
        Some(model) => return Err(busy(model)),
    };
    let said = format!("{} is trained.", name(&model));
    launch(&labelling, &model, Start::New { pairs, own })?;
    Ok(Json(Kept { said }))
}

/// The model that is meant.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Meant {
    model: ModelId,
}

/// Continues a model that was stopped, or whose server was.
pub(super) async fn resume(
    From(labelling): From<Labelling>,
    meant: Result<Json<Meant>, JsonRejection>,
) -> Result<Json<Kept>, ApiFailure> {
    let Json(Meant { model: id }) = meant?;
    if let Some(model) = running(&labelling) {
        return Err(busy(model));
    }
    let kind = labelling.server.current().kind();
    let (model, pairs) =
        labelling.stored(move |store| Ok((store.model(id)?, store.training_pairs(kind)?))).await?;
    if model.state != ModelState::Cancelled {
        return Err(ApiFailure::Conflict(format!("model {id} was not stopped")));
    }
    labelling.stored(move |store| store.set_model(id, ModelState::Training, None, None)).await?;
    // One that was killed before it had a folder begins anew.
    let begun = is_begun(&labelling.project.folder.join(&model.folder));
    let start = if begun { Start::Resumed } else { Start::New { pairs, own: true } };
    launch(&labelling, &model, start)?;
    Ok(Json(Kept { said: format!("{} is continued.", name(&model)) }))
}

fn launch(labelling: &Labelling, model: &StoredModel, start: Start) -> Result<(), ApiFailure> {
    let project = &labelling.project;
    let job = Job {
        model: model.id,
        out: project.folder.join(&model.folder),
        run: project.run.clone(),
        predictor: project.predictor.clone(),
        before: at_work(labelling),
        start,
    };
    let mut slot = project.retraining.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(other) = &*slot {
        return Err(busy(other.model));
    }
    let (project, id) = (project.clone(), model.id);
    *slot = Some(begin(job, move |ended| {
        let mut store = project.store.lock().unwrap_or_else(PoisonError::into_inner);
        // Where not even that can be kept, the model is one whose training was cut off.
        let _ = store.set_model(id, ended.state, ended.message.as_deref(), ended.comparison.as_deref());
        drop(store);
        *project.retraining.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }));
    Ok(())
}

/// The run folder of the model at work.
fn at_work(labelling: &Labelling) -> PathBuf {
    // A key of a model of the project is its folder below it; that of the run is its whole path.
    labelling.project.folder.join(&*labelling.server.current().key)
}

fn running(labelling: &Labelling) -> Option<ModelId> {
    let slot = labelling.project.retraining.lock().unwrap_or_else(PoisonError::into_inner);
    slot.as_ref().map(|retraining| retraining.model)
}

fn busy(model: ModelId) -> ApiFailure {
    ApiFailure::Conflict(format!("model {model} is being trained; stop it first, or wait"))
}

/// How far the training at hand is.
pub(super) async fn progress(From(labelling): From<Labelling>) -> Json<serde_json::Value> {
    let slot = labelling.project.retraining.lock().unwrap_or_else(PoisonError::into_inner);
    Json(match &*slot {
        None => serde_json::json!({ "running": false }),
        Some(retraining) => {
            let (model, progress) = (retraining.model, retraining.progress());
            let said = match progress.total {
                0 => format!("Model {model}: {}.", progress.phase),
                total => format!("Model {model}: {}, step {} of {total}.", progress.phase, progress.step),
            };
            serde_json::json!({ "running": true, "model": model, "progress": progress, "said": said })
        }
    })
}

/// Stops the training at hand after its step.
pub(super) async fn cancel(From(labelling): From<Labelling>) -> Json<Kept> {
    let slot = labelling.project.retraining.lock().unwrap_or_else(PoisonError::into_inner);
    let said = match &*slot {
        None => "Nothing is being trained.",
        Some(retraining) => {
            retraining.cancel();
            "It stops after this step."
        }
    };
    Json(Kept { said: said.to_owned() })
}

/// What a person says of a model.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Judgement {
    model: ModelId,
    decision: Verdict,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Accepted,
    Declined,
}

/// Takes a model into use, or declines it.
pub(super) async fn judge(
    From(labelling): From<Labelling>,
    annotator: Annotator,
    judgement: Result<Json<Judgement>, JsonRejection>,
) -> Result<Json<Kept>, ApiFailure> {
    let (Json(Judgement { model: id, decision }), person) = (judgement?, annotator.known()?);
    let model = labelling.stored(move |store| store.model(id)).await?;
    if decision == Verdict::Declined {
        labelling.stored(move |store| store.judge(id, &person, Decision::Declined)).await?;
        return Ok(Json(Kept { said: format!("{} is declined.", name(&model)) }));
    }
    let project = labelling.project.clone();
    let folder = project.folder.join(&model.folder);
    let opened = tokio::task::spawn_blocking(move || Predictor::open(&folder, &project.predictor));
    let opened = opened.await.map_err(|_| ApiFailure::Broken)?;
    let predictor = opened.map_err(|error| ApiFailure::Conflict(error.to_string()))?;
    labelling.stored(move |store| store.judge(id, &person, Decision::Accepted)).await?;
    labelling.server.swap(predictor, name(&model), &model.folder);
    predictions::ask_for_missing(&labelling);
    Ok(Json(Kept { said: format!("{} is at work.", name(&model)) }))
}

//! The description of all paths, for programs.

use axum::Json;
use utoipa::OpenApi;

/// The paths that programs ask.
#[derive(OpenApi)]
#[openapi(
    info(title = "irtune", description = "Why was a text revised?"),
    paths(
        super::classify::classify,
        super::annotate::annotate,
        super::predict::predict,
        super::predict::info,
        super::vllm::classify,
        super::label_studio::setup,
        super::label_studio::predict,
        super::label_studio::webhook
    )
)]
struct Description;

/// The description, by OpenAPI 3.1.
pub(super) async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(Description::openapi())
}

//! Which path is whose. Trailing slashes are gone before this table is asked.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, StatusCode};
use axum::routing::{get, post};

use super::app::App;
use super::error::ApiError;
use super::{data, datasets, files, login, openapi, tables, upload};

/// The routes over a server's state.
pub fn routes(app: App) -> Router {
    Router::new()
        .route("/openapi.json", get(openapi::openapi))
        .route("/api-token-auth", post(login::login))
        .route("/api/v2/auth/token/generate", post(login::login))
        .route("/api-token-refresh", post(login::refresh))
        .route("/api/v2/auth/token/refresh", post(login::refresh))
        .route("/api-token-verify", post(login::verify))
        .route("/api/v2/auth/token/verify", post(login::verify))
        .route("/api/v2/auth/pkey/jwt", get(login::personal_key).post(login::personal_key))
        .route("/api/v2/o/{org}/switch", post(login::switch))
        .route("/api/v2/files", get(files::list).post(files::create))
        .route("/api/v2/files/{file_id}", get(files::get).patch(files::patch).delete(files::delete))
        .route("/api/v2/files/{file_id}/data", get(data::download))
        .route("/api/v2/files/{file_id}/tables/{table}", get(tables::download))
        .route("/api/v2/upload/files/{file_id}", post(upload::upload))
        .route("/api/v2/upload/datasets", post(datasets::create))
        .fallback(not_found)
        .method_not_allowed_fallback(not_allowed)
        // Every handler bounds its body by its own limit.
        .layer(DefaultBodyLimit::disable())
        .with_state(app)
}

async fn not_found() -> ApiError {
    ApiError::not_found()
}

async fn not_allowed(method: Method) -> ApiError {
    let detail = format!("Method \"{method}\" not allowed.");
    ApiError::detail(StatusCode::METHOD_NOT_ALLOWED, detail)
}

//! `/openapi.json`: what the routes say about themselves.

use std::sync::LazyLock;

use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::record::{FileRecord, TableSchema};
use super::{data, datasets, files, login, tables, upload};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "tablemill",
        description = "Upload any table-shaped file, have it parsed, iterate, and point a dataset \
                       at it. Every route answers with and without its trailing slash."
    ),
    paths(
        login::login,
        login::refresh,
        login::verify,
        login::personal_key,
        login::switch,
        files::list,
        files::create,
        files::get,
        files::patch,
        files::delete,
        upload::upload,
        data::download,
        tables::download,
        datasets::create,
    ),
    components(schemas(FileRecord, TableSchema)),
    modifiers(&Bearer),
)]
struct Description;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        let components = description.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    }
}

/// `GET /openapi.json`.
pub async fn openapi() -> impl IntoResponse {
    static JSON: LazyLock<String> =
        LazyLock::new(|| Description::openapi().to_json().unwrap_or_default());
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], JSON.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_described() {
        let description = serde_json::to_value(Description::openapi()).unwrap();
        let paths = description["paths"].as_object().unwrap();
        assert!(paths["/api/v2/files/"]["get"].is_object());
        assert!(paths["/api/v2/files/"]["post"].is_object());
        assert!(paths.contains_key("/api/v2/upload/files/{file_id}"));
        assert!(description["components"]["schemas"]["FileRecord"].is_object());
        assert!(description["components"]["securitySchemes"]["bearer"].is_object());
    }
}

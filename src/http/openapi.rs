//! `/openapi.json`: what the routes say about themselves.

use std::sync::LazyLock;

use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use utoipa::OpenApi;
use utoipa::openapi::path::HttpMethod;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};

use super::record::{FileRecord, TableSchema};
use super::routes::table;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "tablemill",
        description = "Upload any table-shaped file, have it parsed, iterate, and point a dataset \
                       at it. Every route answers with and without its trailing slash."
    ),
    components(schemas(FileRecord, TableSchema))
)]
struct Description;

/// The description of every route of the table, each path and method with an id of its own.
fn description() -> utoipa::openapi::OpenApi {
    let mut description = Description::openapi();
    for route in table() {
        for path in &route.paths {
            for method in &route.methods {
                let mut operation = route.operation.clone();
                operation.operation_id = Some(operation_id(method, path));
                description.paths.add_path_operation(path, vec![method.clone()], operation);
            }
        }
    }
    let components = description.components.get_or_insert_default();
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    let key = ApiKeyValue::with_description("Authorization", "`PersonalKey <id>:<secret>`");
    components.add_security_scheme("personal_key", SecurityScheme::ApiKey(ApiKey::Header(key)));
    description
}

/// `get_api_v2_files_file_id`: generators of clients want a name, and no two alike.
fn operation_id(method: &HttpMethod, path: &str) -> String {
    let method = serde_json::to_value(method).unwrap_or_default();
    let method = method.as_str().map(str::to_owned).into_iter();
    let words = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    method.chain(words.map(str::to_owned)).collect::<Vec<_>>().join("_")
}

/// `GET /openapi.json`.
#[utoipa::path(
    get, path = "/openapi.json", tag = "description",
    responses((status = 200, description = "this document")),
)]
pub async fn openapi() -> impl IntoResponse {
    static JSON: LazyLock<String> = LazyLock::new(|| description().to_json().unwrap_or_default());
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], JSON.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_described() {
        let description = serde_json::to_value(description()).unwrap();
        let paths = description["paths"].as_object().unwrap();
        for route in table() {
            assert!(!route.methods.is_empty(), "{:?}", route.paths);
            for path in &route.paths {
                for method in &route.methods {
                    let method = serde_json::to_value(method).unwrap();
                    assert!(paths[path][method.as_str().unwrap()].is_object(), "{method} {path}");
                }
            }
        }
        assert_eq!(
            paths["/api/v2/files/{file_id}"]["get"]["operationId"],
            "get_api_v2_files_file_id"
        );
        assert!(description["components"]["schemas"]["FileRecord"].is_object());
        assert!(description["components"]["securitySchemes"]["bearer"].is_object());
    }
}

//! Datasets made of files: references and bindings are checked, and the tables are frozen as they
//! are now.
//!
//! Direct data on a dataset, listing, deleting and sharing are not built yet; their routes answer
//! 404 in the envelope of all dataset routes. What they will need is here: a dataset's row keeps its
//! body and its views, and a view is a table's description and blob.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::app::App;
use super::auth::Caller;
use super::bindings::{BadBindings, Encodings};
use super::error::{ApiError, ApiResult, json_response};
use super::files::{member_organisation, read_fields};
use crate::store::{DatasetRow, FileRow, FrozenView, Role, StoredTable, is_id, new_id, now};

/// What is kept of the body, as it was sent.
const KEPT: &[&str] = &[
    "name",
    "description",
    "node_encodings",
    "edge_encodings",
    "metadata",
    "edge_files",
    "node_files",
    "edge_hypergraph_transform",
];

const UNPROCESSABLE: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;

/// `POST /api/v2/upload/datasets/`: encodings over the tables of files.
#[utoipa::path(
    post, path = "/api/v2/upload/datasets/", tag = "datasets", security(("bearer" = [])),
    request_body(
        content = Object,
        description = "`edge_encodings`, `node_encodings`, `edge_files`, `node_files`, `metadata` \
                       and perhaps `name`, `description`, `org_name`, `edge_hypergraph_transform`"
    ),
    responses(
        (status = 201, description = "`success`, `message`, `data.dataset_id`"),
        (status = 400, description = "a bad field"),
        (status = 404, description = "a file is not there, or not yours"),
        (status = 422, description = "a file is not valid, or a binding names no column"),
    ),
)]
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    request: Request,
) -> ApiResult<Response> {
    let mut fields = read_fields(&app, request).await?;
    fields.name("name");
    fields.description();
    fields.object("metadata");
    let organisation = member_organisation(&app, &caller, &mut fields).await?;
    fields.check()?;
    let body = fields.given();
    let references = references(body)?;
    // A file may change between the look at it and the freezing of its tables: then look again.
    for _ in 0..3 {
        let mut views = Vec::new();
        for reference in &references {
            views.push(reference.resolve(&app, &caller).await?);
        }
        check_encodings(body, &views)?;
        let kept = body.iter().filter(|(name, _)| KEPT.contains(&name.as_str()));
        let created_at = now();
        let dataset = DatasetRow {
            id: new_id(),
            author: caller.0.id,
            organisation: organisation.clone(),
            body: kept.map(|(name, value)| (name.clone(), value.clone())).collect(),
            views,
            created_at,
            updated_at: created_at,
        };
        if app.store.catalogue.add_dataset(&dataset).await? {
            let answer = json!({
                "success": true,
                "message": "Dataset created",
                "data": {"dataset_id": dataset.id},
            });
            return Ok(json_response(StatusCode::CREATED, &answer));
        }
    }
    let text = "a file of this dataset is being changed again and again; try later";
    Err(ApiError::dataset(StatusCode::CONFLICT, "File is changing", text, Map::new()))
}

fn check_encodings(body: &Map<String, Value>, views: &[FrozenView]) -> ApiResult<()> {
    let hypergraph = body.get("edge_hypergraph_transform").is_some_and(|value| !value.is_null());
    for (role, field) in [(Role::Edges, "edge_encodings"), (Role::Nodes, "node_encodings")] {
        let tables: Vec<&StoredTable> =
            views.iter().filter(|view| view.role == role).map(|view| &view.table).collect();
        let encodings = Encodings { role, given: body.get(field), tables: &tables, hypergraph };
        encodings.check().map_err(|bad: BadBindings| {
            ApiError::dataset(UNPROCESSABLE, bad.message, bad.error_message, bad.data)
        })?;
    }
    Ok(())
}

/// A table of a file, as a dataset names it.
#[derive(Debug, PartialEq)]
struct Reference {
    role: Role,
    /// `edge_files[0]`, for messages.
    place: String,
    file_id: String,
    table_index: usize,
}

/// The references of a body, edges first.
fn references(body: &Map<String, Value>) -> ApiResult<Vec<Reference>> {
    let mut references = Vec::new();
    for (role, field) in [(Role::Edges, "edge_files"), (Role::Nodes, "node_files")] {
        let items = match body.get(field) {
            None | Some(Value::Null) => continue,
            Some(Value::Array(items)) => items,
            Some(_) => {
                return Err(bad_reference(format!("{field} is no list of file ids")));
            }
        };
        for (index, item) in items.iter().enumerate() {
            references.push(reference(role, format!("{field}[{index}]"), item)?);
        }
    }
    Ok(references)
}

fn reference(role: Role, place: String, item: &Value) -> ApiResult<Reference> {
    let (file_id, table_index) = match item {
        Value::String(id) => (id, 0),
        Value::Array(pair) => match pair.as_slice() {
            [Value::String(id), Value::Number(index)] if index.is_u64() => {
                (id, index.as_u64().and_then(|i| usize::try_from(i).ok()).unwrap_or(usize::MAX))
            }
            _ => {
                let text = format!("{place} is {item}, expected [\"<file_id>\", <table index>]");
                return Err(bad_reference(text));
            }
        },
        Value::Null => {
            return Err(bad_reference(format!(
                "{place} is null: the file could not be created; see the answer to the create call"
            )));
        }
        other => {
            let text = format!(
                "{place} is {other}, expected \"<file_id>\" or [\"<file_id>\", <table index>]"
            );
            return Err(bad_reference(text));
        }
    };
    Ok(Reference { role, place, file_id: file_id.clone(), table_index })
}

fn bad_reference(text: String) -> ApiError {
    ApiError::dataset(UNPROCESSABLE, "Invalid file reference", text, Map::new())
}

impl Reference {
    /// The table as it is now.
    async fn resolve(&self, app: &App, caller: &Caller) -> ApiResult<FrozenView> {
        let found = match is_id(&self.file_id) {
            true => app.store.catalogue.file(caller.0.id, &self.file_id).await?,
            false => None,
        };
        let (file, _) = found.ok_or_else(|| self.not_found())?;
        let table = self.table(&file)?.clone();
        let (role, table_index) = (self.role, self.table_index);
        Ok(FrozenView { role, file_id: file.id, table_index, table })
    }

    fn table<'a>(&self, file: &'a FileRow) -> ApiResult<&'a StoredTable> {
        let Reference { place, file_id, .. } = self;
        let not_valid = |text: String| {
            let errors = Value::Object(file.outcome.errors.clone());
            let data = Map::from_iter([
                ("file_id".to_owned(), Value::from(file_id.clone())),
                ("errors".to_owned(), errors),
            ]);
            ApiError::dataset(UNPROCESSABLE, "File is not valid", text, data)
        };
        if file.upload.is_none() {
            return Err(not_valid(format!("{place}: file {file_id} has no uploaded data")));
        }
        if !file.outcome.is_valid {
            let problem = first_message(&file.outcome.errors);
            return Err(not_valid(format!("{place}: file {file_id} is not valid: {problem}")));
        }
        let tables = &file.outcome.tables;
        tables.get(self.table_index).ok_or_else(|| {
            let names: Vec<String> =
                tables.iter().enumerate().map(|(i, t)| format!("{i} {:?}", t.name)).collect();
            bad_reference(format!(
                "{place}: file {file_id} has no table {}; it has: {}",
                self.table_index,
                names.join(", ")
            ))
        })
    }

    fn not_found(&self) -> ApiError {
        let id: String = self.file_id.chars().take(64).collect();
        let text = format!(
            "{}: file {id} was not found; it was deleted or is not yours. The Python client reuses \
             the ids of tables that it has uploaded in this process: change the table or restart \
             the process to upload it again",
            self.place
        );
        let data = Map::from_iter([("file_id".to_owned(), Value::from(id))]);
        ApiError::dataset(StatusCode::NOT_FOUND, "File not found", text, data)
    }
}

fn first_message(errors: &Map<String, Value>) -> &str {
    let first = errors.values().next().and_then(|items| items.get(0));
    first.and_then(|item| item.get("message")).and_then(Value::as_str).unwrap_or("see its errors")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_of_every_shape() {
        let id = "0123456789abcdef0123456789abcdef";
        let body = json!({"edge_files": [id, [id, 2]], "node_files": [], "x": 1});
        let references = references(body.as_object().unwrap()).unwrap();
        let read: Vec<(Role, usize)> = references.iter().map(|r| (r.role, r.table_index)).collect();
        assert_eq!(read, [(Role::Edges, 0), (Role::Edges, 2)]);
        for bad in [json!([null]), json!([[id]]), json!([[id, -1]]), json!([7]), json!("x")] {
            let body = json!({"node_files": bad});
            assert!(super::references(body.as_object().unwrap()).is_err(), "{bad}");
        }
    }
}

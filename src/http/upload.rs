//! Uploading a file's bytes: to disk as they come, then through the pipeline.
//!
//! Takes any body as the bytes themselves, whatever its Content-Type says. A file that cannot be
//! parsed is a 200 with `is_valid: false`; refused are only requests that make no sense, bodies over
//! the bound, and bodies that end early, and then nothing has changed.

use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, Request, State};
use axum::http::{HeaderMap, header};
use serde_json::{Map, Value};

use super::app::App;
use super::auth::{Caller, InPath};
use super::body::{announced_length, next_part};
use super::error::{ApiError, ApiResult};
use super::files::replace;
use super::mill::{self, Asked};
use super::query;
use super::record::FileRecord;
use crate::options::{ParserOptions, nearest, option_from_text};
use crate::report::{Code, Issue, Stage};
use crate::store::{StoredBytes, UploadWriter};

/// `POST /api/v2/upload/files/<id>`: the file's bytes.
#[utoipa::path(
    post, path = "/api/v2/upload/files/{file_id}", tag = "files", security(("bearer" = [])),
    params(
        ("file_id" = String, Path),
        ("erase" = Option<bool>, Query, description = "whether bytes that are not valid are dropped"),
    ),
    request_body(
        content = Vec<u8>, content_type = "application/octet-stream",
        description = "the bytes; any parser option may be given in the query"
    ),
    responses(
        (status = 200, body = FileRecord, description = "parsed, or `is_valid` false and `errors`"),
        (status = 400, description = "`erase` is neither true nor false"),
        (status = 404, description = "not there, or not yours"),
        (status = 413, description = "too large"),
    ),
)]
pub async fn upload(
    State(app): State<App>,
    caller: Caller,
    InPath(id): InPath<String>,
    RawQuery(raw): RawQuery,
    request: Request,
) -> ApiResult<Json<FileRecord>> {
    caller.own_file(&app, &id).await?;
    let asked = UploadQuery::read(raw.as_deref().unwrap_or(""))?;
    let (parts, body) = request.into_parts();
    let multipart = is_multipart(&parts.headers);
    let stored = receive(&app, &parts.headers, body).await?;
    // From here on nothing depends on the client: a task of its own goes on where it does not wait.
    let done = tokio::spawn(async move {
        let blob = stored.blob.clone();
        let kept = keep(&app, &caller, &id, stored, asked, multipart).await;
        if kept.is_err() {
            app.store.blobs.delete(&[blob]).await;
        }
        kept
    });
    done.await?.map(Json)
}

fn is_multipart(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.is_some_and(|kind| kind.trim_start().to_lowercase().starts_with("multipart/form-data"))
}

/// Writes the body to disk. An error leaves nothing behind.
async fn receive(app: &App, headers: &HeaderMap, body: Body) -> ApiResult<StoredBytes> {
    let limit = app.config.upload_bytes;
    let announced = announced_length(headers);
    if announced.is_some_and(|bytes| bytes > limit) {
        return Err(ApiError::upload_too_large(announced, limit));
    }
    let mut parts = body.into_data_stream();
    let mut writer = UploadWriter::create(&app.store.blobs).await?;
    while let Some(part) = next_part(&mut parts, app.config.idle).await? {
        if writer.bytes() + part.len() as u64 > limit {
            return Err(ApiError::upload_too_large(None, limit));
        }
        writer.put(part).await?;
    }
    Ok(writer.finish().await?)
}

/// Parses the new bytes and puts them in the place of the old ones, in one step. On an error the new
/// bytes are the caller's to delete.
async fn keep(
    app: &App,
    caller: &Caller,
    id: &str,
    stored: StoredBytes,
    asked: UploadQuery,
    multipart: bool,
) -> ApiResult<FileRecord> {
    let _lock = app.store.locks.lock(id).await;
    let mut file = caller.own_file(app, id).await?;
    let UploadQuery { erase, options, issues } = asked;
    for (name, value) in options {
        match value {
            Value::Null => file.settings.parser_options.shift_remove(&name),
            value => file.settings.parser_options.insert(name, value),
        };
    }
    let asked = Asked { issues, multipart, erase };
    let milled = mill::mill(app, &stored, &file.settings, asked).await?;
    let erased = erase && !milled.outcome.is_valid;
    let blob = stored.blob.clone();
    file.upload = (!erased).then_some(stored);
    let record = replace(app, file, Some(milled)).await?;
    if erased {
        app.store.blobs.delete(&[blob]).await;
    }
    Ok(record)
}

/// What the query of an upload asks for.
#[derive(Debug, Default)]
struct UploadQuery {
    erase: bool,
    /// Parser options whose values make sense.
    options: Map<String, Value>,
    /// Those that do not, as errors; names that are no options, as warnings.
    issues: Vec<Issue>,
}

impl UploadQuery {
    fn read(raw: &str) -> ApiResult<Self> {
        let mut asked = UploadQuery::default();
        for (name, text) in query::pairs(raw) {
            if name == "erase" {
                asked.erase = flag(&text).ok_or_else(|| {
                    ApiError::field("erase", format!("\"{text}\" is not a valid boolean."))
                })?;
            } else if ParserOptions::is_known(&name) {
                asked.option(name, &text);
            } else {
                asked.unknown(&name);
            }
        }
        Ok(asked)
    }

    fn option(&mut self, name: String, text: &str) {
        let value = option_from_text(&name, text);
        match ParserOptions::default().set(&name, &value) {
            Ok(()) => {
                self.options.insert(name, value);
            }
            Err(problem) => {
                let message = problem.to_string();
                self.issues.push(Issue::error(Stage::Parse, Code::BadOption, message));
            }
        }
    }

    fn unknown(&mut self, name: &str) {
        let message = format!("unknown option {name:?} in the query");
        let issue = Issue::warning(Stage::Parse, Code::UnknownOption, message);
        self.issues.push(match nearest(name, ParserOptions::names()) {
            Some(near) => issue.hint(format!("did you mean {near}?")),
            None => issue,
        });
    }
}

fn flag(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn queries_of_every_client() {
        let asked = UploadQuery::read("erase=True&orient=columnar&validate=1&nrows=x").unwrap();
        assert!(asked.erase);
        assert_eq!(Value::Object(asked.options), json!({"orient": "columnar"}));
        let codes: Vec<&str> = asked.issues.iter().map(|issue| issue.code.as_str()).collect();
        assert_eq!(codes, ["unknown_option", "bad_option"]);
        assert!(!UploadQuery::read("").unwrap().erase);
        assert!(UploadQuery::read("erase=maybe").is_err());
        let asked = UploadQuery::read("dtype=%7B%22a%22%3A%22int32%22%7D&comment=None").unwrap();
        assert_eq!(asked.options["dtype"], json!({"a": "int32"}));
        assert_eq!(asked.options["comment"], Value::Null);
    }
}

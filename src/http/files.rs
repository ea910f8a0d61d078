//! File records: create, list, get, change, delete.

use axum::Json;
use axum::extract::{RawQuery, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde_json::{Map, Value, json};

use super::app::App;
use super::auth::{Caller, InPath};
use super::body;
use super::error::{ApiError, ApiResult, json_response};
use super::fields::Fields;
use super::mill::{self, Asked, Milled};
use super::peer::base_url;
use super::query;
use super::record::{FIELDS, FileRecord};
use crate::limits::Limits;
use crate::store::{FileRow, FileSettings, Outcome, new_id, now};

/// Records on a page unless said otherwise.
const PAGE: u64 = 100;
/// Records on a page at most.
const LARGEST_PAGE: u64 = 1_000;

/// `POST /api/v2/files/`: a record without bytes.
#[utoipa::path(
    post, path = "/api/v2/files/", tag = "files", security(("bearer" = [])),
    request_body(
        content = Object,
        description = "`file_type` and perhaps `name`, `description`, `file_compression`, \
                       `parser_options`, `sql_transforms`, `org_name`, `agent_name`, \
                       `agent_version`"
    ),
    responses(
        (status = 201, body = FileRecord),
        (status = 400, description = "all bad fields at once"),
        (status = 401, description = "no token, or none that is good"),
    ),
)]
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    request: Request,
) -> ApiResult<(StatusCode, Json<FileRecord>)> {
    let mut fields = read_fields(&app, request).await?;
    let settings = FileSettings {
        file_type: fields.required_file_type(),
        name: fields.name("name").unwrap_or_default(),
        description: fields.description().unwrap_or_default(),
        file_compression: fields.file_compression().unwrap_or_default(),
        parser_options: fields.parser_options().unwrap_or_default(),
        sql_transforms: fields.sql_transforms(&app.config.limits).unwrap_or_default(),
    };
    let agent_name = fields.name("agent_name").unwrap_or_default();
    let agent_version = fields.name("agent_version").unwrap_or_default();
    let organisation = member_organisation(&app, &caller, &mut fields).await?;
    fields.check()?;
    let created_at = now();
    let file = FileRow {
        id: new_id(),
        author: caller.0.id,
        organisation,
        settings,
        agent_name,
        agent_version,
        created_at,
        updated_at: created_at,
        upload: None,
        outcome: Outcome::default(),
    };
    app.store.catalogue.add_file(&file).await?;
    Ok((StatusCode::CREATED, Json(FileRecord::of(file))))
}

/// `org_name`, refused unless the caller is a member.
pub async fn member_organisation(
    app: &App,
    caller: &Caller,
    fields: &mut Fields,
) -> ApiResult<Option<String>> {
    let Some(organisation) = fields.optional_text("org_name") else { return Ok(None) };
    if !caller.is_member(app, &organisation).await? {
        let message = format!("The organization {organisation:?} was not found.");
        fields.refuse("org_name", message);
    }
    // The organisation of one's own name has no other members.
    Ok(Some(organisation).filter(|organisation| *organisation != caller.0.username))
}

/// The fields of a JSON body.
pub async fn read_fields(app: &App, request: Request) -> ApiResult<Fields> {
    let (parts, body) = request.into_parts();
    let body = body::read(&parts.headers, body, app.config.json_bytes, app.config.idle).await?;
    Ok(Fields::new(body::json_object(&body)?))
}

/// `GET /api/v2/files/`: the files that the caller may see, newest first, a page at a time.
#[utoipa::path(
    get, path = "/api/v2/files/", tag = "files", security(("bearer" = [])),
    params(
        ("limit" = Option<u64>, Query, description = "1 to 1,000; 100 if absent"),
        ("offset" = Option<u64>, Query, description = "records to skip"),
    ),
    responses((status = 200, description = "`count`, `next`, `previous`, `results`")),
)]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    RawQuery(raw): RawQuery,
    parts: Parts,
) -> ApiResult {
    let raw = raw.unwrap_or_default();
    let page = Page::of(&raw);
    let (count, files) = app.store.catalogue.files(caller.0.id, page.limit, page.offset).await?;
    let base = format!("{}/api/v2/files/", base_url(&app, &parts));
    let link = |offset: Option<u64>| offset.map(|offset| page.link(&base, &raw, offset));
    let records: Vec<FileRecord> = files.into_iter().map(FileRecord::of).collect();
    let answer = json!({
        "count": count,
        "next": link(page.next(count)),
        "previous": link(page.previous()),
        "results": records,
    });
    Ok(json_response(StatusCode::OK, &answer))
}

/// Which part of a list is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Page {
    limit: u64,
    offset: u64,
}

impl Page {
    /// Whatever is no sensible number is the default.
    fn of(raw: &str) -> Self {
        let pairs = query::pairs(raw);
        let number = |name| query::last(&pairs, name).and_then(|text| text.trim().parse().ok());
        let limit = number("limit").filter(|limit| *limit > 0).unwrap_or(PAGE);
        Page { limit: limit.min(LARGEST_PAGE), offset: number("offset").unwrap_or(0) }
    }

    fn next(self, count: u64) -> Option<u64> {
        self.offset.checked_add(self.limit).filter(|next| *next < count)
    }

    fn previous(self) -> Option<u64> {
        (self.offset > 0).then(|| self.offset.saturating_sub(self.limit))
    }

    /// Other query arguments stay; an offset of 0 is left out.
    fn link(self, base: &str, raw: &str, offset: u64) -> String {
        let mut query = query::without(raw, &["limit", "offset"]);
        if !query.is_empty() {
            query.push('&');
        }
        query.push_str(&format!("limit={}", self.limit));
        if offset > 0 {
            query.push_str(&format!("&offset={offset}"));
        }
        format!("{base}?{query}")
    }
}

/// `GET /api/v2/files/<id>`: the whole record.
#[utoipa::path(
    get, path = "/api/v2/files/{file_id}", tag = "files", security(("bearer" = [])),
    params(("file_id" = String, Path)),
    responses(
        (status = 200, body = FileRecord),
        (status = 404, description = "not there, or not yours"),
    ),
)]
pub async fn get(
    State(app): State<App>,
    caller: Caller,
    InPath(id): InPath<String>,
) -> ApiResult<Json<FileRecord>> {
    let (file, _) = caller.file(&app, &id).await?;
    Ok(Json(FileRecord::of(file)))
}

/// `PATCH /api/v2/files/<id>`: other settings; stored bytes are parsed again if one of them matters.
#[utoipa::path(
    patch, path = "/api/v2/files/{file_id}", tag = "files", security(("bearer" = [])),
    params(("file_id" = String, Path)),
    request_body(
        content = Object,
        description = "any of `name`, `description`, `file_type`, `file_compression`, \
                       `parser_options`, `sql_transforms`; other fields of the record are ignored"
    ),
    responses(
        (status = 200, body = FileRecord, description = "with the new outcome, good or bad"),
        (status = 400, description = "a bad or unknown field; nothing changed"),
        (status = 403, description = "yours to read, not to change"),
        (status = 404, description = "not there, or not yours"),
    ),
)]
pub async fn patch(
    State(app): State<App>,
    caller: Caller,
    InPath(id): InPath<String>,
    request: Request,
) -> ApiResult<Json<FileRecord>> {
    caller.own_file(&app, &id).await?;
    let mut fields = read_fields(&app, request).await?;
    let change = Change::read(&mut fields, &app.config.limits)?;
    // A task of its own goes on where the client does not wait for the end.
    let done = tokio::spawn(async move { change_file(&app, &caller, &id, change).await });
    done.await?
}

async fn change_file(
    app: &App,
    caller: &Caller,
    id: &str,
    change: Change,
) -> ApiResult<Json<FileRecord>> {
    let _lock = app.store.locks.lock(id).await;
    let mut file = caller.own_file(app, id).await?;
    let parse = change.parse;
    change.apply(&mut file.settings);
    let mut milled = None;
    if parse && let Some(upload) = &file.upload {
        milled = Some(mill::mill(app, upload, &file.settings, Asked::default()).await?);
    }
    replace(app, file, milled).await.map(Json)
}

/// Writes a changed file, its new outcome if there is one, and deletes what nobody needs any more.
/// The caller holds the file's lock.
pub async fn replace(
    app: &App,
    mut file: FileRow,
    milled: Option<Milled>,
) -> ApiResult<FileRecord> {
    file.updated_at = now().max(file.updated_at + 1);
    let is_new = milled.is_some();
    if let Some(milled) = milled {
        for (field, found) in [
            (&mut file.agent_name, milled.agent_name),
            (&mut file.agent_version, milled.agent_version),
        ] {
            if let Some(found) = found.filter(|_| field.is_empty()) {
                *field = found;
            }
        }
        file.outcome = milled.outcome;
    }
    let replaced = app.store.catalogue.replace_file(&file).await;
    match replaced {
        Ok(Some(released)) => {
            app.store.blobs.delete(&released).await;
            Ok(FileRecord::of(file))
        }
        failed => {
            if is_new {
                mill::forget(app, &file.outcome).await;
            }
            Err(failed.err().map_or_else(ApiError::not_found, ApiError::from))
        }
    }
}

/// What a PATCH changes.
#[derive(Debug, Default)]
struct Change {
    name: Option<String>,
    description: Option<String>,
    file_type: Option<String>,
    file_compression: Option<String>,
    parser_options: Option<Map<String, Value>>,
    sql_transforms: Option<Value>,
    /// Whether stored bytes must be parsed again.
    parse: bool,
}

impl Change {
    fn read(fields: &mut Fields, limits: &Limits) -> ApiResult<Self> {
        let given: Vec<String> = fields.given().keys().cloned().collect();
        for field in given.iter().filter(|field| !FIELDS.contains(&field.as_str())) {
            fields.refuse(field, "Unknown field.");
        }
        let change = Change {
            name: fields.name("name"),
            description: fields.description(),
            file_type: fields.file_type(),
            file_compression: fields.file_compression(),
            parser_options: fields.parser_options(),
            sql_transforms: fields.sql_transforms(limits),
            parse: given.iter().any(|field| {
                let settings =
                    ["file_type", "file_compression", "parser_options", "sql_transforms"];
                settings.contains(&field.as_str())
            }),
        };
        fields.check()?;
        Ok(change)
    }

    fn apply(self, settings: &mut FileSettings) {
        fn set<T>(field: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *field = value;
            }
        }
        set(&mut settings.name, self.name);
        set(&mut settings.description, self.description);
        set(&mut settings.file_type, self.file_type);
        set(&mut settings.file_compression, self.file_compression);
        set(&mut settings.parser_options, self.parser_options);
        set(&mut settings.sql_transforms, self.sql_transforms);
    }
}

/// `DELETE /api/v2/files/<id>`: record, bytes and tables; datasets made of it keep theirs.
#[utoipa::path(
    delete, path = "/api/v2/files/{file_id}", tag = "files", security(("bearer" = [])),
    params(("file_id" = String, Path)),
    responses(
        (status = 204, description = "gone"),
        (status = 403, description = "yours to read, not to delete"),
        (status = 404, description = "not there, or not yours"),
    ),
)]
pub async fn delete(
    State(app): State<App>,
    caller: Caller,
    InPath(id): InPath<String>,
) -> ApiResult<StatusCode> {
    caller.own_file(&app, &id).await?;
    let _lock = app.store.locks.lock(&id).await;
    let released = app.store.catalogue.remove_file(&id).await?;
    app.store.blobs.delete(&released.ok_or_else(ApiError::not_found)?).await;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_and_their_links() {
        let page = Page::of("limit=x&offset=-1");
        assert_eq!(page, Page { limit: 100, offset: 0 });
        assert_eq!(Page::of("limit=5000").limit, 1000);
        assert_eq!(Page::of("limit=0").limit, 100);
        assert_eq!(page.next(231), Some(100));
        assert_eq!(page.next(100), None);
        assert_eq!(page.previous(), None);
        let raw = "a=%20b&limit=100&offset=50";
        let page = Page::of(raw);
        let link = |offset| page.link("http://h/api/v2/files/", raw, offset);
        assert_eq!(link(0), "http://h/api/v2/files/?a=%20b&limit=100");
        assert_eq!(link(150), "http://h/api/v2/files/?a=%20b&limit=100&offset=150");
        assert_eq!(page.previous(), Some(0));
    }
}

//! Downloading a parsed table as Arrow, Parquet, CSV or JSON, written while it is sent.

use std::io;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Method, header};
use axum::response::Response;
use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::app::App;
use super::auth::{Caller, InPath};
use super::data::{as_attachment, base_name, set, with_extension};
use super::error::{ApiError, ApiResult};
use super::query;
use crate::format::write::{OutputFormat, WriteOptions, write_table};
use crate::store::{FileRow, StoredTable, read_table};
use crate::table::Table;

/// Bytes sent at a time.
const CHUNK_BYTES: usize = 256 << 10;
const ARROW_STREAM: &str = "application/vnd.apache.arrow.stream";

/// `GET /api/v2/files/<id>/tables/<index or name>`: a table.
#[utoipa::path(
    get, path = "/api/v2/files/{file_id}/tables/{table}", tag = "files",
    security(("bearer" = [])),
    params(
        ("file_id" = String, Path),
        ("table" = String, Path, description = "its position in `tables_schemas`, or its name"),
        ("format" = Option<String>, Query, description = "`arrow` (default), `parquet`, `csv`, `json`"),
        ("limit" = Option<u64>, Query, description = "rows; all if absent"),
        ("offset" = Option<u64>, Query, description = "rows to skip"),
    ),
    responses(
        (status = 200, description = "the table; `X-Total-Rows` has the rows of the whole"),
        (status = 400, description = "unknown format, or no whole number"),
        (status = 404, description = "no such table, not there, not yours, or nothing uploaded"),
        (status = 409, description = "the file is not valid"),
    ),
)]
pub async fn download(
    State(app): State<App>,
    caller: Caller,
    InPath((id, segment)): InPath<(String, String)>,
    RawQuery(raw): RawQuery,
    method: Method,
    headers: HeaderMap,
) -> ApiResult {
    let wanted = Wanted::read(raw.as_deref().unwrap_or(""), &headers);
    // A table may be replaced between the look at the record and the look at the disk.
    for _ in 0..3 {
        let (file, _) = caller.file(&app, &id).await?;
        let entry = find_table(&file, &segment)?;
        let wanted = wanted.as_ref().map_err(Refused::error)?;
        let mut response = Response::new(Body::empty());
        set(&mut response, header::CONTENT_TYPE, wanted.media_type)?;
        set(
            &mut response,
            header::HeaderName::from_static("x-total-rows"),
            &entry.num_rows.to_string(),
        )?;
        let name = match entry.name.starts_with("Untitled ") {
            true => base_name(&file),
            false => &entry.name,
        };
        as_attachment(&mut response, &with_extension(name, wanted.extension))?;
        if method == Method::HEAD {
            return Ok(response);
        }
        let (path, name) = (app.store.blobs.path(&entry.blob), entry.name.clone());
        match tokio::task::spawn_blocking(move || read_table(&path, &name)).await? {
            Ok(table) => {
                *response.body_mut() = write(table, wanted, app.config.idle).await?;
                return Ok(response);
            }
            Err(error) if error.is_gone() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(ApiError::internal(format!("a table of file {id} is gone")))
}

/// The table that a part of the path means: digits below the number of tables are a position, all
/// else is a name.
fn find_table<'a>(file: &'a FileRow, segment: &str) -> ApiResult<&'a StoredTable> {
    if file.upload.is_none() {
        return Err(ApiError::no_data());
    }
    if !file.outcome.is_valid {
        return Err(ApiError::not_valid(&file.outcome.errors));
    }
    let tables = &file.outcome.tables;
    let digits = !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit());
    let position = segment.parse::<usize>().ok().filter(|_| digits);
    let found = position.and_then(|position| tables.get(position));
    found
        .or_else(|| tables.iter().find(|table| table.name == segment))
        .ok_or_else(|| ApiError::no_table(tables.iter().map(|table| table.name.as_str()).collect()))
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    format: OutputFormat,
    media_type: &'static str,
    extension: &'static str,
    offset: u64,
    limit: u64,
}

/// An argument that makes no sense, and why.
#[derive(Clone, Debug)]
struct Refused(&'static str, String);

impl Refused {
    fn error(&self) -> ApiError {
        ApiError::field(self.0, self.1.clone())
    }
}

impl Wanted {
    fn read(raw: &str, headers: &HeaderMap) -> Result<Self, Refused> {
        let pairs = query::pairs(raw);
        let number = |name: &'static str, default: u64| match query::last(&pairs, name) {
            None | Some("") => Ok(default),
            Some(text) => {
                let problem = "A whole number from 0 is required.";
                text.trim().parse().map_err(|_| Refused(name, problem.to_owned()))
            }
        };
        let (format, media_type, extension) = match query::last(&pairs, "format") {
            None | Some("arrow" | "") if accepts_stream(headers) => {
                (OutputFormat::ArrowStream, ARROW_STREAM, ".arrows")
            }
            None | Some("arrow" | "") => {
                (OutputFormat::Arrow, "application/vnd.apache.arrow.file", ".arrow")
            }
            Some("parquet") => {
                (OutputFormat::Parquet, "application/vnd.apache.parquet", ".parquet")
            }
            Some("csv") => (OutputFormat::Csv, "text/csv; charset=utf-8", ".csv"),
            Some("json") => (OutputFormat::Json, "application/json", ".json"),
            Some(other) => {
                let other: String = other.chars().take(60).collect();
                return Err(Refused("format", format!("\"{other}\" is not a valid choice.")));
            }
        };
        let (offset, limit) = (number("offset", 0)?, number("limit", u64::MAX)?);
        Ok(Wanted { format, media_type, extension, offset, limit })
    }
}

fn accepts_stream(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).into_iter();
    accepted.filter_map(|value| value.to_str().ok()).any(|value| value.contains(ARROW_STREAM))
}

/// The table as a body, written as fast as it is read. An error before the first chunk is the
/// request's; a later one cuts the answer off, so that nobody takes it for whole.
async fn write(table: Table, wanted: &Wanted, idle: Duration) -> ApiResult<Body> {
    let (sender, mut chunks) = mpsc::channel::<io::Result<Bytes>>(2);
    let Wanted { format, offset, limit, .. } = *wanted;
    let runtime = Handle::current();
    tokio::task::spawn_blocking(move || {
        let mut out = Chunks { sender, runtime, idle, buffer: Vec::with_capacity(CHUNK_BYTES) };
        let written = table
            .slice(offset, limit)
            .and_then(|table| write_table(&table, format, &WriteOptions::default(), &mut out));
        let written = written.map_err(io::Error::from).and_then(|()| io::Write::flush(&mut out));
        if let Err(error) = written {
            // Where nobody listens any more there is nobody to tell.
            let _ = out.send(Err(error));
        }
    });
    let first = match chunks.recv().await {
        Some(Err(error)) => return Err(ApiError::internal(error)),
        Some(Ok(bytes)) => bytes,
        None => Bytes::new(),
    };
    let first = futures::stream::once(async { io::Result::Ok(first) });
    let rest = futures::stream::poll_fn(move |context| chunks.poll_recv(context));
    Ok(Body::from_stream(futures::StreamExt::chain(first, rest)))
}

/// Hands what is written to the body, and waits while the client is behind.
struct Chunks {
    sender: mpsc::Sender<io::Result<Bytes>>,
    runtime: Handle,
    idle: Duration,
    buffer: Vec<u8>,
}

impl Chunks {
    fn send(&self, chunk: io::Result<Bytes>) -> io::Result<()> {
        let sent = self
            .runtime
            .block_on(async { tokio::time::timeout(self.idle, self.sender.send(chunk)).await });
        match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(io::ErrorKind::BrokenPipe.into()),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

impl io::Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= CHUNK_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let full = std::mem::replace(&mut self.buffer, Vec::with_capacity(CHUNK_BYTES));
        self.send(Ok(full.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments() {
        let read = |raw: &str| Wanted::read(raw, &HeaderMap::new());
        let wanted = read("format=csv&limit=5").unwrap();
        assert_eq!((wanted.extension, wanted.offset, wanted.limit), (".csv", 0, 5));
        assert_eq!(read("").unwrap().extension, ".arrow");
        assert_eq!(read("format=xml").unwrap_err().1, "\"xml\" is not a valid choice.");
        assert_eq!(read("limit=-1").unwrap_err().0, "limit");
        assert_eq!(read("offset=1.5").unwrap_err().0, "offset");
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, header::HeaderValue::from_static(ARROW_STREAM));
        assert_eq!(Wanted::read("", &headers).unwrap().media_type, ARROW_STREAM);
    }
}

//! Downloading what was uploaded, byte for byte, whole or a range of it.

use std::ops::Range;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::app::App;
use super::auth::{Caller, InPath};
use super::error::{ApiError, ApiResult};
use crate::store::{FileRow, StoredBytes};

/// `GET /api/v2/files/<id>/data`: the bytes as they were uploaded, still compressed.
#[utoipa::path(
    get, path = "/api/v2/files/{file_id}/data", tag = "files", security(("bearer" = [])),
    params(
        ("file_id" = String, Path),
        ("Range" = Option<String>, Header, description = "one range of bytes"),
        ("If-None-Match" = Option<String>, Header),
    ),
    responses(
        (status = 200, content_type = "application/octet-stream", description = "the bytes"),
        (status = 206, content_type = "application/octet-stream", description = "the range"),
        (status = 304, description = "unchanged"),
        (status = 404, description = "not there, not yours, or nothing uploaded"),
        (status = 416, description = "no such range"),
    ),
)]
pub async fn download(
    State(app): State<App>,
    caller: Caller,
    InPath(id): InPath<String>,
    headers: HeaderMap,
) -> ApiResult {
    // Bytes may be replaced between the look at the record and the look at the disk.
    for _ in 0..3 {
        let (file, _) = caller.file(&app, &id).await?;
        let Some(upload) = &file.upload else { return Err(ApiError::no_data()) };
        if let Some(response) = answer(&app, &file, upload, &headers).await? {
            return Ok(response);
        }
    }
    Err(ApiError::internal(format!("the bytes of file {id} are gone")))
}

/// `None` if the bytes are gone meanwhile.
async fn answer(
    app: &App,
    file: &FileRow,
    upload: &StoredBytes,
    headers: &HeaderMap,
) -> ApiResult<Option<Response>> {
    let etag = format!("\"{}\"", upload.sha256);
    let mut response = Response::new(Body::empty());
    set(&mut response, header::ETAG, &etag)?;
    set(&mut response, header::ACCEPT_RANGES, "bytes")?;
    if matches_etag(headers, &etag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return Ok(Some(response));
    }
    let total = upload.bytes;
    let range = match wanted_range(headers, &etag, total) {
        Wanted::Everything => 0..total,
        Wanted::Part(range) => {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            let part = format!("bytes {}-{}/{total}", range.start, range.end - 1);
            set(&mut response, header::CONTENT_RANGE, &part)?;
            range
        }
        Wanted::Nothing => {
            let detail = "The range lies outside of the file.";
            let mut response =
                ApiError::detail(StatusCode::RANGE_NOT_SATISFIABLE, detail).into_response();
            set(&mut response, header::CONTENT_RANGE, &format!("bytes */{total}"))?;
            return Ok(Some(response));
        }
    };
    set(&mut response, header::CONTENT_LENGTH, &(range.end - range.start).to_string())?;
    set(&mut response, header::CONTENT_TYPE, "application/octet-stream")?;
    as_attachment(&mut response, &file_name(file))?;
    *response.body_mut() = match app.store.blobs.read(&upload.blob, range).await {
        Ok(bytes) => Body::from_stream(bytes),
        Err(error) if error.is_gone() => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    Ok(Some(response))
}

/// Sets a header from text.
pub fn set(response: &mut Response, name: header::HeaderName, value: &str) -> ApiResult<()> {
    let value = HeaderValue::from_str(value).map_err(ApiError::internal)?;
    response.headers_mut().insert(name, value);
    Ok(())
}

/// Has browsers save the answer under this name and never look into it.
pub fn as_attachment(response: &mut Response, name: &str) -> ApiResult<()> {
    set(response, header::X_CONTENT_TYPE_OPTIONS, "nosniff")?;
    set(response, header::CONTENT_DISPOSITION, &content_disposition(name))
}

/// `<name or file_id>.<extension>[.<extension of the compression>]`.
fn file_name(file: &FileRow) -> String {
    let settings = &file.settings;
    let compression = match settings.file_compression.as_str() {
        "gzip" => ".gz",
        "bz2" => ".bz2",
        "xz" => ".xz",
        "zip" => ".zip",
        _ => "",
    };
    with_extension(base_name(file), &format!(".{}{compression}", settings.file_type))
}

/// The file's name, or its id.
pub fn base_name(file: &FileRow) -> &str {
    match file.settings.name.trim() {
        "" => &file.id,
        name => name,
    }
}

/// The name with this extension, which is not doubled.
pub fn with_extension(name: &str, extension: &str) -> String {
    if name.to_lowercase().ends_with(extension) {
        name.into()
    } else {
        format!("{name}{extension}")
    }
}

/// The name in ASCII for old readers, and in full for those of RFC 6266.
fn content_disposition(name: &str) -> String {
    let bad = |c: char| c.is_control() || matches!(c, '/' | '\\' | '"' | '%' | ';');
    let name: String = name.chars().take(200).map(|c| if bad(c) { '_' } else { c }).collect();
    let plain: String = name.chars().map(|c| if c.is_ascii() { c } else { '_' }).collect();
    if plain == name {
        return format!("attachment; filename=\"{plain}\"");
    }
    let mut full = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' => full.push(byte as char),
            _ => full.push_str(&format!("%{byte:02X}")),
        }
    }
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{full}")
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

fn matches_etag(headers: &HeaderMap, etag: &str) -> bool {
    let Some(known) = text(headers, header::IF_NONE_MATCH) else { return false };
    known
        .split(',')
        .map(str::trim)
        .any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == etag)
}

#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    Everything,
    Part(Range<u64>),
    Nothing,
}

/// One range is given; several, or what is no range, mean everything, as HTTP allows.
fn wanted_range(headers: &HeaderMap, etag: &str, total: u64) -> Wanted {
    let Some(range) = text(headers, header::RANGE) else { return Wanted::Everything };
    if text(headers, header::IF_RANGE).is_some_and(|condition| condition != etag) {
        return Wanted::Everything;
    }
    let Some((start, end)) = range.strip_prefix("bytes=").and_then(|range| range.split_once('-'))
    else {
        return Wanted::Everything;
    };
    let part = match (start.trim(), end.trim()) {
        ("", last) => match last.parse::<u64>() {
            Ok(last) => total.saturating_sub(last)..total,
            Err(_) => return Wanted::Everything,
        },
        (start, "") => match start.parse::<u64>() {
            Ok(start) => start..total,
            Err(_) => return Wanted::Everything,
        },
        (start, end) => match (start.parse::<u64>(), end.parse::<u64>()) {
            (Ok(start), Ok(end)) if start <= end => start..end.saturating_add(1).min(total),
            _ => return Wanted::Everything,
        },
    };
    if part.start < part.end { Wanted::Part(part) } else { Wanted::Nothing }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranged(range: &'static str) -> Wanted {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::from_static(range));
        wanted_range(&headers, "\"x\"", 10)
    }

    #[test]
    fn ranges() {
        assert_eq!(ranged("bytes=2-4"), Wanted::Part(2..5));
        assert_eq!(ranged("bytes=2-"), Wanted::Part(2..10));
        assert_eq!(ranged("bytes=-3"), Wanted::Part(7..10));
        assert_eq!(ranged("bytes=-30"), Wanted::Part(0..10));
        assert_eq!(ranged("bytes=0-99"), Wanted::Part(0..10));
        assert_eq!(ranged("bytes=10-"), Wanted::Nothing);
        assert_eq!(ranged("bytes=-0"), Wanted::Nothing);
        for odd in ["bytes=4-2", "bytes=0-1,3-4", "lines=1-2", "bytes=x-", "bytes="] {
            assert_eq!(ranged(odd), Wanted::Everything, "{odd}");
        }
    }

    #[test]
    fn etags() {
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_NONE_MATCH, HeaderValue::from_static("\"a\", W/\"x\""));
        assert!(matches_etag(&headers, "\"x\""));
        assert!(!matches_etag(&headers, "\"y\""));
    }

    #[test]
    fn names_are_safe() {
        assert_eq!(content_disposition("a\"b\r\n/c"), "attachment; filename=\"a_b___c\"");
        assert_eq!(
            content_disposition("é x"),
            "attachment; filename=\"_ x\"; filename*=UTF-8''%C3%A9%20x"
        );
        assert_eq!(with_extension("a.CSV", ".csv"), "a.CSV");
        assert_eq!(with_extension("a", ".csv.gz"), "a.csv.gz");
    }
}

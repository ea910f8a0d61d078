//! Request bodies: bounded JSON objects and forms, and the body that drains itself.
//!
//! JSON is read as JSON whatever the Content-Type says: clients say anything there.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::http::{HeaderMap, StatusCode, header};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use hyper::body::{Frame, Incoming, SizeHint};
use serde_json::{Map, Value};

use super::error::{ApiError, ApiResult};
use super::query;

/// The length that the sender announced.
pub fn announced_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The next bytes of a body, or `None` at its end. Refuses a body that was cut off or stands still.
pub async fn next_part(
    parts: &mut axum::body::BodyDataStream,
    idle: Duration,
) -> ApiResult<Option<Bytes>> {
    match tokio::time::timeout(idle, parts.next()).await {
        Ok(None) => Ok(None),
        Ok(Some(Ok(bytes))) => Ok(Some(bytes)),
        Ok(Some(Err(error))) => {
            let detail = format!("The request body was cut off: {error}");
            Err(ApiError::detail(StatusCode::BAD_REQUEST, detail))
        }
        Err(_) => {
            let detail = format!("No byte of the request body came for {} s.", idle.as_secs());
            Err(ApiError::detail(StatusCode::REQUEST_TIMEOUT, detail)
                .header(header::CONNECTION, header::HeaderValue::from_static("close")))
        }
    }
}

/// A whole body of at most `limit` bytes.
pub async fn read(headers: &HeaderMap, body: Body, limit: u64, idle: Duration) -> ApiResult<Bytes> {
    let announced = announced_length(headers);
    if announced.is_some_and(|length| length > limit) {
        return Err(ApiError::body_too_large(announced, limit));
    }
    let mut parts = body.into_data_stream();
    let mut whole = BytesMut::new();
    while let Some(part) = next_part(&mut parts, idle).await? {
        if (whole.len() + part.len()) as u64 > limit {
            return Err(ApiError::body_too_large(None, limit));
        }
        whole.extend_from_slice(&part);
    }
    Ok(whole.freeze())
}

/// The JSON object in a body.
pub fn json_object(body: &[u8]) -> ApiResult<Map<String, Value>> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(other) => Err(ApiError::non_field(format!(
            "Invalid data. Expected a dictionary, but got {}.",
            python_type(&other)
        ))),
        Err(error) => {
            Err(ApiError::detail(StatusCode::BAD_REQUEST, format!("JSON parse error - {error}")))
        }
    }
}

/// The JSON object or the form in a body; a body that begins with `{` is JSON, whatever was said.
pub fn json_or_form(headers: &HeaderMap, body: &[u8]) -> ApiResult<Map<String, Value>> {
    let form = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let start = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start();
    if !form || start.starts_with(b"{") {
        return json_object(body);
    }
    let pairs = query::pairs(&String::from_utf8_lossy(body));
    Ok(pairs.into_iter().map(|(name, value)| (name, Value::String(value))).collect())
}

/// What Python calls a JSON value's type, for messages in the words that its users know.
pub fn python_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}

/// A request body which, dropped before its end, is read and thrown away for a while.
///
/// Many clients write their whole body before they read the answer; were the connection closed
/// under them, they would see a reset instead of why they were refused. A client that waits for
/// `100 Continue` has sent nothing yet, so there is nothing to read.
#[derive(Debug)]
pub struct DrainedBody {
    body: Option<Incoming>,
    waits_for_continue: bool,
    drain: Duration,
}

impl DrainedBody {
    /// Wraps the body of a request with these headers.
    pub fn new(headers: &HeaderMap, body: Incoming, drain: Duration) -> Self {
        let waits_for_continue = headers
            .get(header::EXPECT)
            .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"));
        DrainedBody { body: Some(body), waits_for_continue, drain }
    }
}

impl HttpBody for DrainedBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        // The first look at the body makes hyper send `100 Continue`.
        self.waits_for_continue = false;
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let frame = Pin::new(body).poll_frame(context);
        if matches!(frame, Poll::Ready(None | Some(Err(_)))) {
            self.body = None;
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl Drop for DrainedBody {
    fn drop(&mut self) {
        let Some(body) = self.body.take() else { return };
        if self.waits_for_continue || body.is_end_stream() {
            return;
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let drain = self.drain;
            runtime.spawn(async move {
                let mut parts = Body::new(body).into_data_stream();
                let all = async { while let Some(Ok(_)) = parts.next().await {} };
                let _ = tokio::time::timeout(drain, all).await;
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_whatever_the_content_type() {
        assert_eq!(json_object(b"\xef\xbb\xbf{\"a\": 1}").unwrap()["a"], 1);
        let mut headers = HeaderMap::new();
        let form = header::HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.insert(header::CONTENT_TYPE, form);
        assert_eq!(json_or_form(&headers, b" {\"a\": 1}").unwrap()["a"], 1);
        assert_eq!(json_or_form(&headers, b"slug=a%20b").unwrap()["slug"], "a b");
        assert!(json_object(b"[1]").is_err());
        assert!(json_object(b"").is_err());
    }
}

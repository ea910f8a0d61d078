//! Everything that is not a success, as JSON. Each refusal has its status and body here, once.
//!
//! Bodies have the shapes of Django REST framework, which clients of the v2 flow print. The outer
//! layer puts those of dataset routes into an envelope, and their gist into the reason phrase.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::limits::human_bytes;
use crate::store::{StoreError, new_id};

/// What a handler gives.
pub type ApiResult<T = Response> = Result<T, ApiError>;

/// An answer that is not a success.
#[derive(Debug)]
pub struct ApiError(Box<Problem>);

/// What went wrong; rides in the response's extensions to the outer layer.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// The body, not yet in an envelope unless it has `success`.
    pub body: Map<String, Value>,
    /// The gist in a line.
    pub summary: String,
    /// What only the log may say.
    pub cause: Option<String>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl ApiError {
    fn new(status: StatusCode, body: Value, summary: impl Into<String>) -> Self {
        let body = match body {
            Value::Object(body) => body,
            other => Map::from_iter([("detail".to_owned(), other)]),
        };
        let summary = summary.into();
        ApiError(Box::new(Problem { status, body, summary, cause: None, headers: Vec::new() }))
    }

    /// `{"detail": …}`.
    pub fn detail(status: StatusCode, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        ApiError::new(status, json!({"detail": detail}), detail)
    }

    /// 400 `{"<field>": ["message", …], …}`, all bad fields at once.
    pub fn fields(fields: Map<String, Value>) -> Self {
        let summary = fields
            .iter()
            .map(|(field, messages)| match messages.get(0).and_then(Value::as_str) {
                Some(message) if field == "non_field_errors" => message.to_owned(),
                Some(message) => format!("{field}: {message}"),
                None => field.clone(),
            })
            .collect::<Vec<_>>()
            .join("; ");
        ApiError::new(StatusCode::BAD_REQUEST, Value::Object(fields), summary)
    }

    /// 400 about one field.
    pub fn field(field: &str, message: impl Into<String>) -> Self {
        let messages = json!([message.into()]);
        ApiError::fields(Map::from_iter([(field.to_owned(), messages)]))
    }

    /// 400 about no field in particular.
    pub fn non_field(message: impl Into<String>) -> Self {
        ApiError::field("non_field_errors", message)
    }

    /// 401, asking for a token.
    pub fn unauthorized(detail: &str) -> Self {
        ApiError::detail(StatusCode::UNAUTHORIZED, detail)
            .header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    /// 403 for what the user may see but not change.
    pub fn forbidden() -> Self {
        let detail = "You do not have permission to perform this action.";
        ApiError::detail(StatusCode::FORBIDDEN, detail)
    }

    /// 404 for what is not there, and for what is somebody else's: they look the same.
    pub fn not_found() -> Self {
        ApiError::detail(StatusCode::NOT_FOUND, "Not found.")
    }

    /// 404 for a file without bytes.
    pub fn no_data() -> Self {
        ApiError::detail(StatusCode::NOT_FOUND, "This file has no uploaded data.")
    }

    /// 404 for a table that is not there, naming those that are.
    pub fn no_table(tables: Vec<&str>) -> Self {
        let body = json!({"detail": "Not found.", "tables": tables});
        ApiError::new(StatusCode::NOT_FOUND, body, "Not found.")
    }

    /// 409 for a table of a file that has none because it is not valid.
    pub fn not_valid(errors: &Map<String, Value>) -> Self {
        let detail = "This file is not valid.";
        let body = json!({"detail": detail, "errors": errors});
        ApiError::new(StatusCode::CONFLICT, body, detail)
    }

    /// 413 for an upload; `bytes` where it is known how many there are.
    pub fn upload_too_large(bytes: Option<u64>, limit: u64) -> Self {
        let hint = "compress the file (gzip) or send parquet";
        ApiError::too_large("upload", bytes, limit, Some(hint))
    }

    /// 413 for any other body.
    pub fn body_too_large(bytes: Option<u64>, limit: u64) -> Self {
        ApiError::too_large("request body", bytes, limit, None)
    }

    fn too_large(what: &str, bytes: Option<u64>, limit: u64, hint: Option<&str>) -> Self {
        let size = |bytes: u64| match bytes {
            0..1024 => format!("{bytes} bytes"),
            _ => format!("{bytes} bytes ({})", human_bytes(bytes)),
        };
        let got = match bytes {
            Some(bytes) => format!("the {what} has {}", size(bytes)),
            None => format!("the {what} has more"),
        };
        let message = format!("{got}, allowed are {}", size(limit));
        let mut item = json!({"code": "upload_too_large", "message": message});
        if let Some(hint) = hint {
            item["hint"] = hint.into();
        }
        let body = json!({"detail": message, "errors": {"limits": [item]}});
        ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, body, message)
    }

    /// 429 with the time to wait.
    pub fn too_many_logins(seconds: u64) -> Self {
        let detail = format!("Too many failed logins. Try again in {seconds} seconds.");
        ApiError::detail(StatusCode::TOO_MANY_REQUESTS, detail)
            .header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// 500: our fault. The cause goes to the log only, under the incident that the answer names.
    pub fn internal(cause: impl ToString) -> Self {
        let incident = new_id();
        let body = json!({"detail": "Internal error.", "incident": incident});
        let mut error = ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, body, "Internal error.");
        error.0.cause = Some(format!("incident {incident}: {}", cause.to_string()));
        error
    }

    /// A refusal of a dataset route: a fixed message, a text for people, and more data.
    pub fn dataset(
        status: StatusCode,
        message: &str,
        error_message: impl Into<String>,
        mut data: Map<String, Value>,
    ) -> Self {
        let error_message = error_message.into();
        data.insert("error_message".into(), error_message.clone().into());
        let body = json!({
            "success": false,
            "message": message,
            "error_code": status.as_u16(),
            "detail": error_message,
            "data": data,
        });
        ApiError::new(status, body, format!("{message}: {error_message}"))
    }

    /// Adds a header.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }
}

impl Problem {
    /// The body as dataset routes have it.
    pub fn enveloped(&self) -> Map<String, Value> {
        if self.body.contains_key("success") {
            return self.body.clone();
        }
        let detail =
            self.body.get("detail").cloned().unwrap_or_else(|| self.summary.clone().into());
        let message = match self.status {
            StatusCode::BAD_REQUEST => "Invalid request".into(),
            _ => detail.clone(),
        };
        let mut data = self.body.clone();
        data.remove("detail");
        if self.status == StatusCode::BAD_REQUEST && !data.is_empty() {
            data = Map::from_iter([("errors".to_owned(), Value::Object(data))]);
        }
        data.insert("error_message".into(), self.summary.clone().into());
        let envelope = json!({
            "success": false,
            "message": message,
            "error_code": self.status.as_u16(),
            "detail": detail,
            "data": data,
        });
        match envelope {
            Value::Object(envelope) => envelope,
            _ => Map::new(),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = json_response(self.0.status, &Value::Object(self.0.body.clone()));
        for (name, value) in &self.0.headers {
            response.headers_mut().insert(name.clone(), value.clone());
        }
        response.extensions_mut().insert(*self.0);
        response
    }
}

/// A JSON answer.
pub fn json_response(status: StatusCode, body: &Value) -> Response {
    let json = HeaderValue::from_static("application/json");
    (status, [(header::CONTENT_TYPE, json)], body.to_string()).into_response()
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        ApiError::internal(error)
    }
}

impl From<tokio::task::JoinError> for ApiError {
    fn from(error: tokio::task::JoinError) -> Self {
        ApiError::internal(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_errors_have_a_summary_and_an_envelope() {
        let error = ApiError::field("org_name", "not a member");
        assert_eq!(error.0.summary, "org_name: not a member");
        let envelope = Value::Object(error.0.enveloped());
        assert_eq!(envelope["success"], false);
        assert_eq!(envelope["data"]["errors"]["org_name"][0], "not a member");
        assert_eq!(envelope["detail"], "org_name: not a member");
    }

    #[test]
    fn sizes_are_exact_and_readable() {
        let error = ApiError::upload_too_large(Some(50_000_000), 1000);
        assert_eq!(
            error.0.summary,
            "the upload has 50000000 bytes (47.7 MiB), allowed are 1000 bytes"
        );
    }

    #[test]
    fn causes_stay_inside() {
        let error = ApiError::internal("/secret/path");
        assert!(!Value::Object(error.0.body.clone()).to_string().contains("secret"));
        assert!(error.0.cause.unwrap().contains("/secret/path"));
    }
}

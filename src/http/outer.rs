//! What holds for every request, around the routes: slashes, CORS, envelopes, reason phrases, faults.
//!
//! A trailing slash is taken off before routing, so both spellings of a route answer, with the same
//! method and without a redirect (which would turn a POST into a GET).

use std::any::Any;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;

use axum::Router;
use axum::body::Body;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use hyper::body::Incoming;
use hyper::ext::ReasonPhrase;
use serde_json::Value;
use tower::Service;

use super::app::App;
use super::body::DrainedBody;
use super::error::{ApiError, Problem, json_response};

/// The peer's address, in a request's extensions.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// Answers a request.
pub async fn answer(
    app: App,
    mut routes: Router,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let origin = parts.headers.get(header::ORIGIN).cloned();
    let mut response = if parts.method == Method::OPTIONS {
        preflight()
    } else {
        let body = DrainedBody::new(&parts.headers, body, app.config.drain);
        parts.uri = without_slash(parts.uri);
        parts.extensions.insert(Peer(peer));
        let (method, path) = (parts.method.clone(), parts.uri.path().to_owned());
        let request = Request::from_parts(parts, Body::new(body));
        let answered = AssertUnwindSafe(routes.call(request)).catch_unwind().await;
        let response = match answered {
            Ok(Ok(response)) => response,
            Ok(Err(never)) => match never {},
            Err(panic) => ApiError::internal(panic_text(panic.as_ref())).into_response(),
        };
        finish(&app, &method, &path, response)
    };
    cross_origin(&app.config.cors_origin, origin.as_ref(), response.headers_mut());
    response
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    format!("a handler panicked: {}", text.unwrap_or("no message"))
}

/// `/a/b/` becomes `/a/b`; `/` stays.
fn without_slash(uri: Uri) -> Uri {
    let path = uri.path();
    let Some(shorter) = path.strip_suffix('/').filter(|shorter| !shorter.is_empty()) else {
        return uri;
    };
    let spelled = match uri.query() {
        Some(query) => format!("{shorter}?{query}"),
        None => shorter.to_owned(),
    };
    let Ok(path_and_query) = PathAndQuery::try_from(spelled) else { return uri };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(path_and_query);
    Uri::from_parts(parts).unwrap_or(uri)
}

/// Logs our faults; puts refusals of dataset routes into the envelope and those of upload routes
/// into the reason phrase, which is all that the Python client shows of them.
fn finish(app: &App, method: &Method, path: &str, mut response: Response) -> Response {
    let Some(problem) = response.extensions_mut().remove::<Problem>() else { return response };
    if let Some(cause) = &problem.cause {
        app.config.log.line(&format!("{method} {path}: {cause}"));
    }
    let mut response = match is_below(path, "/api/v2/upload/datasets") {
        true => with_body(response, &Value::Object(problem.enveloped())),
        false => response,
    };
    if is_below(path, "/api/v2/upload")
        && problem.status.is_client_error()
        && let Ok(phrase) = ReasonPhrase::try_from(reason_phrase(&problem.summary))
    {
        response.extensions_mut().insert(phrase);
    }
    response
}

/// The same answer with another body.
fn with_body(response: Response, body: &Value) -> Response {
    let mut other = json_response(response.status(), body);
    for (name, value) in response.headers() {
        if name != header::CONTENT_LENGTH {
            other.headers_mut().insert(name.clone(), value.clone());
        }
    }
    other
}

fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// At most 120 characters of printable ASCII.
fn reason_phrase(summary: &str) -> String {
    let printable = |c: char| if c == ' ' || c.is_ascii_graphic() { c } else { '?' };
    let mut phrase: String = summary.chars().map(printable).take(120).collect();
    if summary.chars().count() > 120 {
        phrase.truncate(117);
        phrase.push_str("...");
    }
    phrase
}

fn preflight() -> Response {
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, POST, PATCH, DELETE, OPTIONS"),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "Authorization, Content-Type, Accept, traceparent, tracestate",
        ),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// Lets pages of other origins read the answer, as far as configured; never with credentials.
fn cross_origin(allowed: &str, origin: Option<&HeaderValue>, headers: &mut HeaderMap) {
    let exposed = HeaderValue::from_static("Content-Disposition, ETag, X-Total-Rows");
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    if allowed == "*" {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        return;
    }
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin
        && allowed.split_whitespace().any(|one| one.as_bytes() == origin.as_bytes())
    {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slash_goes() {
        let strip = |uri: &str| without_slash(uri.parse().unwrap()).to_string();
        assert_eq!(strip("/api/v2/files/?limit=5"), "/api/v2/files?limit=5");
        assert_eq!(strip("/api/v2/files"), "/api/v2/files");
        assert_eq!(strip("/"), "/");
        assert_eq!(strip("/a//"), "/a/");
    }

    #[test]
    fn phrases_are_short_and_plain() {
        assert_eq!(reason_phrase("é\r\nX: y"), "???X: y");
        assert_eq!(reason_phrase(&"a".repeat(200)).len(), 120);
    }

    #[test]
    fn origins_are_those_configured() {
        let allow = |allowed: &str, origin: &'static str| {
            let mut headers = HeaderMap::new();
            cross_origin(allowed, Some(&HeaderValue::from_static(origin)), &mut headers);
            headers.get(header::ACCESS_CONTROL_ALLOW_ORIGIN).map(|o| o.to_str().unwrap().to_owned())
        };
        assert_eq!(allow("*", "https://a").as_deref(), Some("*"));
        assert_eq!(allow("https://a https://b", "https://b").as_deref(), Some("https://b"));
        assert_eq!(allow("https://a", "https://b"), None);
    }
}

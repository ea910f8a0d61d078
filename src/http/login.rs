//! Logging in with a password or a personal key; refreshing and verifying tokens; organisations.

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::app::App;
use super::auth::{Caller, InPath, Token, read_token};
use super::body;
use super::error::{ApiError, ApiResult, json_response};
use super::fields::Fields;
use super::peer::client_address;
use super::token::TokenError;
use crate::store::{User, digest, verify_password};

const BAD_CREDENTIALS: &str = "Unable to log in with provided credentials.";

/// `POST /api-token-auth/`, `POST /api/v2/auth/token/generate`: a token for a password.
#[utoipa::path(
    post, path = "/api-token-auth/", tag = "login",
    request_body(
        content = Object, description = "`username`, `password` and perhaps `org_name`; JSON or form"
    ),
    responses(
        (status = 200, description = "`token`, `user` and, if asked for, `active_organization`"),
        (status = 400, description = "wrong password, or a field is missing"),
        (status = 429, description = "too many failed logins"),
    ),
)]
pub async fn login(State(app): State<App>, request: Request) -> ApiResult {
    let (parts, body) = request.into_parts();
    let body = body::read(&parts.headers, body, app.config.json_bytes, app.config.idle).await?;
    let mut fields = Fields::new(body::json_or_form(&parts.headers, &body)?);
    let username = fields.required_text("username");
    let password = fields.required_text("password");
    let organisation = fields.optional_text("org_name");
    fields.check()?;
    let address = client_address(&app, &parts);
    let attempt = app.throttle.attempt(&username, address).await;
    let attempt = attempt.map_err(|wait| ApiError::too_many_logins(wait.as_secs() + 1))?;
    match check_password(&app, &username, password).await? {
        Some(user) => {
            attempt.succeeded();
            logged_in(&app, user, organisation).await
        }
        None => {
            attempt.failed();
            Err(ApiError::non_field(BAD_CREDENTIALS))
        }
    }
}

async fn check_password(app: &App, username: &str, password: String) -> ApiResult<Option<User>> {
    let user = app.store.catalogue.user_by_name(username).await?;
    let hash = user.as_ref().map_or(&app.nobodys_hash, |user| &user.password_hash).clone();
    let _slot = app.password_slots.acquire().await.map_err(ApiError::internal)?;
    let right = tokio::task::spawn_blocking(move || verify_password(&password, &hash)).await?;
    Ok(user.filter(|_| right))
}

/// The answer to every login. `active_organization` is there only if one was asked for: clients
/// take its presence as a reason for more calls, and stumble over `null`.
async fn logged_in(app: &App, user: User, organisation: Option<String>) -> ApiResult {
    let mut answer = json!({
        "token": app.tokens.login(&user)?,
        "user": {"id": user.id, "username": user.username, "name": user.name, "email": user.email},
    });
    if let Some(slug) = organisation {
        let is_member = Caller(user).is_member(app, &slug).await?;
        answer["active_organization"] =
            json!({"slug": slug, "is_found": is_member, "is_member": is_member});
    }
    Ok(json_response(StatusCode::OK, &answer))
}

/// `POST /api/v2/auth/token/refresh`, `POST /api-token-refresh/`: a new token for a good one, which
/// stays good.
#[utoipa::path(
    post, path = "/api/v2/auth/token/refresh", tag = "login",
    request_body(content = Object, description = "`token`"),
    responses(
        (status = 200, description = "`token`"),
        (status = 400, description = "expired, not ours, or logged in too long ago"),
    ),
)]
pub async fn refresh(State(app): State<App>, request: Request) -> ApiResult {
    let given = given_token(&app, request).await?;
    let token = match read_token(&app, &given).await? {
        Ok((_, Token::Fixed)) => given,
        Ok((_, Token::Signed(claims))) => app
            .tokens
            .refresh(&claims)?
            .ok_or_else(|| ApiError::non_field("Refresh has expired."))?,
        Err(error) => return Err(refused(error)),
    };
    Ok(json_response(StatusCode::OK, &json!({"token": token})))
}

/// `POST /api-token-verify/`, `POST /api/v2/auth/token/verify`: whether a token is good.
#[utoipa::path(
    post, path = "/api-token-verify/", tag = "login",
    request_body(content = Object, description = "`token`"),
    responses(
        (status = 200, description = "`token`, the same"),
        (status = 400, description = "expired or not ours"),
    ),
)]
pub async fn verify(State(app): State<App>, request: Request) -> ApiResult {
    let given = given_token(&app, request).await?;
    match read_token(&app, &given).await? {
        Ok(_) => Ok(json_response(StatusCode::OK, &json!({"token": given}))),
        Err(error) => Err(refused(error)),
    }
}

fn refused(error: TokenError) -> ApiError {
    ApiError::non_field(error.text())
}

async fn given_token(app: &App, request: Request) -> ApiResult<String> {
    let (parts, body) = request.into_parts();
    let body = body::read(&parts.headers, body, app.config.json_bytes, app.config.idle).await?;
    let mut fields = Fields::new(body::json_or_form(&parts.headers, &body)?);
    let token = fields.required_text("token");
    fields.check()?;
    Ok(token)
}

/// `GET` and `POST /api/v2/auth/pkey/jwt/`: a token for a personal key. (Python sends a GET with a
/// body.)
#[utoipa::path(
    method(get, post), path = "/api/v2/auth/pkey/jwt/", tag = "login",
    security(("personal_key" = [])),
    request_body(content = Object, description = "`{}` or `org_name`"),
    responses(
        (status = 200, description = "as for a login"),
        (status = 401, description = "no such key"),
    ),
)]
pub async fn personal_key(State(app): State<App>, request: Request) -> ApiResult {
    let (parts, body) = request.into_parts();
    let body = body::read(&parts.headers, body, app.config.json_bytes, app.config.idle).await?;
    let given = match body.trim_ascii().is_empty() {
        true => Map::new(),
        false => body::json_or_form(&parts.headers, &body)?,
    };
    let mut fields = Fields::new(given);
    let organisation = fields.optional_text("org_name");
    fields.check()?;
    let user = key_owner(&app, &parts).await?;
    logged_in(&app, user, organisation).await
}

async fn key_owner(app: &App, parts: &Parts) -> ApiResult<User> {
    let (id, secret) = key_in(&parts.headers)
        .ok_or_else(|| ApiError::unauthorized("Authentication credentials were not provided."))?;
    let attempt = app.throttle.attempt(&format!("key:{id}"), client_address(app, parts)).await;
    let attempt = attempt.map_err(|wait| ApiError::too_many_logins(wait.as_secs() + 1))?;
    match app.store.catalogue.user_by_personal_key(id, &digest(secret)).await? {
        Some(user) => {
            attempt.succeeded();
            Ok(user)
        }
        None => {
            attempt.failed();
            Err(ApiError::unauthorized(BAD_CREDENTIALS))
        }
    }
}

fn key_in(headers: &HeaderMap) -> Option<(&str, &str)> {
    let (scheme, key) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    key.trim().split_once(':').filter(|_| scheme.eq_ignore_ascii_case("personalkey"))
}

/// `POST /api/v2/o/<org>/switch/`: changes nothing, since every request names its organisation, but
/// says whether the caller belongs to it.
#[utoipa::path(
    post, path = "/api/v2/o/{org}/switch/", tag = "login", security(("bearer" = [])),
    params(("org" = String, Path, description = "the organisation")),
    responses(
        (status = 200, description = "`status` is `OK`"),
        (status = 404, description = "`status` is `ERROR`: unknown, or not a member"),
    ),
)]
pub async fn switch(
    State(app): State<App>,
    caller: Caller,
    InPath(organisation): InPath<String>,
) -> ApiResult<Response> {
    if caller.is_member(&app, &organisation).await? {
        return Ok(json_response(StatusCode::OK, &json!({"status": "OK"})));
    }
    let message = format!("The organization {organisation:?} was not found.");
    let body: Value = json!({"status": "ERROR", "message": message});
    Ok(json_response(StatusCode::NOT_FOUND, &body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn personal_keys_are_read() {
        let mut headers = HeaderMap::new();
        let value = header::HeaderValue::from_static("PersonalKey abc:s:t");
        headers.insert(header::AUTHORIZATION, value);
        assert_eq!(key_in(&headers), Some(("abc", "s:t")));
        headers.insert(header::AUTHORIZATION, header::HeaderValue::from_static("Bearer a:b"));
        assert_eq!(key_in(&headers), None);
    }
}

//! Who may call: the user behind `Authorization: Bearer <token>`.
//!
//! Takes signed tokens and the fixed ones that an administrator made; refuses with 401 and the texts
//! that clients know. A repeated scheme (`Bearer Bearer x`) is taken: the vendor's JavaScript
//! documentation tells users to write it.

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path};
use axum::http::header;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::app::App;
use super::error::{ApiError, ApiResult};
use super::token::{Claims, TokenError};
use crate::store::{Access, FileRow, User, digest, is_id};

/// A token that was read.
#[derive(Clone, Debug)]
pub enum Token {
    /// One of ours, with what it says.
    Signed(Claims),
    /// One that an administrator made; it never expires.
    Fixed,
}

/// The user of a token, and what the token says.
pub async fn read_token(app: &App, token: &str) -> ApiResult<Result<(User, Token), TokenError>> {
    let catalogue = &app.store.catalogue;
    // Signed tokens have three parts; fixed ones have no dot.
    if !token.contains('.') {
        let user = catalogue.user_by_token(&digest(token)).await?;
        return Ok(user.map(|user| (user, Token::Fixed)).ok_or(TokenError::Bad));
    }
    let claims = match app.tokens.read(token) {
        Ok(claims) => claims,
        Err(error) => return Ok(Err(error)),
    };
    let user = catalogue.user(claims.user_id).await?;
    Ok(user.map(|user| (user, Token::Signed(claims))).ok_or(TokenError::Bad))
}

/// The user who calls; the argument of every handler that needs one.
#[derive(Clone, Debug)]
pub struct Caller(pub User);

impl FromRequestParts<App> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> ApiResult<Self> {
        let token = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(bearer)
            .ok_or_else(|| {
                ApiError::unauthorized("Authentication credentials were not provided.")
            })?;
        match read_token(app, token).await? {
            Ok((user, _)) => Ok(Caller(user)),
            Err(error) => Err(ApiError::unauthorized(error.text())),
        }
    }
}

/// What stands behind one or several `Bearer`.
fn bearer(header: &str) -> Option<&str> {
    let mut words = header.split_ascii_whitespace();
    let is_scheme = |word: &str| word.eq_ignore_ascii_case("bearer");
    let first = words.next()?;
    is_scheme(first).then(|| words.find(|word| !is_scheme(word)))?
}

impl Caller {
    /// A file that the caller may see; 404 for one that is not there and for one that is not his.
    pub async fn file(&self, app: &App, id: &str) -> ApiResult<(FileRow, Access)> {
        if !is_id(id) {
            return Err(ApiError::not_found());
        }
        app.store.catalogue.file(self.0.id, id).await?.ok_or_else(ApiError::not_found)
    }

    /// A file that the caller may change; 403 for one that he may only read.
    pub async fn own_file(&self, app: &App, id: &str) -> ApiResult<FileRow> {
        match self.file(app, id).await? {
            (file, Access::Author) => Ok(file),
            (_, Access::Member) => Err(ApiError::forbidden()),
        }
    }

    /// Whether the caller belongs to an organisation. Everybody belongs to the one of his own name.
    pub async fn is_member(&self, app: &App, organisation: &str) -> ApiResult<bool> {
        Ok(organisation == self.0.username
            || app.store.catalogue.is_member(self.0.id, organisation).await?)
    }
}

/// Parts of the path; one that is no UTF-8 names nothing that is there.
#[derive(Clone, Debug)]
pub struct InPath<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for InPath<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> ApiResult<Self> {
        let path = Path::<T>::from_request_parts(parts, app).await;
        path.map(|Path(path)| InPath(path)).map_err(|_: PathRejection| ApiError::not_found())
    }
}

#[cfg(test)]
mod tests {
    use super::bearer;

    #[test]
    fn the_scheme_may_be_repeated() {
        assert_eq!(bearer("Bearer x"), Some("x"));
        assert_eq!(bearer("bearer Bearer x"), Some("x"));
        assert_eq!(bearer("Bearer"), None);
        assert_eq!(bearer("Basic x"), None);
        assert_eq!(bearer(""), None);
    }
}

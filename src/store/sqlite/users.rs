//! Users, their tokens, personal keys and organisations.

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::SqliteCatalogue;
use crate::store::error::{Result, StoreError};
use crate::store::records::{User, now};

pub(super) async fn add(catalogue: &SqliteCatalogue, user: &User) -> Result<User> {
    let added = sqlx::query(
        "INSERT INTO users (username, name, email, password_hash, created_at) \
         VALUES (?, ?, ?, ?, ?) RETURNING id",
    )
    .bind(&user.username)
    .bind(&user.name)
    .bind(&user.email)
    .bind(&user.password_hash)
    .bind(now())
    .fetch_one(&catalogue.pool)
    .await;
    match added {
        Ok(row) => Ok(User { id: row.try_get(0)?, ..user.clone() }),
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
            Err(StoreError::UserExists(user.username.clone()))
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn by_id(catalogue: &SqliteCatalogue, id: i64) -> Result<Option<User>> {
    let row =
        sqlx::query("SELECT id, username, name, email, password_hash FROM users WHERE id = ?")
            .bind(id)
            .fetch_optional(&catalogue.pool)
            .await?;
    row.as_ref().map(read).transpose()
}

pub(super) async fn by_name(catalogue: &SqliteCatalogue, username: &str) -> Result<Option<User>> {
    let row = sqlx::query(
        "SELECT id, username, name, email, password_hash FROM users WHERE username = ?",
    )
    .bind(username)
    .fetch_optional(&catalogue.pool)
    .await?;
    row.as_ref().map(read).transpose()
}

pub(super) async fn set_password(catalogue: &SqliteCatalogue, user: i64, hash: &str) -> Result<()> {
    sqlx::query("UPDATE users SET password_hash = ? WHERE id = ?")
        .bind(hash)
        .bind(user)
        .execute(&catalogue.pool)
        .await?;
    Ok(())
}

pub(super) async fn add_token(catalogue: &SqliteCatalogue, user: i64, digest: &str) -> Result<()> {
    sqlx::query("INSERT INTO tokens (digest, user_id, created_at) VALUES (?, ?, ?)")
        .bind(digest)
        .bind(user)
        .bind(now())
        .execute(&catalogue.pool)
        .await?;
    Ok(())
}

pub(super) async fn by_token(catalogue: &SqliteCatalogue, digest: &str) -> Result<Option<User>> {
    let row = sqlx::query(
        "SELECT users.id, username, name, email, password_hash \
         FROM tokens JOIN users ON users.id = tokens.user_id WHERE tokens.digest = ?",
    )
    .bind(digest)
    .fetch_optional(&catalogue.pool)
    .await?;
    row.as_ref().map(read).transpose()
}

pub(super) async fn add_personal_key(
    catalogue: &SqliteCatalogue,
    user: i64,
    id: &str,
    digest: &str,
) -> Result<()> {
    sqlx::query("INSERT INTO personal_keys (id, digest, user_id, created_at) VALUES (?, ?, ?, ?)")
        .bind(id)
        .bind(digest)
        .bind(user)
        .bind(now())
        .execute(&catalogue.pool)
        .await?;
    Ok(())
}

pub(super) async fn by_personal_key(
    catalogue: &SqliteCatalogue,
    id: &str,
    digest: &str,
) -> Result<Option<User>> {
    // The digest of a long random secret may be compared by the database: an attacker who learned
    // of the digest's first digits by timing could not make a secret that has them.
    let row = sqlx::query(
        "SELECT users.id, username, name, email, password_hash FROM personal_keys \
         JOIN users ON users.id = personal_keys.user_id \
         WHERE personal_keys.id = ? AND personal_keys.digest = ?",
    )
    .bind(id)
    .bind(digest)
    .fetch_optional(&catalogue.pool)
    .await?;
    row.as_ref().map(read).transpose()
}

pub(super) async fn join_organisation(
    catalogue: &SqliteCatalogue,
    user: i64,
    organisation: &str,
) -> Result<()> {
    sqlx::query("INSERT OR IGNORE INTO members (organisation, user_id) VALUES (?, ?)")
        .bind(organisation)
        .bind(user)
        .execute(&catalogue.pool)
        .await?;
    Ok(())
}

pub(super) async fn is_member(
    catalogue: &SqliteCatalogue,
    user: i64,
    organisation: &str,
) -> Result<bool> {
    let row = sqlx::query("SELECT 1 FROM members WHERE organisation = ? AND user_id = ?")
        .bind(organisation)
        .bind(user)
        .fetch_optional(&catalogue.pool)
        .await?;
    Ok(row.is_some())
}

fn read(row: &SqliteRow) -> Result<User> {
    Ok(User {
        id: row.try_get("id")?,
        username: row.try_get("username")?,
        name: row.try_get("name")?,
        email: row.try_get("email")?,
        password_hash: row.try_get("password_hash")?,
    })
}

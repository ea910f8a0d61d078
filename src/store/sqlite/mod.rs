//! The catalogue in a SQLite file.
//!
//! Write-ahead logging lets readers go on beside a writer; every change takes the write lock at its
//! beginning, so that two of them queue instead of failing half-way.

mod datasets;
mod files;
mod users;

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Row, Sqlite, SqlitePool, Transaction};

use super::catalogue::{Answer, Catalogue};
use super::error::Result;
use super::records::{Access, DatasetRow, FileRow, User};

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("src/store/migrations");

/// The catalogue in a SQLite file.
#[derive(Clone, Debug)]
pub struct SqliteCatalogue {
    pool: SqlitePool,
}

impl SqliteCatalogue {
    /// Opens the file, makes it if it is not there, and brings it to this version.
    pub async fn open(path: &Path) -> Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(30));
        let pool = SqlitePoolOptions::new().max_connections(8).connect_with(options).await?;
        MIGRATIONS.run(&pool).await?;
        Ok(SqliteCatalogue { pool })
    }

    async fn begin(&self) -> Result<Transaction<'static, Sqlite>> {
        Ok(self.pool.begin_with("BEGIN IMMEDIATE").await?)
    }
}

/// Makes `blobs` all that `owner` needs; gives those that nobody needs any more.
async fn refer<'a>(
    transaction: &mut Transaction<'static, Sqlite>,
    owner: &str,
    blobs: impl Iterator<Item = &'a str>,
) -> Result<Vec<String>> {
    let before = sqlx::query("DELETE FROM blob_references WHERE owner = ? RETURNING blob")
        .bind(owner)
        .fetch_all(&mut **transaction)
        .await?;
    for blob in blobs {
        sqlx::query("INSERT OR IGNORE INTO blob_references (blob, owner) VALUES (?, ?)")
            .bind(blob)
            .bind(owner)
            .execute(&mut **transaction)
            .await?;
    }
    let mut released = Vec::new();
    for row in before {
        let blob: String = row.try_get(0)?;
        if !is_needed(transaction, &blob).await? {
            released.push(blob);
        }
    }
    Ok(released)
}

async fn is_needed(transaction: &mut Transaction<'static, Sqlite>, blob: &str) -> Result<bool> {
    let row = sqlx::query("SELECT 1 FROM blob_references WHERE blob = ? LIMIT 1")
        .bind(blob)
        .fetch_optional(&mut **transaction)
        .await?;
    Ok(row.is_some())
}

impl Catalogue for SqliteCatalogue {
    fn add_user<'a>(&'a self, user: &'a User) -> Answer<'a, User> {
        Box::pin(users::add(self, user))
    }

    fn user(&self, id: i64) -> Answer<'_, Option<User>> {
        Box::pin(users::by_id(self, id))
    }

    fn user_by_name<'a>(&'a self, username: &'a str) -> Answer<'a, Option<User>> {
        Box::pin(users::by_name(self, username))
    }

    fn set_password<'a>(&'a self, user: i64, hash: &'a str) -> Answer<'a, ()> {
        Box::pin(users::set_password(self, user, hash))
    }

    fn add_token<'a>(&'a self, user: i64, digest: &'a str) -> Answer<'a, ()> {
        Box::pin(users::add_token(self, user, digest))
    }

    fn user_by_token<'a>(&'a self, digest: &'a str) -> Answer<'a, Option<User>> {
        Box::pin(users::by_token(self, digest))
    }

    fn add_personal_key<'a>(&'a self, user: i64, id: &'a str, digest: &'a str) -> Answer<'a, ()> {
        Box::pin(users::add_personal_key(self, user, id, digest))
    }

    fn user_by_personal_key<'a>(
        &'a self,
        id: &'a str,
        digest: &'a str,
    ) -> Answer<'a, Option<User>> {
        Box::pin(users::by_personal_key(self, id, digest))
    }

    fn join_organisation<'a>(&'a self, user: i64, organisation: &'a str) -> Answer<'a, ()> {
        Box::pin(users::join_organisation(self, user, organisation))
    }

    fn is_member<'a>(&'a self, user: i64, organisation: &'a str) -> Answer<'a, bool> {
        Box::pin(users::is_member(self, user, organisation))
    }

    fn add_file<'a>(&'a self, file: &'a FileRow) -> Answer<'a, ()> {
        Box::pin(files::add(self, file))
    }

    fn file<'a>(&'a self, user: i64, id: &'a str) -> Answer<'a, Option<(FileRow, Access)>> {
        Box::pin(files::find(self, user, id))
    }

    fn files(&self, user: i64, limit: u64, offset: u64) -> Answer<'_, (u64, Vec<FileRow>)> {
        Box::pin(files::page(self, user, limit, offset))
    }

    fn replace_file<'a>(&'a self, file: &'a FileRow) -> Answer<'a, Option<Vec<String>>> {
        Box::pin(files::replace(self, file))
    }

    fn remove_file<'a>(&'a self, id: &'a str) -> Answer<'a, Option<Vec<String>>> {
        Box::pin(files::remove(self, id))
    }

    fn add_dataset<'a>(&'a self, dataset: &'a DatasetRow) -> Answer<'a, bool> {
        Box::pin(datasets::add(self, dataset))
    }

    fn dataset<'a>(&'a self, user: i64, id: &'a str) -> Answer<'a, Option<DatasetRow>> {
        Box::pin(datasets::find(self, user, id))
    }

    fn blobs(&self) -> Answer<'_, HashSet<String>> {
        Box::pin(async {
            let rows = sqlx::query("SELECT DISTINCT blob FROM blob_references")
                .fetch_all(&self.pool)
                .await?;
            rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
        })
    }
}

//! File rows. Settings and outcome are JSON texts: the catalogue never looks inside.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, Sqlite, Transaction};

use super::{SqliteCatalogue, refer};
use crate::store::error::Result;
use crate::store::records::{Access, FileRow, FileSettings, Outcome};

pub(super) async fn add(catalogue: &SqliteCatalogue, file: &FileRow) -> Result<()> {
    let mut transaction = catalogue.begin().await?;
    sqlx::query(
        "INSERT INTO files (id, author, organisation, name, description, file_type, \
         file_compression, parser_options, sql_transforms, agent_name, agent_version, created_at, \
         updated_at, upload, is_valid, errors, warnings, detected, tables) \
         VALUES (?, ?, ?, '', '', '', '', '', '', '', '', ?, 0, '', 0, '', '', '', '')",
    )
    .bind(&file.id)
    .bind(file.author)
    .bind(&file.organisation)
    .bind(file.created_at)
    .execute(&mut *transaction)
    .await?;
    write(&mut transaction, file).await?;
    refer(&mut transaction, &file.id, file.blobs()).await?;
    Ok(transaction.commit().await?)
}

pub(super) async fn replace(
    catalogue: &SqliteCatalogue,
    file: &FileRow,
) -> Result<Option<Vec<String>>> {
    let mut transaction = catalogue.begin().await?;
    if write(&mut transaction, file).await? == 0 {
        return Ok(None);
    }
    let released = refer(&mut transaction, &file.id, file.blobs()).await?;
    transaction.commit().await?;
    Ok(Some(released))
}

pub(super) async fn remove(catalogue: &SqliteCatalogue, id: &str) -> Result<Option<Vec<String>>> {
    let mut transaction = catalogue.begin().await?;
    let removed =
        sqlx::query("DELETE FROM files WHERE id = ?").bind(id).execute(&mut *transaction).await?;
    if removed.rows_affected() == 0 {
        return Ok(None);
    }
    let released = refer(&mut transaction, id, std::iter::empty()).await?;
    transaction.commit().await?;
    Ok(Some(released))
}

pub(super) async fn find(
    catalogue: &SqliteCatalogue,
    user: i64,
    id: &str,
) -> Result<Option<(FileRow, Access)>> {
    let row = sqlx::query(
        "SELECT * FROM files WHERE id = ?1 AND (author = ?2 OR organisation IN \
         (SELECT organisation FROM members WHERE user_id = ?2))",
    )
    .bind(id)
    .bind(user)
    .fetch_optional(&catalogue.pool)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let file = read(&row)?;
    let access = if file.author == user { Access::Author } else { Access::Member };
    Ok(Some((file, access)))
}

pub(super) async fn page(
    catalogue: &SqliteCatalogue,
    user: i64,
    limit: u64,
    offset: u64,
) -> Result<(u64, Vec<FileRow>)> {
    // One read transaction, so that count and page belong together.
    let mut transaction = catalogue.pool.begin().await?;
    let count: i64 = sqlx::query(
        "SELECT count(*) FROM files WHERE author = ?1 OR organisation IN \
         (SELECT organisation FROM members WHERE user_id = ?1)",
    )
    .bind(user)
    .fetch_one(&mut *transaction)
    .await?
    .try_get(0)?;
    let rows = sqlx::query(
        "SELECT * FROM files WHERE author = ?1 OR organisation IN \
         (SELECT organisation FROM members WHERE user_id = ?1) \
         ORDER BY created_at DESC, id DESC LIMIT ?2 OFFSET ?3",
    )
    .bind(user)
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .bind(i64::try_from(offset).unwrap_or(i64::MAX))
    .fetch_all(&mut *transaction)
    .await?;
    let files = rows.iter().map(read).collect::<Result<_>>()?;
    Ok((u64::try_from(count).unwrap_or(0), files))
}

/// Writes all that can change of a row; gives how many rows there were to change.
async fn write(transaction: &mut Transaction<'static, Sqlite>, file: &FileRow) -> Result<u64> {
    let FileRow { settings, outcome, .. } = file;
    let written = sqlx::query(
        "UPDATE files SET name = ?, description = ?, file_type = ?, file_compression = ?, \
         parser_options = ?, sql_transforms = ?, agent_name = ?, agent_version = ?, \
         updated_at = ?, upload = ?, is_valid = ?, errors = ?, warnings = ?, detected = ?, \
         tables = ? WHERE id = ?",
    )
    .bind(&settings.name)
    .bind(&settings.description)
    .bind(&settings.file_type)
    .bind(&settings.file_compression)
    .bind(serde_json::to_string(&settings.parser_options)?)
    .bind(serde_json::to_string(&settings.sql_transforms)?)
    .bind(&file.agent_name)
    .bind(&file.agent_version)
    .bind(file.updated_at)
    .bind(serde_json::to_string(&file.upload)?)
    .bind(outcome.is_valid)
    .bind(serde_json::to_string(&outcome.errors)?)
    .bind(serde_json::to_string(&outcome.warnings)?)
    .bind(serde_json::to_string(&outcome.detected)?)
    .bind(serde_json::to_string(&outcome.tables)?)
    .bind(&file.id)
    .execute(&mut **transaction)
    .await?;
    Ok(written.rows_affected())
}

fn read(row: &SqliteRow) -> Result<FileRow> {
    let json = |column: &str| -> Result<&str> { Ok(row.try_get(column)?) };
    Ok(FileRow {
        id: row.try_get("id")?,
        author: row.try_get("author")?,
        organisation: row.try_get("organisation")?,
        settings: FileSettings {
            name: row.try_get("name")?,
            description: row.try_get("description")?,
            file_type: row.try_get("file_type")?,
            file_compression: row.try_get("file_compression")?,
            parser_options: serde_json::from_str(json("parser_options")?)?,
            sql_transforms: serde_json::from_str(json("sql_transforms")?)?,
        },
        agent_name: row.try_get("agent_name")?,
        agent_version: row.try_get("agent_version")?,
        created_at: row.try_get("created_at")?,
        updated_at: row.try_get("updated_at")?,
        upload: serde_json::from_str(json("upload")?)?,
        outcome: Outcome {
            is_valid: row.try_get("is_valid")?,
            errors: serde_json::from_str(json("errors")?)?,
            warnings: serde_json::from_str(json("warnings")?)?,
            detected: serde_json::from_str(json("detected")?)?,
            tables: serde_json::from_str(json("tables")?)?,
        },
    })
}

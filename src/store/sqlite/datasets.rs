//! Dataset rows.

use sqlx::Row;

use super::{SqliteCatalogue, is_needed, refer};
use crate::store::error::Result;
use crate::store::records::DatasetRow;

pub(super) async fn add(catalogue: &SqliteCatalogue, dataset: &DatasetRow) -> Result<bool> {
    let mut transaction = catalogue.begin().await?;
    for view in &dataset.views {
        if !is_needed(&mut transaction, &view.table.blob).await? {
            return Ok(false);
        }
    }
    sqlx::query(
        "INSERT INTO datasets (id, author, organisation, body, views, created_at, updated_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&dataset.id)
    .bind(dataset.author)
    .bind(&dataset.organisation)
    .bind(serde_json::to_string(&dataset.body)?)
    .bind(serde_json::to_string(&dataset.views)?)
    .bind(dataset.created_at)
    .bind(dataset.updated_at)
    .execute(&mut *transaction)
    .await?;
    let blobs = dataset.views.iter().map(|view| view.table.blob.as_str());
    refer(&mut transaction, &dataset.id, blobs).await?;
    transaction.commit().await?;
    Ok(true)
}

pub(super) async fn find(
    catalogue: &SqliteCatalogue,
    user: i64,
    id: &str,
) -> Result<Option<DatasetRow>> {
    let row = sqlx::query("SELECT * FROM datasets WHERE id = ? AND author = ?")
        .bind(id)
        .bind(user)
        .fetch_optional(&catalogue.pool)
        .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(DatasetRow {
        id: row.try_get("id")?,
        author: row.try_get("author")?,
        organisation: row.try_get("organisation")?,
        body: serde_json::from_str(row.try_get("body")?)?,
        views: serde_json::from_str(row.try_get("views")?)?,
        created_at: row.try_get("created_at")?,
        updated_at: row.try_get("updated_at")?,
    }))
}

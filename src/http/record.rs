//! A file as every route shows it.

use chrono::{DateTime, SecondsFormat};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::store::{FileRow, StoredTable};

/// The names of all fields: those that a PATCH may set, or may repeat because it got them.
pub const FIELDS: &[&str] = &[
    "file_id",
    "name",
    "description",
    "file_type",
    "file_compression",
    "parser_options",
    "sql_transforms",
    "tables_schemas",
    "errors",
    "is_uploaded",
    "is_valid",
    "bytes_count",
    "author",
    "agent_name",
    "agent_version",
    "created_at",
    "updated_at",
    "detected",
    "warnings",
];

/// A file: what was said about it, what was uploaded, what came out.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FileRecord {
    /// 32 lower-case hex digits.
    pub file_id: String,
    /// Free text; names no table.
    pub name: String,
    /// Free text.
    pub description: String,
    /// `arrow csv json orc parquet xls xlsx`, as declared.
    pub file_type: String,
    /// Empty or `gzip bz2 zip xz`, as declared; what was found is in `detected`.
    pub file_compression: String,
    /// Pandas' options.
    #[schema(value_type = Object)]
    pub parser_options: Map<String, Value>,
    /// SQL steps, exactly as given.
    #[schema(value_type = Option<Object>)]
    pub sql_transforms: Value,
    /// The resulting tables; none unless valid.
    pub tables_schemas: Vec<TableSchema>,
    /// Stage to list of problems; `{}` when fine.
    #[schema(value_type = Object)]
    pub errors: Map<String, Value>,
    /// Whether bytes are stored.
    pub is_uploaded: bool,
    /// Whether tables came out of them.
    pub is_valid: bool,
    /// Bytes stored, as they were uploaded.
    pub bytes_count: u64,
    /// The user it belongs to.
    pub author: i64,
    /// The program that made it.
    pub agent_name: String,
    /// That program's version.
    pub agent_version: String,
    /// ISO 8601, UTC, microseconds.
    pub created_at: String,
    /// Moves on upload and PATCH.
    pub updated_at: String,
    /// What the bytes were found to be; null before an upload.
    #[schema(value_type = Option<Object>)]
    pub detected: Value,
    /// What was repaired, guessed or ignored.
    #[schema(value_type = Vec<Object>)]
    pub warnings: Vec<Value>,
}

/// A table of a file.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TableSchema {
    /// Unique in its file.
    pub name: String,
    /// Column name to dtype, in column order.
    #[schema(value_type = Object)]
    pub dtypes: Map<String, Value>,
    /// Columns.
    pub num_cols: u64,
    /// Rows.
    pub num_rows: u64,
}

impl FileRecord {
    /// The record of a file.
    pub fn of(file: FileRow) -> Self {
        let FileRow { settings, outcome, upload, .. } = file;
        FileRecord {
            file_id: file.id,
            name: settings.name,
            description: settings.description,
            file_type: settings.file_type,
            file_compression: settings.file_compression,
            parser_options: settings.parser_options,
            sql_transforms: settings.sql_transforms,
            tables_schemas: outcome.tables.into_iter().map(table_schema).collect(),
            errors: outcome.errors,
            is_uploaded: upload.is_some(),
            is_valid: outcome.is_valid,
            bytes_count: upload.map_or(0, |upload| upload.bytes),
            author: file.author,
            agent_name: file.agent_name,
            agent_version: file.agent_version,
            created_at: time(file.created_at),
            updated_at: time(file.updated_at),
            detected: outcome.detected,
            warnings: outcome.warnings,
        }
    }
}

fn table_schema(table: StoredTable) -> TableSchema {
    let StoredTable { name, dtypes, num_cols, num_rows, .. } = table;
    TableSchema { name, dtypes, num_cols, num_rows }
}

/// ISO 8601, UTC, microseconds, `Z`.
fn time(microseconds: i64) -> String {
    let time = DateTime::from_timestamp_micros(microseconds).unwrap_or_default();
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{FileSettings, Outcome};

    #[test]
    fn every_field_is_there_under_its_name() {
        let file = FileRow {
            id: "0".repeat(32),
            author: 1,
            organisation: None,
            settings: FileSettings::default(),
            agent_name: String::new(),
            agent_version: String::new(),
            created_at: 1_700_000_000_000_001,
            updated_at: 0,
            upload: None,
            outcome: Outcome::default(),
        };
        let record = serde_json::to_value(FileRecord::of(file)).unwrap();
        let names: Vec<&String> = record.as_object().unwrap().keys().collect();
        assert_eq!(names, FIELDS);
        assert_eq!(record["created_at"], "2023-11-14T22:13:20.000001Z");
        assert_eq!(record["detected"], Value::Null);
        assert_eq!(record["errors"], serde_json::json!({}));
    }
}

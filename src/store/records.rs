//! What the catalogue keeps: users, files, datasets, and who needs which blob.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A user who may log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// From 1; shown as `author`.
    pub id: i64,
    /// The login name.
    pub username: String,
    /// The name to show.
    pub name: String,
    /// An address to show.
    pub email: String,
    /// The argon2 hash of the password.
    pub password_hash: String,
}

/// The bytes of an upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredBytes {
    /// The blob that holds them.
    pub blob: String,
    /// How many they are.
    pub bytes: u64,
    /// Their SHA-256 in lower-case hex.
    pub sha256: String,
}

/// A table as the v2 flow describes it, and the blob that holds its rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredTable {
    /// Unique in its file.
    pub name: String,
    /// Column name to dtype, in column order.
    pub dtypes: Map<String, Value>,
    /// Columns.
    pub num_cols: u64,
    /// Rows.
    pub num_rows: u64,
    /// The blob that holds it as an Arrow stream; never changed once written.
    pub blob: String,
}

/// What a user says about a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FileSettings {
    /// Free text.
    pub name: String,
    /// Free text.
    pub description: String,
    /// The declared type.
    pub file_type: String,
    /// The declared compression, or nothing.
    pub file_compression: String,
    /// Pandas' options.
    pub parser_options: Map<String, Value>,
    /// SQL steps, exactly as given.
    pub sql_transforms: Value,
}

/// A file: what was said about it, what was uploaded, what came out.
#[derive(Clone, Debug, PartialEq)]
pub struct FileRow {
    /// 32 lower-case hex digits.
    pub id: String,
    /// The user it belongs to.
    pub author: i64,
    /// The organisation whose members may read it.
    pub organisation: Option<String>,
    /// What was said about it.
    pub settings: FileSettings,
    /// The program that made it.
    pub agent_name: String,
    /// That program's version.
    pub agent_version: String,
    /// Microseconds since 1970.
    pub created_at: i64,
    /// Microseconds since 1970.
    pub updated_at: i64,
    /// The bytes, if there are any.
    pub upload: Option<StoredBytes>,
    /// What came out of them.
    pub outcome: Outcome,
}

/// What came out of a parse. The default is that of a file without bytes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Whether the tables are a faithful image of the bytes.
    pub is_valid: bool,
    /// Stage to list of problems; empty when fine.
    pub errors: Map<String, Value>,
    /// What was repaired, guessed or ignored.
    pub warnings: Vec<Value>,
    /// What the bytes were found to be; null before an upload.
    pub detected: Value,
    /// The tables; none unless valid.
    pub tables: Vec<StoredTable>,
}

impl FileRow {
    /// Every blob that this file needs.
    pub fn blobs(&self) -> impl Iterator<Item = &str> {
        let tables = self.outcome.tables.iter().map(|table| table.blob.as_str());
        self.upload.iter().map(|upload| upload.blob.as_str()).chain(tables)
    }
}

/// What a user may do with a file that he can see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everything.
    Author,
    /// Reading, as a member of its organisation.
    Member,
}

/// What a dataset's table is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Edges of the graph.
    Edges,
    /// Nodes of the graph.
    Nodes,
}

/// A table as it was when a dataset was made of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FrozenView {
    /// What it is for.
    pub role: Role,
    /// The file it came from, which may be gone or changed by now.
    pub file_id: String,
    /// Its position in that file.
    pub table_index: usize,
    /// The table itself.
    pub table: StoredTable,
}

/// A dataset: encodings and frozen views of tables.
#[derive(Clone, Debug, PartialEq)]
pub struct DatasetRow {
    /// 32 lower-case hex digits.
    pub id: String,
    /// The user it belongs to.
    pub author: i64,
    /// The organisation whose members may use it.
    pub organisation: Option<String>,
    /// Name, encodings, metadata and so on, as they were sent.
    pub body: Map<String, Value>,
    /// The tables, edges first, in the order given.
    pub views: Vec<FrozenView>,
    /// Microseconds since 1970.
    pub created_at: i64,
    /// Microseconds since 1970.
    pub updated_at: i64,
}

/// A fresh unguessable id: 32 lower-case hex digits.
pub fn new_id() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// Whether a text can be an id at all.
pub fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Microseconds since 1970, now.
pub fn now() -> i64 {
    chrono::Utc::now().timestamp_micros()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_ids() {
        assert!(is_id(&new_id()));
        assert!(!is_id("undefined"));
        assert!(!is_id(&new_id().to_uppercase().replace(|c: char| c.is_ascii_digit(), "A")));
    }
}

//! What tables and columns are called.

mod nuls;

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::error::ArrowError;

pub(crate) use self::nuls::{NamedAnew, bad_zone, child_types, with_names, without_nuls};
use crate::options::TableNames;

/// Where a table came from, as far as its name is concerned.
pub(crate) struct Origin<'a> {
    /// The file's name.
    pub file: &'a str,
    /// The archive member's name.
    pub member: Option<&'a str>,
    /// The sheet's name.
    pub sheet: Option<&'a str>,
    /// Whether the archive holds several parts.
    pub several_parts: bool,
}

/// A table's name before it is made unique; `position` counts from 0.
pub(crate) fn table_name(origin: &Origin<'_>, position: usize, style: TableNames) -> String {
    match (origin.sheet, origin.member) {
        (Some(sheet), Some(member)) if origin.several_parts => {
            format!("{}.{sheet}", member_stem(member))
        }
        (Some(sheet), _) => sheet.to_owned(),
        (None, Some(member)) => member_stem(member).to_owned(),
        (None, None) => match style {
            TableNames::Untitled => format!("Untitled {position}"),
            TableNames::Stem => file_stem(origin.file, position),
        },
    }
}

/// Without folders, the compression's extension and the last one.
fn member_stem(member: &str) -> &str {
    let name = without_compression(member.rsplit('/').next().unwrap_or(member));
    match name.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => name,
    }
}

/// Endings of compressions and archives, without their dots.
const WRAPPINGS: [&str; 16] = [
    "gz", "gzip", "bgz", "bz2", "xz", "zst", "zstd", "zip", "tar", "tgz", "tbz", "tbz2", "txz",
    "tzst", "taz", "bz",
];

/// `orders.csv.gz` is, once unwrapped, `orders.csv`.
pub(crate) fn without_compression(name: &str) -> &str {
    let mut name = name;
    while let Some((rest, ending)) = name.rsplit_once('.')
        && !rest.is_empty()
        && WRAPPINGS.iter().any(|known| ending.eq_ignore_ascii_case(known))
    {
        name = rest;
    }
    name
}

/// Without the compression's extension and the format's: `orders.csv.gz` is `orders`.
fn file_stem(file: &str, position: usize) -> String {
    match member_stem(file) {
        "" => format!("table {position}"),
        stem => stem.to_owned(),
    }
}

/// The name, or with ` (2)`, ` (3)` behind it where it is taken.
pub(crate) fn unique_table(name: String, taken: &HashSet<String>) -> String {
    if !taken.contains(&name) {
        return name;
    }
    (2..).map(|n| format!("{name} ({n})")).find(|n| !taken.contains(n)).unwrap_or(name)
}

/// Column names made unique as pandas does: `a`, `a.1`, `a.2`; an empty one is `Unnamed: 3`.
/// Gives the names and the positions of those that were changed because they were taken.
pub(crate) fn unique_columns<S: AsRef<str>>(names: &[S]) -> (Vec<String>, Vec<usize>) {
    let mut taken: HashSet<String> = HashSet::with_capacity(names.len());
    // A later column's own name is not given away to an earlier double.
    let own: HashSet<&str> = names.iter().map(AsRef::as_ref).collect();
    let mut next: std::collections::HashMap<&str, usize> = Default::default();
    let mut unique = Vec::with_capacity(names.len());
    let mut changed = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let name = name.as_ref();
        let wanted = if name.is_empty() { format!("Unnamed: {index}") } else { name.to_owned() };
        let chosen = if taken.contains(&wanted) {
            changed.push(index);
            let counter = next.entry(name).or_insert(1);
            loop {
                let candidate = format!("{wanted}.{counter}");
                *counter += 1;
                if !taken.contains(&candidate) && !own.contains(candidate.as_str()) {
                    break candidate;
                }
            }
        } else {
            wanted
        };
        taken.insert(chosen.clone());
        unique.push(chosen);
    }
    (unique, changed)
}

/// The table's columns under other names.
pub(crate) fn rename_columns(
    schema: &SchemaRef,
    batches: Vec<RecordBatch>,
    names: &[String],
) -> Result<(SchemaRef, Vec<RecordBatch>), ArrowError> {
    let schema = renamed(schema, names);
    let rename = |batch: RecordBatch| {
        let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(schema.clone(), batch.columns().to_vec(), &rows)
    };
    let batches = batches.into_iter().map(rename).collect::<Result<_, _>>()?;
    Ok((schema, batches))
}

fn renamed(schema: &SchemaRef, names: &[String]) -> SchemaRef {
    let fields: Vec<Field> = schema
        .fields()
        .iter()
        .zip(names)
        .map(|(field, name)| field.as_ref().clone().with_name(name))
        .collect();
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_become_unique() {
        let (names, changed) = unique_columns(&["a", "a", "", "a", "a.1"]);
        assert_eq!(names, ["a", "a.2", "Unnamed: 2", "a.3", "a.1"]);
        assert_eq!(changed, [1, 3]);
        assert_eq!(unique_columns(&["a", "a", "a"]).0, ["a", "a.1", "a.2"]);
    }

    #[test]
    fn tables_are_named_after_what_they_came_from() {
        let name = |file, member, sheet, several_parts, style| {
            table_name(&Origin { file, member, sheet, several_parts }, 0, style)
        };
        assert_eq!(name("dir.x/a.csv.gz", None, None, false, TableNames::Stem), "a");
        assert_eq!(name("a.csv", None, None, false, TableNames::Untitled), "Untitled 0");
        assert_eq!(name("A.CSV.BZ2.GZ", None, None, false, TableNames::Stem), "A");
        assert_eq!(name("a.tar.zst", None, None, false, TableNames::Stem), "a");
        assert_eq!(name("a.tgz", Some("x/b.csv.gz"), None, true, TableNames::Stem), "b");
        assert_eq!(name("a.zip", Some("x/b.csv"), None, false, TableNames::Untitled), "b");
        assert_eq!(name("a.zip", Some("b.xlsx"), Some("S"), true, TableNames::Stem), "b.S");
        assert_eq!(name("b.xlsx", None, Some("S"), false, TableNames::Untitled), "S");
    }
}

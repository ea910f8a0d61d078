//! What a record must say, told by the library's report of the same file.

use serde_json::{Map, Value, json};
use tablemill::format::write::{OutputFormat, WriteOptions, write_table};
use tablemill::report::TableReport;
use tablemill::{FileType, Ingest, Issue, Limits, Options, Report, Source, TableNames, ingest};

/// The library's reading of a file, its tables named as the v2 flow names them.
pub fn read(source: impl Into<Source>, file_type: &str) -> Ingest {
    let file_type: FileType = file_type.parse().unwrap();
    let options = Options {
        file_type: Some(file_type),
        table_names: TableNames::Untitled,
        ..Options::default()
    };
    ingest(source, &options, &Limits::default()).unwrap()
}

/// Holds a record to a report; gives the number of comparisons.
pub fn compare(record: &Value, report: &Report, what: &str) -> usize {
    let schemas = Value::from_iter(report.tables.iter().map(schema));
    let warnings = Value::from_iter(report.warnings().map(item));
    let compared = [
        (&record["tables_schemas"], &schemas),
        (&record["detected"]["tables"], &schemas),
        (&record["is_valid"], &json!(report.is_valid)),
        (&record["warnings"], &warnings),
    ];
    for (got, expected) in compared {
        assert_eq!(got, expected, "{what}");
    }
    // Equal objects may differ in order, and the order of columns counts.
    let order = |schemas: &Value| -> Vec<Vec<String>> {
        let tables = schemas.as_array().unwrap().iter();
        tables.map(|t| t["dtypes"].as_object().unwrap().keys().cloned().collect()).collect()
    };
    assert_eq!(order(&record["tables_schemas"]), order(&schemas), "{what}");
    assert!(!report.tables.is_empty(), "{what}");
    compared.len()
}

fn schema(table: &TableReport) -> Value {
    let dtypes: Map<String, Value> =
        table.columns.iter().map(|c| (c.name.clone(), json!(c.dtype))).collect();
    json!({
        "name": table.name, "dtypes": dtypes, "num_cols": table.num_cols, "num_rows": table.num_rows,
    })
}

/// What both call the same, where it says anything.
fn item(issue: &Issue) -> Value {
    let issue = serde_json::to_value(issue).unwrap();
    let shown =
        ["code", "message", "table", "row", "line", "column", "byte_offset", "step", "hint"];
    let said = shown.iter().filter(|name| !issue[**name].is_null());
    Value::Object(said.map(|name| ((*name).to_owned(), issue[*name].clone())).collect())
}

/// A table's rows as JSON.
pub fn rows(table: &tablemill::Table) -> Value {
    let mut text = Vec::new();
    write_table(table, OutputFormat::Json, &WriteOptions::default(), &mut text).unwrap();
    serde_json::from_slice(&text).unwrap()
}

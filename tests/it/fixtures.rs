//! Every fixture's report against the one on record: what is found must not change by accident.
//!
//! After a change that is meant, look at the differences and run `make accept`.

use std::collections::BTreeMap;
use std::path::Path;

use tablemill::{Limits, Options, Report, Source, ingest};

use super::boundaries::{files, fixtures};

/// The parts of a report that say what was found, short enough to review.
fn summary(report: &Report) -> serde_json::Value {
    let tables: Vec<String> = report
        .tables
        .iter()
        .map(|table| {
            let columns: Vec<String> = table
                .columns
                .iter()
                .take(12)
                .map(|c| {
                    let nulls = c.null_count.map_or("?".into(), |count| count.to_string());
                    format!("{}: {} ({nulls} null)", c.name, c.arrow_type)
                })
                .collect();
            format!("{} {}x{} [{}]", table.name, table.num_rows, table.num_cols, columns.join(", "))
        })
        .collect();
    let issues: Vec<String> = report
        .issues
        .iter()
        .take(5)
        .map(|issue| {
            let place = [
                issue.table.as_ref().map(|table| format!("table {table}")),
                issue.row.map(|row| format!("row {row}")),
                issue.line.map(|line| format!("line {line}")),
                issue.byte_offset.map(|offset| format!("byte {offset}")),
            ];
            let place: Vec<String> = place.into_iter().flatten().collect();
            format!("{}: {} [{}]", issue.code.as_str(), issue.message, place.join(", "))
        })
        .collect();
    serde_json::json!({
        "file": [report.file.compression.join("+"), report.file.format.clone().unwrap_or_default(),
            report.file.framing.clone().unwrap_or_default(), report.file.encoding.clone().unwrap_or_default()],
        "dialect": report.dialect.as_ref().map(|d| format!(
            "{:?} quote {:?} escape {:?} newline {:?} skip {} header {}",
            d.delimiter, d.quote, d.escape, d.newline, d.skip_rows, d.header_rows)),
        "valid": report.is_valid,
        "tables": tables,
        "issues": issues,
        "counts": report.issue_counts,
    })
}

fn report_of(path: &Path) -> Report {
    match ingest(Source::path(path), &Options::default(), &Limits::default()) {
        Ok(ingest) => ingest.report,
        Err(error) => error.into_report().expect("an error of ingest has a report"),
    }
}

fn check(folder: &str, at_least: usize) {
    tablemill::quiet_guarded_panics();
    let root = fixtures().join(folder);
    let found = files(&root);
    assert!(found.len() >= at_least, "only {} fixtures in {folder}", found.len());
    let mut all = BTreeMap::new();
    for path in found {
        let name = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
        all.insert(name, summary(&report_of(&path)));
    }
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_json_snapshot!(format!("reports_{folder}"), all);
    });
}

#[test]
fn csv() {
    check("csv", 40);
}

#[test]
fn json() {
    check("json", 20);
}

#[test]
fn arrow() {
    check("arrow", 20);
}

#[test]
fn broken_arrow() {
    check("broken_arrow", 40);
}

#[test]
fn parquet() {
    check("parquet", 14);
}

#[test]
fn orc() {
    check("orc", 9);
}

#[test]
fn excel() {
    check("excel", 20);
}

#[test]
fn archives() {
    check("archives", 20);
}

#[test]
fn broken() {
    check("broken", 120);
}

/// The same table in every type, in every wrapping: the same names, sizes and, within a type, types.
#[test]
fn matrix() {
    let found = files(&fixtures().join("matrix"));
    assert_eq!(found.len(), 42);
    let mut by_type: BTreeMap<String, Vec<Report>> = BTreeMap::new();
    for path in found {
        let report = report_of(&path);
        assert!(report.is_valid, "{}: {:?}", path.display(), report.issues);
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let file_type = name.split('.').nth(1).unwrap().to_owned();
        assert_eq!(report.file.format.as_deref(), Some(&*file_type));
        by_type.entry(file_type).or_default().push(report);
    }
    assert_eq!(by_type.len(), 7);
    for (file_type, reports) in by_type {
        assert_eq!(reports.len(), 6);
        for report in &reports {
            assert_eq!(report.tables, reports[0].tables, "{file_type}");
            assert_eq!((report.tables[0].num_rows, report.tables[0].num_cols), (20, 7));
        }
    }
}

/// The options that a report gives reproduce the parse.
#[test]
fn given_back_options_reproduce_the_parse() {
    let mut checked = 0;
    for folder in ["csv", "json", "excel"] {
        for path in files(&fixtures().join(folder)) {
            let first = report_of(&path);
            if !first.is_valid {
                continue;
            }
            let parser = tablemill::ParserOptions::from_json(&first.parser_options)
                .unwrap_or_else(|problems| panic!("{}: {problems:?}", path.display()));
            let options = Options { parser, ..Options::default() };
            let second = ingest(Source::path(&path), &options, &Limits::default())
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
                .report;
            assert_eq!(second.tables, first.tables, "{}", path.display());
            assert_eq!(second.dialect, first.dialect, "{}", path.display());
            checked += 1;
        }
    }
    assert!(checked > 50, "only {checked} checked");
}

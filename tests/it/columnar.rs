//! Parquet and ORC: the same rows however they are asked for, and what the metadata says held
//! against them.

use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use tablemill::{
    Code, Error, ErrorKind, Ingest, Limits, Options, Parallelism, ParserOptions, Source, Table,
    ingest,
};

use super::boundaries::{files, fixtures};

#[derive(Clone, Copy, Default)]
struct Asked<'a> {
    options: &'a str,
    threads: usize,
    leave_rows: bool,
    verify: bool,
}

fn read(path: &Path, asked: Asked<'_>) -> Result<Ingest, Error> {
    tablemill::quiet_guarded_panics();
    let text = if asked.options.is_empty() { "{}" } else { asked.options };
    let json: serde_json::Value = serde_json::from_str(text).unwrap();
    let options = Options {
        parser: ParserOptions::from_json(json.as_object().unwrap()).unwrap(),
        leave_rows: asked.leave_rows,
        verify: asked.verify,
        parallelism: Parallelism { threads: asked.threads, chunk_bytes: 0 },
        ..Options::default()
    };
    ingest(Source::path(path), &options, &Limits::default())
}

fn whole(table: &Table) -> RecordBatch {
    let schema: SchemaRef = table.schema().clone();
    let mut batches = Vec::new();
    let take = &mut |batch: &RecordBatch| {
        batches.push(batch.clone());
        Ok(true)
    };
    table.each_batch(take).unwrap();
    concat_batches(&schema, &batches).unwrap()
}

fn sound() -> Vec<PathBuf> {
    let folders = ["parquet", "orc"].map(|folder| files(&fixtures().join(folder)));
    let found = folders.concat();
    assert!(found.len() > 20, "only {} files", found.len());
    found
}

#[test]
fn rows_are_the_same_on_any_number_of_threads_and_in_the_file() {
    for path in sound() {
        let one = read(&path, Asked { threads: 1, ..Asked::default() }).unwrap();
        let rows = whole(&one.tables[0]);
        let name = path.display();
        for (threads, leave_rows, verify) in
            [(2, false, false), (7, false, false), (2, true, false), (2, true, true)]
        {
            let asked = Asked { threads, leave_rows, verify, ..Asked::default() };
            let other = read(&path, asked).unwrap();
            assert_eq!(whole(&other.tables[0]), rows, "{name}: {threads} {leave_rows} {verify}");
            assert_eq!(other.tables[0].batches().is_empty(), leave_rows || rows.num_rows() == 0);
            assert_eq!(other.tables[0].num_rows(), rows.num_rows() as u64, "{name}");
            assert_eq!(other.report.issue_counts, one.report.issue_counts, "{name}");
            let (found, all) = (&other.report.tables[0].columns, &one.report.tables[0].columns);
            for (found, all) in found.iter().zip(all) {
                assert_eq!((&found.name, &found.arrow_type), (&all.name, &all.arrow_type));
                let is_known = found.null_count.is_some() || (leave_rows && !verify);
                assert!(is_known, "{name}: the nulls of {}", found.name);
                assert!(found.null_count.is_none_or(|nulls| Some(nulls) == all.null_count));
            }
        }
    }
}

#[test]
fn columns_and_rows_are_chosen_before_they_are_read() {
    for path in sound() {
        let all = read(&path, Asked::default()).unwrap();
        let all = whole(&all.tables[0]);
        let last = all.num_columns() - 1;
        let options = format!("{{\"usecols\": [{last}], \"skiprows\": 3, \"nrows\": 5}}");
        for leave_rows in [false, true] {
            let asked = Asked { options: &options, threads: 2, leave_rows, verify: false };
            let some = whole(&read(&path, asked).unwrap().tables[0]);
            let start = all.num_rows().min(3);
            let length = (all.num_rows() - start).min(5);
            let expected = all.project(&[last]).unwrap().slice(start, length);
            assert_eq!(some.num_columns(), 1);
            let (some, expected) = (some.column(0).to_data(), expected.column(0).to_data());
            assert!(some == expected, "{}", path.display());
        }
    }
}

#[test]
fn groups_and_stripes_come_in_the_order_asked_for() {
    for (name, option) in
        [("parquet/row_groups.parquet", "row_groups"), ("orc/stripes.orc", "stripes")]
    {
        let path = fixtures().join(name);
        let of = |units: &str| {
            let options = format!("{{\"{option}\": {units}}}");
            let asked = Asked { options: &options, threads: 2, ..Asked::default() };
            read(&path, asked).map(|ingest| whole(&ingest.tables[0]))
        };
        let (first, second) = (of("[0]").unwrap(), of("[1]").unwrap());
        let both = concat_batches(&first.schema(), [&second, &first]).unwrap();
        assert_eq!(of("[1, 0]").unwrap(), both);
        assert_eq!(of("[99]").unwrap_err().kind(), ErrorKind::BadOption);
    }
}

#[test]
fn statistics_that_are_wrong_are_found_when_all_is_read() {
    for (name, column) in [
        ("wrong_nulls.parquet", "word"),
        ("wrong_bounds.parquet", "id"),
        ("wrong_bounds.orc", "id"),
    ] {
        let path = fixtures().join("broken").join(format!("columnar_{name}"));
        let quick = Asked { leave_rows: true, ..Asked::default() };
        assert!(read(&path, quick).unwrap().report.issues.is_empty(), "{name}");
        let found = read(&path, Asked { verify: true, ..quick }).unwrap().report;
        let wrong: Vec<_> = found.issues.iter().map(|i| (i.code, i.column.as_deref())).collect();
        assert_eq!(wrong, [(Code::WrongStatistics, Some(column))], "{name}");
        assert_eq!(found.tables[0].columns[1].null_count, Some(250), "{name}");
        // What is read is counted, whatever the statistics say.
        let read = read(&path, Asked::default()).unwrap().report;
        assert_eq!(read.tables[0].columns[1].null_count, Some(250), "{name}");
    }
}

#[test]
fn rows_that_are_not_there_are_not_promised_twice() {
    let path = fixtures().join("broken/columnar_wrong_rows.parquet");
    let all = read(&path, Asked::default()).unwrap();
    assert_eq!(all.tables[0].num_rows(), 1000);
    assert_eq!(all.report.issues[0].code, Code::WrongStatistics);
    let left = read(&path, Asked { leave_rows: true, ..Asked::default() }).unwrap();
    assert_eq!(left.tables[0].num_rows(), 10);
    assert!(left.tables[0].each_batch(&mut |_| Ok(true)).is_err());
}

#[test]
fn a_damaged_page_is_found_by_verifying_only() {
    let path = fixtures().join("broken/bad_page.parquet");
    let left = Asked { leave_rows: true, ..Asked::default() };
    let quick = read(&path, left).unwrap();
    assert_eq!(quick.tables[0].num_rows(), 20);
    assert!(quick.tables[0].each_batch(&mut |_| Ok(true)).is_err());
    assert!(read(&path, Asked { verify: true, ..left }).is_err());
}

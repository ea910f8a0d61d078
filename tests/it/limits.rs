//! Every bound of [`Limits`]: at it a file is read, just past it the error names it.

use std::collections::BTreeSet;
use std::io::{Cursor, Write};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::ipc::writer::FileWriter;
use flate2::Compression;
use flate2::write::GzEncoder;
use orc_rust::ArrowWriterBuilder;
use parquet::arrow::ArrowWriter;
use tablemill::options::Step;
use tablemill::{ErrorKind, Ingest, Limits, Options, Result, Source, Transforms, ingest};
use zip::write::SimpleFileOptions;

/// A file, and the value of a limit at which it passes, and one at which it does not.
struct Case {
    limit: &'static str,
    file: (&'static str, Vec<u8>),
    sql: Vec<String>,
    /// Other limits that must be out of the way.
    others: &'static [(&'static str, &'static str)],
    passes: String,
    fails: String,
}

fn case(
    limit: &'static str,
    file: (&'static str, Vec<u8>),
    passes: impl ToString,
    fails: impl ToString,
) -> Case {
    let (passes, fails) = (passes.to_string(), fails.to_string());
    Case { limit, file, sql: Vec::new(), others: &[], passes, fails }
}

impl Case {
    fn sql(self, sql: &[&str]) -> Self {
        Case { sql: sql.iter().map(|sql| (*sql).to_owned()).collect(), ..self }
    }

    fn others(self, others: &'static [(&'static str, &'static str)]) -> Self {
        Case { others, ..self }
    }

    fn read(&self, value: &str) -> Result<Ingest> {
        let mut limits = Limits::default();
        for (name, value) in self.others.iter().copied().chain([(self.limit, value)]) {
            limits.set(name, value).unwrap();
        }
        let step = |sql: &String| Step { sql: sql.clone(), name: None };
        let mut options = Options::default();
        if !self.sql.is_empty() {
            options.transforms = Transforms::Steps(self.sql.iter().map(step).collect());
        }
        ingest(Source::bytes(self.file.1.clone()).named(self.file.0), &options, &limits)
    }
}

fn csv(text: impl Into<String>) -> (&'static str, Vec<u8>) {
    ("t.csv", text.into().into_bytes())
}

/// Lines that compress well, but not beyond all bounds.
fn lines(rows: usize) -> String {
    let rows = (0..rows).map(|row| format!("{row},some text in every row\n"));
    "id,text\n".to_owned() + &rows.collect::<String>()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zip(members: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in members {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn workbook(rows: &str) -> Vec<u8> {
    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    const RELATED: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
    let relation = |kind: &str, target: &str| {
        format!(
            "<Relationships xmlns=\"{PACKAGE}\"><Relationship Id=\"r1\" Type=\"{RELATED}/{kind}\" \
             Target=\"{target}\"/></Relationships>"
        )
    };
    let book = format!(
        "<workbook xmlns=\"{MAIN}\" xmlns:r=\"{RELATED}\"><sheets>\
         <sheet name=\"S\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>"
    );
    let sheet = format!("<worksheet xmlns=\"{MAIN}\"><sheetData>{rows}</sheetData></worksheet>");
    zip(&[
        ("_rels/.rels", &relation("officeDocument", "xl/workbook.xml")),
        ("xl/_rels/workbook.xml.rels", &relation("worksheet", "worksheets/sheet1.xml")),
        ("xl/workbook.xml", &book),
        ("xl/worksheets/sheet1.xml", &sheet),
    ])
}

/// The bytes of the sheet and of what it is compressed to.
fn sheet_sizes(workbook: &[u8]) -> (u64, u64) {
    let mut archive = zip::ZipArchive::new(Cursor::new(workbook)).unwrap();
    let sheet = archive.by_name("xl/worksheets/sheet1.xml").unwrap();
    (sheet.size(), sheet.compressed_size())
}

/// A table of three rows and two columns, the longest text of which has ten bytes, in a columnar format.
fn columnar(name: &'static str) -> (&'static str, Vec<u8>) {
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["0123456789", "", "abc"]));
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3]));
    let table = RecordBatch::try_from_iter([("text", texts), ("number", numbers)]).unwrap();
    let mut bytes = Vec::new();
    match name {
        "t.parquet" => {
            let mut writer = ArrowWriter::try_new(&mut bytes, table.schema(), None).unwrap();
            writer.write(&table).unwrap();
            writer.close().unwrap();
        }
        "t.orc" => {
            let mut writer =
                ArrowWriterBuilder::new(&mut bytes, table.schema()).try_build().unwrap();
            writer.write(&table).unwrap();
            writer.close().unwrap();
        }
        _ => {
            let mut writer = FileWriter::try_new(&mut bytes, &table.schema()).unwrap();
            writer.write(&table).unwrap();
            writer.finish().unwrap();
        }
    }
    (name, bytes)
}

const SORT: &str = "SELECT a.id FROM t a JOIN t b ON a.id = b.id ORDER BY a.text, a.id LIMIT 5";

fn cases() -> Vec<Case> {
    let text = lines(5_000);
    let packed = gzip(text.as_bytes());
    let (size, ratio) = (text.len(), text.len() / packed.len());
    let two = zip(&[("a.csv", "a\n1\n"), ("b.csv", "b\n2\n")]);
    let cell = "<c t=\"inlineStr\"><is><t>the same</t></is></c>";
    let repetitive = workbook(&format!("<row>{cell}{cell}</row>").repeat(3_000));
    let (sheet, compressed) = sheet_sizes(&repetitive);
    assert!(sheet > 100 << 10, "{sheet}");
    let small = workbook(&"<row><c><v>1</v></c><c><v>2</v></c></row>".repeat(3));
    let long = format!("a\n{}\n", "x".repeat(100));
    let mut cases = vec![
        case("input_bytes", csv("a\n1\n"), 4, 3),
        case("inflated_bytes", ("t.csv.gz", packed.clone()), size, size - 1),
        case("inflation_ratio", ("t.csv.gz", packed.clone()), ratio + 1, ratio)
            .others(&[("ratio_free_bytes", "0")]),
        case("ratio_free_bytes", ("t.csv.gz", packed), size, size - 1)
            .others(&[("inflation_ratio", "1")]),
        case("part_ratio", ("t.xlsx", repetitive), sheet / compressed + 1, sheet / compressed),
        case("nesting", ("t.csv.gz.gz", gzip(&gzip(b"a\n1\n"))), 2, 1),
        case("archive_entries", ("t.zip", two.clone()), 2, 1),
        case("tables", ("t.zip", two), 2, 1),
        case("columns", csv("a,b\n1,2\n"), 2, 1),
        case("columns", ("t.json", br#"[{"a": 1, "b": 2}]"#.to_vec()), 2, 1),
        case("rows", csv("a\n1\n2\n3\n"), 3, 2),
        case("rows", ("t.json", br#"[{"a": 1}, {"a": 2}, {"a": 3}]"#.to_vec()), 3, 2),
        case("rows", ("t.xlsx", small.clone()), 3, 1),
        case("value_bytes", csv(long), 100, 99),
        case("value_bytes", ("t.json", br#"[{"a": "0123456789"}]"#.to_vec()), 10, 9),
        case("sheet_cells", ("t.xlsx", small), 6, 5),
        case("json_depth", ("t.json", br#"[{"a": [[1]]}]"#.to_vec()), 3, 2),
        case("memory_bytes", csv(&text), "64MiB", "16KiB").sql(&[SORT]),
        case("time", csv("a\n1\n"), "60s", "0"),
        case("sql_steps", csv("a\n1\n"), 2, 1).sql(&["SELECT 1 AS a", "SELECT 2 AS b"]),
        case("sql_text_bytes", csv("a\n1\n"), 13, 12).sql(&["SELECT 1 AS a"]),
        case("sql_memory_bytes", csv(&text), "64MiB", "16KiB").sql(&[SORT]),
        case("sql_time", csv(&text), "60s", "0.000001").sql(&[SORT]),
    ];
    for file in ["t.parquet", "t.orc", "t.arrow"].map(columnar) {
        let limits = [("columns", 2, 1), ("rows", 3, 2), ("value_bytes", 10, 9)];
        cases.extend(limits.map(|(limit, passes, fails)| case(limit, file.clone(), passes, fails)));
    }
    cases
}

#[test]
fn every_limit_holds_and_is_named() {
    let mut wrong = Vec::new();
    for case in cases() {
        let Case { limit, passes, fails, .. } = &case;
        if let Err(error) = case.read(passes) {
            wrong.push(format!("{limit}={passes}: got {error}, expected a table"));
        }
        match case.read(fails) {
            Ok(read) => wrong.push(format!("{limit}={fails}: got {:?}", read.report.tables)),
            Err(error) => {
                // What may come out freely is a part of the other's rule.
                let expected = match *limit {
                    "ratio_free_bytes" => "inflation_ratio",
                    limit => limit,
                };
                let named = error.issue().limit_name();
                if error.kind() != ErrorKind::LimitExceeded || named != Some(expected) {
                    wrong.push(format!("{limit}={fails}: got {error:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// These two refuse nothing: the one moves bytes to disk, the other shortens a list.
#[test]
fn limits_that_refuse_nothing() {
    let text = lines(1_000);
    let read = |limits: &Limits| {
        let source = Source::bytes(gzip(text.as_bytes())).named("t.csv.gz");
        ingest(source, &Options::default(), limits).unwrap()
    };
    let (memory, disk) = (Limits::default(), Limits { spool_bytes: 0, ..Limits::default() });
    assert_eq!(read(&memory).report.tables, read(&disk).report.tables);
    for issues in [0, 1, 5] {
        let limits = Limits { issues, ..Limits::default() };
        let found = ingest(
            Source::bytes("a,b\n".to_owned() + &"1,2\n3\n".repeat(9)).named("t.csv"),
            &Options::default(),
            &limits,
        );
        let report = found.unwrap().report;
        assert_eq!(report.issues.len(), issues);
        assert!(report.issue_counts.values().sum::<u64>() >= 9);
    }
}

#[test]
fn no_limit_is_without_a_case() {
    let tested: BTreeSet<&str> = cases().iter().map(|case| case.limit).collect();
    let elsewhere = BTreeSet::from(["spool_bytes", "issues"]);
    let known: BTreeSet<&str> = Limits::NAMES.iter().copied().collect();
    assert_eq!(tested.union(&elsewhere).copied().collect::<BTreeSet<_>>(), known);
}

//! Readers against other people's: the csv crate, serde_json; by property where that is possible.

use std::path::Path;

use arrow::array::{Array, AsArray};
use proptest::prelude::*;
use tablemill::format::write::{OutputFormat, WriteOptions, write_table};
use tablemill::{Code, FileType, Ingest, Limits, Options, ParserOptions, Source, ingest};

fn read(
    bytes: Vec<u8>,
    file_type: FileType,
    options: serde_json::Value,
) -> tablemill::Result<Ingest> {
    let parser = ParserOptions::from_json(options.as_object().unwrap()).unwrap();
    let options = Options { file_type: Some(file_type), parser, ..Options::default() };
    ingest(Source::bytes(bytes), &options, &Limits::default())
}

/// All cells as text, row by row.
fn cells(ingest: &Ingest) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for batch in ingest.tables[0].batches() {
        for row in 0..batch.num_rows() {
            let texts = batch.columns().iter().map(|column| {
                column.as_string_opt::<i32>().map_or(String::new(), |c| c.value(row).to_owned())
            });
            rows.push(texts.collect());
        }
    }
    rows
}

fn as_text(dialect: serde_json::Value) -> serde_json::Value {
    let mut options = serde_json::json!({
        "dtype": "str", "na_filter": false, "header": "none", "encoding": "utf-8",
        "sep": ",", "quotechar": "\"", "doublequote": true, "skipinitialspace": false,
        "skiprows": 0, "skipfooter": 0, "comment": ""
    });
    options.as_object_mut().unwrap().extend(dialect.as_object().unwrap().clone());
    options
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    /// What the csv crate writes in any dialect, we read back.
    #[test]
    fn csv_written_by_the_csv_crate(
        rows in (1usize..6).prop_flat_map(|width| {
            prop::collection::vec(prop::collection::vec("[a-z0-9 ,;'\"\\n|é\\t]{0,8}", width), 1..12)
        }),
        delimiter in prop::sample::select(vec![b',', b';', b'\t', b'|']),
        always in any::<bool>(),
        crlf in any::<bool>(),
    ) {
        let mut writer = csv::WriterBuilder::new();
        writer.delimiter(delimiter);
        writer.quote_style(if always { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary });
        if crlf {
            writer.terminator(csv::Terminator::CRLF);
        }
        let mut writer = writer.from_writer(Vec::new());
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        let bytes = writer.into_inner().unwrap();
        let blank = bytes.trim_ascii().is_empty();
        let sep = char::from(delimiter).to_string();
        let found = read(bytes, FileType::Csv, as_text(serde_json::json!({"sep": sep})));
        if blank {
            prop_assert!(found.is_err());
        } else {
            prop_assert_eq!(cells(&found.unwrap()), rows);
        }
    }

    /// Any text that the csv crate reads as records of one length, we read the same.
    #[test]
    fn csv_text_as_the_csv_crate_reads_it(text in "[ab,\"\\n1 ]{1,40}") {
        let reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
        let records: Result<Vec<csv::StringRecord>, _> = reader.into_records().collect();
        // The csv crate gives no sign of stray and unclosed quotes, which we read otherwise.
        let balanced = text.split(['\n', ',']).all(|cell| !cell.contains('"'));
        if let (Ok(records), true) = (records, balanced) {
            let expected: Vec<Vec<String>> =
                records.iter().map(|r| r.iter().map(str::to_owned).collect()).collect();
            match read(text.clone().into_bytes(), FileType::Csv, as_text(serde_json::json!({}))) {
                Ok(found) => prop_assert_eq!(cells(&found), expected, "{:?}", text),
                Err(_) => prop_assert!(text.trim().is_empty()),
            }
        }
    }

    /// Whatever serde_json takes as a document, so do we, and the other way round.
    #[test]
    fn json_texts_as_serde_json_judges_them(text in "[\\[\\]{}\":,0-9a.eE+\\- tfn\\\\u\\n]{1,24}") {
        let document = format!("[{text}]");
        let judged = serde_json::from_str::<serde::de::IgnoredAny>(&document).is_ok();
        let found = read(document.clone().into_bytes(), FileType::Json, serde_json::json!({}));
        let expected = judged || found.as_ref().is_ok_and(|found| are_lines(&document, found));
        prop_assert_eq!(found.is_ok(), expected, "{:?} {:?}", document, found.err());
    }

    /// The same where rows stand inside of a document, and are read apart from the rest of it.
    #[test]
    fn wrapped_rows_as_serde_json_judges_them(
        row in "[\\[\\]{}\":,0-9a.eE+\\- tfn\\\\u\\n]{0,8}|[0-9]{1,3}|\"a\"",
        meta in "[\\[\\]{}\":,0-9a.eE+\\- tfn\\\\u\\n]{0,8}|[0-9]{1,3}|null|\\{\\}",
    ) {
        let document = format!("{{\"data\":[{{\"a\":1}},\n{{\"b\":{row}}}],\"meta\":{{\"k\":{meta}}}}}");
        let judged = serde_json::from_str::<serde::de::IgnoredAny>(&document).is_ok();
        let found = read(document.clone().into_bytes(), FileType::Json, serde_json::json!({}));
        prop_assert_eq!(found.is_ok(), judged, "{:?} {:?}", document, found.err());
    }

    /// A column of whole numbers and texts keeps every value.
    #[test]
    fn values_survive(values in prop::collection::vec(
        prop_oneof!["-?[0-9]{1,21}", "[0-9]{1,5}\\.[0-9]{1,4}", "[a-z]{1,4}", "0[0-9]{2,6}", "NA"], 2..20)) {
        let text = format!("h\n{}\n", values.join("\n"));
        let options = serde_json::json!({"header": 0, "sep": ","});
        let found = read(text.into_bytes(), FileType::Csv, options).unwrap();
        let mut out = Vec::new();
        write_table(&found.tables[0], OutputFormat::Csv, &WriteOptions::default(), &mut out).unwrap();
        let out = String::from_utf8(out).unwrap();
        for (value, written) in values.iter().zip(out.lines().skip(1)) {
            let same_number = value.parse::<f64>().ok().zip(written.parse::<f64>().ok())
                .is_some_and(|(a, b)| a == b && !(value.starts_with('0') && value.len() > 1 && !value.contains('.')));
            let is_null = value == "NA" && written == "\"\"";
            prop_assert!(value == written || same_number || is_null, "{value} became {written}");
        }
    }
}

/// Whether each line is a document by serde_json's judgement, but for those that the report says
/// were left out.
fn are_lines(text: &str, found: &Ingest) -> bool {
    let skipped = found.report.issues.iter().filter(|issue| issue.code == Code::SkippedRow);
    let skipped: Vec<u64> = skipped.filter_map(|issue| issue.line).collect();
    let is_document = |line: &str| {
        serde_json::from_str::<serde::de::IgnoredAny>(line).is_ok() || line.trim().is_empty()
    };
    let mut lines = (1..).zip(text.lines());
    text.contains('\n')
        && lines.all(|(number, line)| is_document(line) != skipped.contains(&number))
}

/// As one document it is none; its first line is one, and so it is read as lines.
#[test]
fn a_document_that_looks_like_lines() {
    let text = "[]\n{]";
    assert!(serde_json::from_str::<serde::de::IgnoredAny>(text).is_err());
    let found = read(text.into(), FileType::Json, serde_json::json!({})).unwrap();
    assert!(are_lines(text, &found));
    let [issue] = &found.report.issues[..] else { panic!("{:?}", found.report.issues) };
    assert_eq!((issue.code, issue.line, issue.byte_offset), (Code::SkippedRow, Some(2), Some(4)));
    assert!(read("[[]\n{]]".into(), FileType::Json, serde_json::json!({})).is_err());
}

#[test]
fn json_values_as_serde_json_reads_them() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/json/records.json");
    let expected: Vec<serde_json::Value> =
        serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let found = ingest(path.as_path(), &Options::default(), &Limits::default()).unwrap();
    let mut out = Vec::new();
    write_table(&found.tables[0], OutputFormat::Json, &WriteOptions::default(), &mut out).unwrap();
    let written: Vec<serde_json::Value> = serde_json::from_slice(&out).unwrap();
    assert_eq!(written, expected);
    assert_eq!(expected.len(), 20);
}

#[test]
fn the_last_row_decides_as_much_as_the_first() {
    let mut text = String::from("id,v\n");
    for row in 0..200_000 {
        text.push_str(&format!("{row},{row}\n"));
    }
    text.push_str("200000,abc\n");
    let found = read(text.into_bytes(), FileType::Csv, serde_json::json!({})).unwrap();
    let columns = &found.report.tables[0].columns;
    assert_eq!((columns[0].dtype.as_str(), columns[1].dtype.as_str()), ("int64", "object"));
    let first = found.tables[0].batches()[0].column(1);
    assert_eq!(first.as_string::<i32>().value(7), "7");
    assert_eq!(first.null_count(), 0);
}

#[test]
fn bad_values_are_named_with_their_place() {
    let text = "v,w\n1,a\nx1,b\n3,c\n";
    let error =
        read(text.into(), FileType::Csv, serde_json::json!({"dtype": {"v": "int64"}})).unwrap_err();
    let issue = error.issue();
    assert_eq!(issue.message, "row 2 of column \"v\": got \"x1\", expected int64");
    assert_eq!((issue.row, issue.line, issue.byte_offset), (Some(2), Some(3), Some(8)));
    assert_eq!(error.kind(), tablemill::ErrorKind::Corrupt);
    assert!(!error.report().unwrap().is_valid);
}

#[test]
fn columns_say_how_they_were_written() {
    let text = "day;price;plain;open\n31/01/2026;1.234,5;1;1.2.2026\n";
    let options = serde_json::json!({"header": 0, "sep": ";"});
    let report = read(text.into(), FileType::Csv, options).unwrap().report;
    let formats: Vec<Option<&str>> =
        report.tables[0].columns.iter().map(|column| column.format.as_deref()).collect();
    assert_eq!(formats, [Some("%d/%m/%Y"), Some("1.234,5"), None, None]);
    let [issue] = &report.issues[..] else { panic!("{:?}", report.issues) };
    assert_eq!(issue.code, tablemill::Code::AmbiguousDate);
    assert_eq!(issue.column.as_deref(), Some("open"));
    assert!(issue.hint.as_deref().unwrap().contains("dayfirst=true"));
}

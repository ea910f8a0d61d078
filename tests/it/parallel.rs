//! The same bytes give the same tables and the same report, however the work is shared out.

use std::io::Write;

use arrow::compute::concat_batches;
use proptest::prelude::*;
use tablemill::{
    Error, FileType, Ingest, Limits, Options, Parallelism, ParserOptions, Source, ingest,
};

fn read(
    text: &str,
    options: &str,
    threads: usize,
    chunk_bytes: usize,
    leave_rows: bool,
) -> Result<Ingest, Error> {
    read_as(FileType::Csv, text, options, threads, chunk_bytes, leave_rows)
}

fn read_as(
    file_type: FileType,
    text: &str,
    options: &str,
    threads: usize,
    chunk_bytes: usize,
    leave_rows: bool,
) -> Result<Ingest, Error> {
    let source = Source::bytes(text.to_owned());
    read_source(source, file_type, options, threads, chunk_bytes, leave_rows)
}

fn read_source(
    source: Source,
    file_type: FileType,
    options: &str,
    threads: usize,
    chunk_bytes: usize,
    leave_rows: bool,
) -> Result<Ingest, Error> {
    let json: serde_json::Value = serde_json::from_str(options).unwrap();
    let options = Options {
        file_type: Some(file_type),
        parser: ParserOptions::from_json(json.as_object().unwrap()).unwrap(),
        leave_rows,
        parallelism: Parallelism { threads, chunk_bytes },
        ..Options::default()
    };
    ingest(source, &options, &Limits::default())
}

/// The same text, inflated while it is read.
fn read_gzip(
    text: impl AsRef<[u8]>,
    options: &str,
    threads: usize,
    chunk_bytes: usize,
    leave_rows: bool,
) -> Result<Ingest, Error> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let text = text.as_ref();
    encoder.write_all(text).unwrap();
    let source = Source::bytes(encoder.finish().unwrap());
    let mut found = read_source(source, FileType::Csv, options, threads, chunk_bytes, leave_rows)?;
    found.report.file.compression.clear();
    found.report.file.bytes = text.len() as u64;
    Ok(found)
}

/// Tables and report as text, without what depends on time and on the size of chunks.
fn shown(result: Result<Ingest, Error>) -> String {
    let mut ingest = match result {
        Ok(ingest) => ingest,
        Err(error) => return format!("{:?}", error.issue()),
    };
    ingest.report.timings.clear();
    let mut text = serde_json::to_string_pretty(&ingest.report).unwrap();
    for table in &ingest.tables {
        let mut batches = Vec::new();
        table
            .each_batch(&mut |batch| {
                batches.push(batch.clone());
                Ok(true)
            })
            .unwrap();
        let batch = concat_batches(table.schema(), &batches).unwrap();
        text.push_str(&format!("{batch:?}"));
    }
    text
}

/// Small chunks against one thread and one chunk.
fn check(text: &str, options: &str) -> Result<(), TestCaseError> {
    let expected = shown(read(text, options, 1, 1 << 30, false));
    for (threads, chunk_bytes) in [(1, 1), (1, 7), (2, 1), (2, 16), (7, 3), (7, 40), (7, 64)] {
        for leave_rows in [false, true] {
            let found = shown(read(text, options, threads, chunk_bytes, leave_rows));
            let sharing = format!("{threads} threads, chunks of {chunk_bytes}, left {leave_rows}");
            prop_assert_eq!(&found, &expected, "{}: {:?}", sharing, text);
        }
    }
    check_gzip(text, options, &expected, &[40])
}

/// What is read while it is inflated is what is read of the plain text.
fn check_gzip(
    text: &str,
    options: &str,
    expected: &str,
    chunks: &[usize],
) -> Result<(), TestCaseError> {
    for (threads, leave_rows) in [(2, true), (4, false)] {
        for chunk_bytes in chunks {
            let found = shown(read_gzip(text, options, threads, *chunk_bytes, leave_rows));
            let sharing = format!("{threads} threads, chunks of {chunk_bytes}, left {leave_rows}");
            prop_assert_eq!(&found, expected, "gzip, {}: {:?}", sharing, text);
        }
    }
    Ok(())
}

/// The same of JSON.
fn check_json(text: &str, options: &str) -> Result<(), TestCaseError> {
    let read = |threads, chunk_bytes, leave_rows| {
        shown(read_as(FileType::Json, text, options, threads, chunk_bytes, leave_rows))
    };
    let expected = read(1, 1 << 30, false);
    for (threads, chunk_bytes) in [(1, 1), (2, 7), (7, 40)] {
        for leave_rows in [false, true] {
            let sharing = format!("{threads} threads, chunks of {chunk_bytes}, left {leave_rows}");
            prop_assert_eq!(
                &read(threads, chunk_bytes, leave_rows),
                &expected,
                "{}: {:?}",
                sharing,
                text
            );
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(100) })]

    #[test]
    fn json_in_any_layout(
        rows in proptest::collection::vec(
            r#"\{"a":(1|2\.5|"x"|null|\[1\]|\{"b":1\}|-0|18446744073709551615),?"(a|b|é)":(1|true|"\\n")\}|\[1,"x"\]|\{|null"#,
            0..12,
        ),
        options in prop_oneof![
            Just("{}"),
            Just(r#"{"dtype": {"a": "str"}}"#),
            Just(r#"{"na_values": ["x", "1"]}"#),
            Just(r#"{"on_bad_lines": "error"}"#),
            Just(r#"{"nrows": 3, "usecols": [0]}"#),
        ],
    ) {
        check_json(&rows.join("\n"), options)?;
        check_json(&format!("[{}]", rows.join(" , ")), options)?;
        check_json(&format!("{{\"data\":[{}],\"n\":1}}", rows.join(",")), options)?;
        check_json(&rows.join(""), options)?;
    }

    #[test]
    fn any_text(text in "[ab,\"\\n1 ]{0,120}") {
        check(&text, r#"{"sep": ",", "quotechar": "\""}"#)?;
    }

    #[test]
    fn carriage_returns(text in "[a,\"\\n\r1]{0,80}") {
        check(&text, r#"{"sep": ",", "quotechar": "\"", "header": "none"}"#)?;
    }

    #[test]
    fn dialects_of_the_exact_reader(text in "[a;\"'\\n\\\\#1 ]{0,80}", at in 0usize..4) {
        let options = [
            r##"{"sep": ";", "quotechar": "'", "comment": "#"}"##,
            r#"{"sep": "1;", "header": "none"}"#,
            r#"{"sep": ";", "escapechar": "\\", "doublequote": false}"#,
            r#"{"sep": "\\s+", "header": "none"}"#,
        ];
        check(&text, options[at])?;
    }

    #[test]
    fn rows_of_any_kind(
        rows in prop::collection::vec(
            ("[0-9]{1,4}|NA|", "-?[0-9]{1,3}\\.[0-9]{1,3}|", "[a-c \"\\n,]{0,6}",
             "2026-0[1-9]-1[0-9]|", 0usize..40), 1..60),
        late in prop::sample::select(vec!["x", "1.5", "99999999999999999999", "", "2026-01-01"]),
    ) {
        let mut text = String::from("id,price,note,day\n");
        for (id, price, note, day, odd) in &rows {
            let note = note.replace('"', "\"\"");
            match odd {
                0 => text.push_str(&format!("{id},{price}\n")),
                1 => text.push_str(&format!("{id},{price},\"{note}\",{day},more\n")),
                2 => text.push_str(&format!("{id},{price},\"{note}\"x,{day}\n")),
                3 => text.push('\n'),
                _ => text.push_str(&format!("{id},{price},\"{note}\",{day}\n")),
            }
        }
        text.push_str(&format!("{late},{late},{late},{late}\n"));
        check(&text, r#"{"sep": ",", "quotechar": "\"", "header": 0}"#)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    /// The first rows make a guess that holds, whatever comes then.
    #[test]
    fn read_ahead_while_it_is_inflated(
        rows in prop::collection::vec(
            prop_oneof![
                8 => Just(String::from("17,2.50,open,2026-01-31")),
                1 => "[0-9]{1,3},[0-9.]{1,4},[a-c\"\n]{0,3},2026-0[1-9]-1[0-9]",
                1 => "[a-z0-9,\"\n# -]{0,12}",
            ], 0..300),
        quote in prop_oneof![9 => Just(""), 1 => Just("1,2,\"never closed,3\n"), 1 => Just("\n\n# note\nx,y\n1,2\n")],
        end in prop::sample::select(vec!["", "Total,,,\n", "x,y\n1,2\n", "1,2,\"", "é,1,2,3\r\n"]),
        options in prop::sample::select(vec!["{}", r#"{"on_bad_lines": "skip"}"#, r#"{"usecols": [0, 3]}"#,
            r#"{"dtype": {"id": "str"}, "header": 0}"#, r#"{"nrows": 400}"#]),
    ) {
        let first = "17,2.50,open,2026-01-31\n".repeat(300);
        let text = format!("id,price,status,day\n{first}{quote}{}\n{end}", rows.join("\n"));
        let expected = shown(read(&text, options, 1, 1 << 30, false));
        check_gzip(&text, options, &expected, &[6500, 8192])?;
    }
}

/// Columns that are read as the others are written, however late those show it.
#[test]
fn columns_settle_each_other_in_any_chunks() {
    let mut text = String::from("name;amount;price;day;until\n");
    for row in 0..900 {
        let price = if row < 600 { "1.000" } else { "1.234,50" };
        text.push_str(&format!(
            "n{row};12.{:03};{price};01/02/2026;{}/01/2026\n",
            row,
            row % 31 + 1
        ));
    }
    let options = r#"{"sep": ";", "header": 0}"#;
    check(&text, options).unwrap();
    let found = read(&text, options, 2, 1000, true).unwrap();
    let columns = &found.report.tables[0].columns;
    let types: Vec<&str> = columns.iter().map(|column| column.arrow_type.as_str()).collect();
    assert_eq!(types, ["Utf8", "Int64", "Float64", "Date32", "Date32"]);
    let formats: Vec<_> = columns.iter().map(|column| column.format.as_deref()).collect();
    let dates = Some("%d/%m/%Y");
    assert_eq!(formats, [None, Some("1.234"), Some("1.234,5"), dates, dates]);
}

/// A type that breaks after the sample, with every kind of value before.
#[test]
fn a_late_surprise_widens_one_column() {
    for (values, late, expected) in [
        ("1", "2.5", "Float64"),
        ("1", "99999999999999999999", "Decimal128"),
        ("9007199254740993", "0.5", "Utf8"),
        ("1.5", "x", "Utf8"),
        ("2026-01-31", "2026-01-31 10:00", "Timestamp"),
        ("", "7", "Int64"),
        ("true", "maybe", "Utf8"),
    ] {
        let row = format!("{values},{values},steady\n");
        let mut text = format!("a,b,c\n{}", row.repeat(5000));
        text.push_str(&format!("{late},{values},steady\n"));
        text.push_str(&row.repeat(5000));
        for (threads, chunk_bytes) in [(1, 1 << 30), (2, 4096), (7, 100)] {
            let found = read(&text, "{}", threads, chunk_bytes, false).unwrap();
            let columns = &found.report.tables[0].columns;
            assert_eq!(found.tables[0].num_rows(), 10_001);
            let types: Vec<&str> =
                columns.iter().map(|column| column.arrow_type.as_str()).collect();
            assert!(types[0].starts_with(expected), "{values} and {late}: {types:?}");
            assert_ne!(types[0], types[1], "{values}: only the first column widens");
        }
    }
}

/// ISO 8601 has forms that the fast readers do not take; read again they are what they were.
#[test]
fn odd_forms_of_times_are_read_again_from_the_file() {
    for value in ["2026-01-05 12:30", "2026-1-5", "2026-01-05T12:30:00.000000000", "2026-01-05"] {
        let text = format!("a,b\n{}", format!("{value},x\n").repeat(300));
        check(&text, "{}").unwrap();
    }
}

/// What is not in the table has no say in its types.
#[test]
fn types_of_the_rows_that_are_read() {
    let cases = [
        ("a,b\n1,2\n3,4\n5.5,6\n", r#"{"nrows": 2}"#, "Int64"),
        ("a,b\n1,2\n3,4\nx,y\nz,w\n", r#"{"nrows": 2}"#, "Int64"),
        ("a,b\n1,2\n3,4\n1.5,y,z\n5,6\n", r#"{"on_bad_lines": "skip"}"#, "Int64"),
        ("a,b\r1,2\r3,4\r5,6\r", r#"{"skiprows": [1], "header": 0}"#, "Int64"),
    ];
    for (text, options, expected) in cases {
        let found = read(text, options, 2, 0, false).unwrap();
        let column = &found.report.tables[0].columns[0];
        assert_eq!(column.arrow_type, expected, "{text:?} with {options}");
    }
    let skipped = read("a,b\r1,2\r3,4\r5,6\r", r#"{"skiprows": [1], "header": 0}"#, 1, 0, false);
    assert_eq!(skipped.unwrap().tables[0].num_rows(), 2);
}

/// Whether a number has points for thousands does not depend on where in the file it stands.
#[test]
fn marks_are_settled_by_all_rows() {
    let (plain, grouped) = ("1e3;1,5\n".repeat(300), "1.234;1,5\n2.500;1,5\n");
    let values = |text: String| {
        let found = read(&text, "{}", 1, 0, false).unwrap();
        found.report.tables[0].columns[0].arrow_type.clone()
    };
    let (late, early) = (format!("a;b\n{plain}{grouped}"), format!("a;b\n{grouped}{plain}"));
    assert_eq!(values(late), values(early));
}

/// A cell over many chunks ends at its quote, however far behind that is.
#[test]
fn a_cell_larger_than_what_a_chunk_sees() {
    let rows = "1,x\n".repeat(2000);
    let text = format!("a,b\n{rows}2,\"{}\"\n{rows}", "some,text\n".repeat(130_000));
    let expected = shown(read(&text, "{}", 1, 1 << 30, false));
    for chunk_bytes in [4096, 100_000] {
        assert!(shown(read(&text, "{}", 2, chunk_bytes, false)) == expected);
        assert!(shown(read_gzip(&text, "{}", 2, chunk_bytes, true)) == expected);
    }
}

/// Bytes that are no UTF-8 far behind the head: nothing that was read ahead of them counts.
#[test]
fn a_text_that_turns_out_to_be_in_another_encoding() {
    for (before, behind) in [(60_000, 60_000), (2000, 0), (60_000, 0), (0, 60_000)] {
        let mut text = b"id,name\n".to_vec();
        text.extend("1,tea\n".repeat(before).bytes());
        text.extend(b"2,caf\xe9\n");
        text.extend("3,th\u{e9}\n".repeat(before / 1000).bytes());
        text.extend("4,milk\n".repeat(behind).bytes());
        let plain = || Source::bytes(text.clone());
        let expected = shown(read_source(plain(), FileType::Csv, "{}", 1, 1 << 30, false));
        for chunk_bytes in [8192, 100_000, 0] {
            for leave_rows in [false, true] {
                let found = shown(read_gzip(&text, "{}", 3, chunk_bytes, leave_rows));
                assert!(found == expected, "{before} {behind} {chunk_bytes} {leave_rows}");
            }
        }
    }
}

/// Stacked tables are found whatever the size of the text and the dialect.
#[test]
fn stacked_tables_in_small_and_large_texts() {
    for sep in [",", "||"] {
        let stack = |rows: usize| {
            let first = format!("1{sep}2\n").repeat(rows);
            let second = format!("x{sep}3{sep}4\n").repeat(rows);
            format!("a{sep}b\n{first}\nname{sep}q{sep}r\n{second}")
        };
        for rows in [5, 150_000] {
            let found = read(&stack(rows), "{}", 2, 0, false).unwrap();
            let sizes: Vec<u64> = found.tables.iter().map(|table| table.num_rows()).collect();
            assert_eq!(sizes, [rows as u64, rows as u64], "{sep}");
        }
    }
}

/// A line of nothing but delimiters, more of them than cells are kept, is over the limit.
#[test]
fn endless_rows_are_refused() {
    let text = format!("a,b\n{}{}\n3,4\n", "1,2\n".repeat(50), ",".repeat(300_000));
    let error = read(&text, "{}", 2, 0, false).unwrap_err();
    assert_eq!(error.issue().line, Some(52));
    assert!(error.issue().message.contains("300001 columns"), "{:?}", error.issue());
}

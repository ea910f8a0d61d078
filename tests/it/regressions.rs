//! What once went wrong, each as small as it was found.

use arrow::array::AsArray;
use tablemill::format::write::{OutputFormat, WriteOptions, write_table};
use tablemill::{Code, Error, Limits, Options, ParserOptions, Source, ingest};

fn options(json: serde_json::Value) -> Options {
    let parser = ParserOptions::from_json(json.as_object().unwrap()).unwrap();
    Options { parser, ..Options::default() }
}

/// The first table as csv.
fn csv(name: &str, bytes: impl Into<Vec<u8>>, json: serde_json::Value) -> Result<String, Error> {
    let source = Source::bytes(bytes.into()).named(name);
    let found = ingest(source, &options(json), &Limits::default())?;
    let mut out = Vec::new();
    write_table(&found.tables[0], OutputFormat::Csv, &WriteOptions::default(), &mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

fn code(name: &str, bytes: impl Into<Vec<u8>>) -> Code {
    csv(name, bytes, serde_json::json!({})).unwrap_err().issue().code
}

#[test]
fn an_arrow_footer_that_promises_more_than_there_is() {
    let path = super::boundaries::fixtures().join("arrow/file.arrow");
    let mut bytes = std::fs::read(path).unwrap();
    let end = bytes.len() - 10;
    let length = u32::from_le_bytes(bytes[end..end + 4].try_into().unwrap()) as usize;
    let footer = arrow::ipc::root_as_footer(&bytes[end - length..end]).unwrap();
    let body = footer.recordBatches().unwrap().get(0).bodyLength().to_le_bytes();
    let at = memchr::memmem::rfind(&bytes, &body).unwrap();
    bytes[at..at + 8].copy_from_slice(&(1i64 << 62).to_le_bytes());
    assert_eq!(code("x.arrow", bytes), Code::Truncated);
}

#[test]
fn many_bad_bytes_take_linear_time() {
    let line = b"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xff,1\n";
    let text = [&b"a,b\n"[..], &line.repeat(100_000)].concat();
    let found = ingest(Source::bytes(text), &Options::default(), &Limits::default()).unwrap();
    assert_eq!(found.report.issue_counts["bad_encoding"], 100_000);
    assert_eq!(found.report.issues[999].line, Some(1001));
}

#[test]
fn json_that_makes_much_out_of_little() {
    let zeros = vec!["0"; 1_000_000].join(",");
    let scalar = format!(r#"{{"a":[{zeros}],"s":"{}"}}"#, "x".repeat(20_000));
    assert_eq!(code("x.json", scalar), Code::TooManyCells);
    let mut nested = "{}".to_owned();
    for _ in 0..8 {
        let keys: Vec<String> = (1..1000).map(|key| format!("\"k{key}\":0")).collect();
        nested = format!("{{\"k0\":{nested},{}}}", keys.join(","));
    }
    let lines = format!("{{\"r\":{nested}}}\n{}", "{}\n".repeat(65_530));
    let limits = Limits { sheet_cells: 1_000_000, ..Limits::default() };
    let error = ingest(Source::bytes(lines), &Options::default(), &limits).unwrap_err();
    assert_eq!(error.issue().code, Code::TooManyCells);
}

#[test]
fn a_backslash_outside_of_quotes_is_text() {
    let text = "name,path\n\"a \\\"b\\\" c\",C:\\temp\\new\n\"q\",\"D:\\x\"\n";
    let expected = "name,path\n\"a \"\"b\"\" c\",C:\\temp\\new\nq,D:\\x\n";
    assert_eq!(csv("x.csv", text, serde_json::json!({})).unwrap(), expected);
}

#[test]
fn texts_asked_for_are_kept() {
    let text = "a,b\n-,1\nNA,2\n\"\",3\nx,4\n";
    assert_eq!(
        csv("x.csv", text, serde_json::json!({"dtype": {"a": "str"}})).unwrap(),
        "a,b\n-,1\nNA,2\n\"\",3\nx,4\n"
    );
    let json = r#"[{"a":"1"},{"a":"x"}]"#;
    assert_eq!(csv("x.json", json, serde_json::json!({"na_values": "x"})).unwrap(), "a\n1\n\"\"\n");
    let found = ingest(
        Source::bytes(json),
        &options(serde_json::json!({"na_values": "x"})),
        &Limits::default(),
    );
    assert_eq!(found.unwrap().report.tables[0].columns[0].dtype, "object");
}

#[test]
fn rows_left_out_are_those_that_were_named() {
    let rows = |text: &str, json| csv("x.csv", text, json).unwrap();
    let skip = |lines: &[u64]| serde_json::json!({"skiprows": lines});
    assert_eq!(rows("a,b\n\n1,2\n3,4\n5,6\n", skip(&[2])), "a,b\n3,4\n5,6\n");
    assert_eq!(rows("a,b\n\"x\ny\",2\n3,4\n", skip(&[1])), "a,b\n3,4\n");
    for lines in ["error", "skip"] {
        let footer = serde_json::json!({"skipfooter": 1, "on_bad_lines": lines});
        assert_eq!(rows("a,b\n1,2\n3,4\nTotal\n", footer), "a,b\n1,2\n3,4\n");
    }
}

#[test]
fn a_number_is_a_position_only_where_no_column_is_called_so() {
    let types = serde_json::json!({"header": 0, "dtype": {"1": "int64"}});
    assert_eq!(csv("x.csv", "1,2,3\n01,02,03\n", types).unwrap(), "1,2,3\n1,02,03\n");
}

#[test]
fn places_are_right_in_odd_texts() {
    let first = |text: &str, json| {
        let found = ingest(Source::bytes(text.to_owned()), &options(json), &Limits::default());
        let issue = found.unwrap().report.issues[0].clone();
        (issue.line, issue.byte_offset)
    };
    let head = serde_json::json!({"header": 0, "sep": ","});
    assert_eq!(first("a,b\r1,2\r3\r", head.clone()), (Some(3), Some(8)));
    let part = serde_json::json!({"header": "none", "sep": ",", "byte_range": [4, 0]});
    assert_eq!(first("a,b\n1,2\n3,4\n5\n", part), (Some(4), Some(12)));
}

#[test]
fn a_null_alone_in_its_row_is_a_row() {
    let json = r#"[{"a":1},{"a":null},{"a":2}]"#;
    let written = csv("x.json", json, serde_json::json!({})).unwrap();
    assert_eq!(written, "a\n1\n\"\"\n2\n");
    let again = ingest(
        Source::bytes(written).named("x.csv"),
        &options(serde_json::json!({"header": 0, "sep": ","})),
        &Limits::default(),
    );
    let again = again.unwrap();
    let column = again.tables[0].batches()[0].column(0).clone();
    let column = column.as_primitive::<arrow::datatypes::Int64Type>();
    assert_eq!(column.iter().collect::<Vec<_>>(), [Some(1), None, Some(2)]);
}

#[test]
fn years_of_two_digits_are_no_dates_of_antiquity() {
    let dates = serde_json::json!({"parse_dates": ["d"], "header": 0});
    assert_eq!(csv("x.csv", "d,v\n01/02/26,1\n", dates).unwrap(), "d,v\n2026-01-02,1\n");
}

#[test]
fn sectors_of_an_xls_that_form_a_loop() {
    let path = super::boundaries::fixtures().join("excel/orders.xls");
    let mut bytes = std::fs::read(path).unwrap();
    let number =
        |at: usize, bytes: &[u8]| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let directory = number(0x30, &bytes);
    let table = (number(0x4c, &bytes) as usize + 1) * 512;
    // The directory's sector is followed by itself.
    let at = table + directory as usize * 4;
    bytes[at..at + 4].copy_from_slice(&directory.to_le_bytes());
    assert_eq!(code("x.xls", bytes), Code::Corrupt);
}

#[test]
fn a_compressed_buffer_that_promises_more_than_memory() {
    let path = super::boundaries::fixtures().join("arrow/lz4.feather");
    let mut bytes = std::fs::read(path).unwrap();
    let end = bytes.len() - 10;
    let length = u32::from_le_bytes(bytes[end..end + 4].try_into().unwrap()) as usize;
    let footer = arrow::ipc::root_as_footer(&bytes[end - length..end]).unwrap();
    let block = *footer.recordBatches().unwrap().get(0);
    let start = block.offset() as usize;
    let body = start + block.metaDataLength() as usize;
    let message = arrow::ipc::root_as_message(&bytes[start + 8..body]).unwrap();
    let buffers = message.header_as_record_batch().unwrap().buffers().unwrap();
    let buffer = buffers.iter().find(|buffer| buffer.length() > 8).unwrap();
    let at = body + buffer.offset() as usize;
    bytes[at..at + 8].copy_from_slice(&0x5400000000i64.to_le_bytes());
    assert_eq!(code("x.feather", bytes), Code::InflatedTooLarge);
}

#[test]
fn an_xls_whose_cells_span_more_than_memory() {
    let path = super::boundaries::fixtures().join("excel/orders.xls");
    let bytes = std::fs::read(path).unwrap();
    // NUMBER records: kind, length, row, column. One is moved to the far corner.
    let number = [0x03, 0x02, 0x0e, 0x00];
    let at = memchr::memmem::find(&bytes, &number).unwrap();
    let mut far = bytes.clone();
    far[at + 4..at + 8].copy_from_slice(&[0xff, 0xff, 0xff, 0xff]);
    assert_eq!(code("x.xls", far), Code::TooManyCells);
    // DIMENSIONS: kind, length, first row, row behind the last.
    let dimensions = [0x00, 0x02, 0x0e, 0x00];
    let at = memchr::memmem::find(&bytes, &dimensions).unwrap();
    let mut promise = bytes;
    promise[at + 8..at + 12].copy_from_slice(&[0xff, 0xff, 0xff, 0x7f]);
    assert_eq!(code("x.xls", promise), Code::TooManyCells);
}

/// The first issue's code and message.
fn issue(bytes: impl Into<Vec<u8>>, json: serde_json::Value) -> (Code, String) {
    let found = ingest(Source::bytes(bytes.into()), &options(json), &Limits::default());
    let issue = match &found {
        Ok(found) => &found.report.issues[0],
        Err(error) => error.issue(),
    };
    (issue.code, issue.message.clone())
}

#[test]
fn thousands_of_a_german_file() {
    let text = "Artikel;Menge;Preis\nA;1.000;1.234,50\nB;2.500;99,90\nC;12.000;5,00\n";
    let expected = "Artikel,Menge,Preis\nA,1000,1234.5\nB,2500,99.9\nC,12000,5.0\n";
    assert_eq!(csv("x.csv", text, serde_json::json!({})).unwrap(), expected);
    // What is not wanted tells as much.
    let wanted = serde_json::json!({"usecols": ["Menge"]});
    assert_eq!(csv("x.csv", text, wanted).unwrap(), "Menge\n1000\n2500\n12000\n");
}

#[test]
fn texts_that_are_nearly_binary() {
    let plain = |bytes: &[u8]| csv("x.csv", bytes, serde_json::json!({})).unwrap();
    assert_eq!(plain(b"a,b\n1,x\x00y\n2,z\n"), "a,b\n1,x\x00y\n2,z\n");
    assert_eq!(plain(b"id\x01name\x01v\n1\x01a\x015\n2\x01b\x016\n"), "id,name,v\n1,a,5\n2,b,6\n");
    let wide: Vec<u8> =
        "id,name,v\r\n1,a,5\r\n2,b,6\r\n".bytes().flat_map(|byte| [byte, 0]).collect();
    assert_eq!(csv("x.csv", wide, serde_json::json!({})).unwrap(), "id,name,v\n1,a,5\n2,b,6\n");
    let (code, message) = issue(b"ab\x00\x01\x02\x00\x00\xff\xfd".to_vec(), serde_json::json!({}));
    assert_eq!(code, Code::UnknownFormat);
    assert!(message.contains("not text (a NUL at byte 2)"), "{message}");
}

#[test]
fn nulls_of_databases_and_of_data_loggers() {
    let plain = |text: &str| csv("x.csv", text, serde_json::json!({})).unwrap();
    assert_eq!(plain("id,v\n1,\\N\n2,5\n"), "id,v\n1,\n2,5\n");
    assert_eq!(plain("id,v\n1,\"NAN\"\n2,3.25\n"), "id,v\n1,\n2,3.25\n");
}

#[test]
fn messages_say_what_is_so() {
    let none = || serde_json::json!({});
    let head = || serde_json::json!({"header": 0, "sep": ","});
    let (code, message) = issue("x,y\n9007199254740993,1\n1.5,2\n", none());
    assert_eq!(code, Code::FloatPrecision);
    let expected = "column \"x\" is kept as text: \"9007199254740993\" in row 1 would not survive as \
                    a float64";
    assert_eq!(message, expected);
    let unnamed = issue("a,\n1,2\n3,4\n5,x\n", head()).1;
    let expected = "column \"Unnamed: 1\" is kept as text: 2 numbers, 1 text; the first that stands \
                    out is \"x\" in row 3";
    assert_eq!(unnamed, expected);
    let day = issue("d,v\n2024-02-30,1\n2024-02-28,2\n", none()).1;
    assert!(day.ends_with("there is no such day as \"2024-02-30\" in row 1"), "{day}");
    assert_eq!(
        issue("a,b\n1\n2,3\n", head()).1,
        "row 1 has 1 cell, expected 2; the missing ones are null"
    );
    let third = ingest(Source::bytes("id,id,id\n1,2,3\n"), &options(head()), &Limits::default());
    let messages: Vec<String> =
        third.unwrap().report.issues.into_iter().map(|issue| issue.message).collect();
    assert_eq!(messages, ["column 2 is the second \"id\"", "column 3 is the third \"id\""]);
    // The place is that of the cell, not of its row.
    let types = serde_json::json!({"dtype": {"b": "int64"}, "header": 0, "sep": ","});
    let error = csv("x.csv", "a,b\n1,x\n", types).unwrap_err();
    assert_eq!(error.issue().byte_offset, Some(6));
}

#[test]
fn json_rows_are_not_skipped_by_an_option_of_csv() {
    let rows = r#"[{"a":1},{"a":2},{"a":3}]"#;
    let table = csv("x.json", rows, serde_json::json!({"skiprows": 1, "nrows": 2})).unwrap();
    assert_eq!(table, "a\n1\n2\n");
}

#[test]
fn options_that_mean_nothing_to_lines_are_named() {
    let lines = "{\"a\":1}\n{\"a\":2}\n";
    for given in [serde_json::json!({"lines": false}), serde_json::json!({"orient": "split"})] {
        let found = ingest(Source::bytes(lines), &options(given.clone()), &Limits::default());
        let report = found.unwrap().report;
        assert_eq!(report.issue_counts.get("option_ignored"), Some(&1), "{given}");
    }
}

#[test]
fn a_broken_first_line_hides_no_json_that_is_declared() {
    for first in ["nonsense", "# c", "// comment", "}", "["] {
        let text = format!("{first}\n{{\"a\":1}}\n{{\"a\":2}}\n");
        let source = Source::bytes(text).named("x.log");
        let declared = Options { file_type: Some(tablemill::FileType::Json), ..Options::default() };
        let found = ingest(source, &declared, &Limits::default()).unwrap();
        assert_eq!(found.report.issue_counts.get("skipped_row"), Some(&1), "{first}");
        assert_eq!(found.tables[0].num_rows(), 2, "{first}");
    }
}

#[test]
fn nuls_behind_json_are_left_out() {
    for (count, text) in [(1, "{\"a\":1}\n{\"a\":2}\n"), (5000, "[{\"a\":1},{\"a\":2}]")] {
        let bytes = [text.as_bytes(), &vec![0; count]].concat();
        let found = ingest(Source::bytes(bytes), &Options::default(), &Limits::default()).unwrap();
        assert_eq!(found.report.issue_counts.get("nul_byte"), Some(&1), "{text}");
        assert_eq!(found.tables[0].num_rows(), 2, "{text}");
    }
}

#[test]
fn long_whole_numbers_are_numbers_in_json_again() {
    let text = "{\"n\":123456789012345678901234567890}\n{\"n\":-1}\n";
    let source = Source::bytes(text).named("x.ndjson");
    let found = ingest(source, &Options::default(), &Limits::default()).unwrap();
    let mut out = Vec::new();
    let options = WriteOptions::default();
    write_table(&found.tables[0], OutputFormat::Ndjson, &options, &mut out).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), text);
}

#[test]
fn names_with_nuls_get_signs_wherever_the_rows_are() {
    for (name, folder) in [("nul_names.json", "json"), ("nul_name.csv", "csv")] {
        let path = super::boundaries::fixtures().join(folder).join(name);
        for leave_rows in [false, true] {
            let options = Options { leave_rows, ..Options::default() };
            let found = ingest(path.as_path(), &options, &Limits::default()).unwrap();
            assert!(found.report.issue_counts["renamed_column"] > 0, "{name}");
            let table = &found.tables[0];
            assert!(arrow::ffi::FFI_ArrowSchema::try_from(table.schema().as_ref()).is_ok());
            assert!(table.schema().field(0).name().starts_with("a\u{2400}"), "{name}");
            let mut rows = 0;
            let read = table.each_batch(&mut |batch| {
                assert_eq!(batch.schema_ref(), table.schema(), "{name}");
                rows += batch.num_rows();
                Ok(true)
            });
            assert!(read.is_ok(), "{name}: {read:?}");
            assert_eq!(rows, 2, "{name}");
        }
    }
}

#[test]
fn a_time_zone_that_sql_makes_up_has_no_nul() {
    let file = Source::bytes("a\n1\n").named("t.csv");
    let tables = ingest(file, &Options::default(), &Limits::default()).unwrap().tables;
    let sql = "SELECT arrow_cast(a, 'Timestamp(Second, Some(\"+0\0\"))') AS t FROM t";
    let error = tablemill::query(tables, sql, &Limits::default()).unwrap_err();
    assert_eq!(error.kind(), tablemill::ErrorKind::Sql, "{error}");
}

//! Tests of what once went wrong: each text is read in one chunk and in many, in memory and left in
//! the file, and has to come out the same.
#![cfg(test)]

use arrow::compute::concat_batches;
use arrow::datatypes::DataType;
use serde_json::{Value, json};

use crate::{Limits, Options, Parallelism, ParserOptions, Source, ingest};

/// Types and rows, or the code of the error.
fn read_within(
    text: &str,
    options: &Value,
    limits: &Limits,
) -> Result<(Vec<DataType>, String), String> {
    let read = |chunk_bytes: usize, leave_rows: bool| {
        let options = Options {
            file_type: Some(crate::FileType::Json),
            parser: ParserOptions::from_json(options.as_object().unwrap()).unwrap(),
            parallelism: Parallelism { threads: 2, chunk_bytes },
            leave_rows,
            ..Options::default()
        };
        let found = ingest(Source::bytes(text.to_owned()), &options, limits)
            .map_err(|error| format!("{}: {error}", error.issue().code.as_str()))?;
        let mut batches = Vec::new();
        let take = &mut |batch: &arrow::array::RecordBatch| {
            batches.push(batch.clone());
            Ok(true)
        };
        found.tables[0].each_batch(take).unwrap();
        let batch = concat_batches(found.tables[0].schema(), &batches).unwrap();
        let types = batch.schema().fields().iter().map(|f| f.data_type().clone()).collect();
        let mut rows = Vec::new();
        for row in 0..batch.num_rows() {
            let cell = |column: &arrow::array::ArrayRef| {
                arrow::util::display::array_value_to_string(column, row).unwrap()
            };
            rows.push(batch.columns().iter().map(cell).collect::<Vec<_>>().join("|"));
        }
        Ok((types, rows.join(" ")))
    };
    let whole = read(0, false);
    for (chunk_bytes, leave) in [(1, false), (1, true), (60, false), (60, true)] {
        assert_eq!(whole, read(chunk_bytes, leave), "{chunk_bytes} {leave}: {:.200}", text);
    }
    whole
}

fn read(text: &str) -> Result<(Vec<DataType>, String), String> {
    read_within(text, &json!({}), &Limits::default())
}

fn rows(text: &str) -> String {
    read(text).unwrap().1
}

#[test]
fn a_chunk_is_read_again_with_the_care_it_took() {
    let padding = "{\"b\":1}\n".repeat(12);
    for odd in ["{\"a\":\n", "{\"a\":0,\"a\":7}\n"] {
        let text = format!("{{\"a\":1}}\n{odd}{{\"a\":\"z\"}}\n{padding}");
        let seven = if odd.contains('7') { "7| " } else { "" };
        let expected = format!("1| {seven}z| {}", ["|1"; 12].join(" "));
        assert_eq!(rows(&text), expected);
        let options = json!({"dtype": {"a": "str"}});
        assert_eq!(read_within(&text, &options, &Limits::default()).unwrap().1, expected);
    }
}

#[test]
fn columns_that_are_wanted_are_those_that_come() {
    let text = "{\"a\":1,\"b\":\"x\",\"c\":null}\n".repeat(30);
    let options = json!({"usecols": ["c", "b"]});
    let found = read_within(&text, &options, &Limits::default()).unwrap();
    assert_eq!(found.0, [DataType::Utf8, DataType::Null]);
}

#[test]
fn large_whole_numbers_beside_others() {
    let decimal = |scale| DataType::Decimal128(38, scale);
    for (values, data_type) in [
        ("10000000000000000000 -1 5", decimal(0)),
        ("10000000000000000000 1 5", DataType::UInt64),
        ("9223372036854775808 1.5 2", DataType::Float64),
        ("18446744073709551616 3.4e-06 1 -2", DataType::Float64),
        ("1.5 9223372036854775808 2", DataType::Float64),
        ("9007199254740993 0.5 1234567890123456.5 0.1234567890123456789012", decimal(22)),
        ("0.5 -0.0 9007199254740993", DataType::Utf8),
        ("9007199254740993 -0.0 0.5", DataType::Utf8),
    ] {
        let line =
            |value: &str| format!("{{\"a\":{value},\"b\":\"some text to fill the line\"}}\n");
        let text: String = values.split(' ').map(line).collect();
        let (types, cells) = read(&text).unwrap();
        assert_eq!(types[0], data_type, "{values}");
        for (cell, value) in cells.split("some text to fill the line").zip(values.split(' ')) {
            let cell: f64 = cell.trim_matches([' ', '|']).parse().unwrap();
            assert_eq!(cell, value.parse::<f64>().unwrap(), "{values}");
        }
    }
}

#[test]
fn a_comma_needs_a_value_behind_it() {
    let many = vec!["{\"a\":0}"; 100].join(",");
    for text in [
        format!("[{many},]"),
        format!("[{many},\n]"),
        format!("[{many}, ]\n"),
        format!("{{\"data\":[{many},\n]}}"),
        format!("[{many},,{many}]"),
    ] {
        assert!(read(&text).unwrap_err().starts_with("syntax"), "{text:.20}");
    }
}

#[test]
fn places_that_few_rows_have() {
    for value in ["[]", "{}", "[1]", "{\"x\":[2]}", "7"] {
        let row = |index: usize| format!("{{\"k{}\":{value}}}", index % 90);
        let found: Vec<String> = (0..60_000).map(row).collect();
        let options = Options::default();
        for text in [found.join("\n"), format!("[{}]", found.join(","))] {
            let found = ingest(Source::bytes(text), &options, &Limits::default()).unwrap();
            assert_eq!(found.tables[0].num_rows(), 60_000);
            let nulls =
                found.report.tables[0].columns.iter().filter_map(|column| column.null_count);
            assert_eq!(nulls.sum::<u64>(), 60_000 * 89, "{value}");
        }
    }
}

#[test]
fn limits_are_met_exactly() {
    let limits = Limits { value_bytes: 100, json_depth: 10, ..Limits::default() };
    let text = |length: usize| format!("{{\"a\":1}}\n{{\"a\":\"{}\"}}\n", "x".repeat(length));
    let read = |text: &str| read_within(text, &json!({}), &limits);
    assert_eq!(read(&text(100)).unwrap().1.len(), 102);
    assert!(read(&text(101)).unwrap_err().starts_with("value_too_large"));
    let broken = "{\"a\":\n".repeat(1200);
    let deep = format!("{{\"a\":1}}\n{broken}{{\"a\":{}{}}}\n", "[".repeat(20), "]".repeat(20));
    for options in [json!({}), json!({"on_bad_lines": "skip"})] {
        let error = read_within(&deep, &options, &limits).unwrap_err();
        assert!(error.starts_with("too_deep"), "{error}");
    }
    let limits = Limits { sheet_cells: 1000, ..Limits::default() };
    let matrix = vec!["[1,2,3]"; 400].join(",");
    assert!(read_within(&format!("[{matrix}]"), &json!({}), &limits).is_ok());
    assert!(read_within(&matrix.replace("],", "]\n"), &json!({}), &limits).is_ok());
}

#[test]
fn features_take_the_last_of_equal_members() {
    let feature = |inside: &str| format!("{{\"type\":\"Feature\",\"geometry\":null,{inside}}}\n");
    let text = feature("\"id\":1,\"id\":2,\"properties\":{\"a\":1},\"properties\":{\"b\":2}")
        + &feature("\"properties\":{\"id\":\"x\"},\"id\":3").repeat(3);
    assert_eq!(rows(&text), "|2|2| |3||x |3||x |3||x");
}

#[test]
fn maps_of_maps_are_text() {
    let days = |user: usize| {
        let day = |day: usize| format!("\"d{}\":{day}", (user + day) % 400);
        (0..20).map(day).collect::<Vec<_>>().join(",")
    };
    let row = |user: usize| format!("{{\"m\":{{\"user{user}\":{{{}}}}}}}\n", days(user));
    let text: String = (0..700).map(row).collect();
    let options = Options::default();
    for limits in [Limits::default(), Limits { columns: 100, ..Limits::default() }] {
        let found = ingest(Source::bytes(text.clone()), &options, &limits).unwrap();
        assert_eq!(found.tables[0].schema().field(0).data_type(), &DataType::Utf8);
    }
}

#[test]
fn lines_hold_one_row_each_or_objects_side_by_side() {
    let odd = "{\"a\":1}{\"a\":2}\n{\"a\":3}[4]\n7 {\"a\":5}\nnull{\"a\":6}\n";
    let text = format!("{{\"a\":0}}\n{odd}{}", "{\"a\":8}\n".repeat(4));
    assert_eq!(rows(&text), "0 1 2 8 8 8 8");
    assert_eq!(rows("[{\"00\":\"zip\"},[5]]"), "zip| |5");
}

#[test]
fn many_keys_in_few_rows_are_refused() {
    // 6,000 rows of a key of their own: 36 million cells for 100 kB of text.
    let rows =
        |count: usize| -> String { (0..count).map(|row| format!("{{\"k{row}\":1}}\n")).collect() };
    let options = Options::default();
    let read = |text| ingest(Source::bytes(text), &options, &Limits::default());
    assert_eq!(read(rows(1000)).unwrap().tables[0].num_rows(), 1000);
    let error = read(rows(6000)).unwrap_err();
    assert_eq!(error.issue().code, crate::report::Code::TooManyCells);
}

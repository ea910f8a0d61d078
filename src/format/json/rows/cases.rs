//! Tests of the reader of rows: small cases by hand, and any rows at all, cut anywhere. The tape is
//! the second opinion.
#![cfg(test)]

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Decimal128Type, Float64Type, Int64Type, UInt64Type};
use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::super::frame::RowFrame;
use super::super::{build, gather, parse};
use super::{Between, Rows};
use crate::detect::encoding::decode;
use crate::format::RawTable;
use crate::{Limits, Options};

/// How a text is read.
#[derive(Clone, Copy, Debug)]
struct How {
    between: Between,
    threads: usize,
    chunk_bytes: usize,
    leave: bool,
}

const LINES: How = How { between: Between::Lines, threads: 1, chunk_bytes: 1 << 20, leave: false };

struct Read {
    batch: RecordBatch,
    issues: Vec<(String, Option<u64>, Option<u64>)>,
}

fn read(text: &str, how: How) -> crate::Result<Read> {
    read_with(text, how, |_| {})
}

fn read_with(text: &str, how: How, change: impl FnOnce(&mut Options)) -> crate::Result<Read> {
    let mut options = Options { leave_rows: how.leave, ..Options::default() };
    change(&mut options);
    let limits = Limits::default();
    let mut context = crate::context::Context::new(&options, &limits);
    let text = decode(&Bytes::copy_from_slice(text.as_bytes()), 0, &mut context)?;
    let rows = Rows {
        text: text.utf8.clone(),
        start: 0,
        end: text.utf8.len(),
        between: how.between,
        names: Vec::new(),
        features: false,
        value_bytes: 1 << 20,
        depth: 20,
        most_columns: 100,
        threads: how.threads,
        chunk_bytes: how.chunk_bytes,
    };
    let table = super::table(rows, &text, &mut context)?;
    let issues = context.reporter.finish(Vec::new()).issues;
    let issues = issues.into_iter().map(|issue| (issue.message, issue.row, issue.line)).collect();
    Ok(Read { batch: whole(table)?, issues })
}

/// The same over the tape.
fn tape(text: &str) -> RecordBatch {
    let (options, limits) = (Options::default(), Limits { columns: 100, ..Limits::default() });
    let mut context = crate::context::Context::new(&options, &limits);
    let frame = RowFrame {
        start: 0,
        end: text.len(),
        between: Between::Lines,
        path: Vec::new(),
        features: false,
        names: None,
    };
    let document =
        parse::parse(text.as_bytes(), 0..text.len(), &Between::Nothing, 0, &mut context).unwrap();
    let columns = gather::rows(&document, &frame, &mut context).unwrap();
    whole(build::table(&document, columns, &mut context).unwrap()).unwrap()
}

/// All rows in one batch.
fn whole(table: RawTable) -> crate::Result<RecordBatch> {
    let mut batches = table.batches;
    if let Some(rows) = &table.in_file {
        let mut nulls = vec![0; table.schema.fields().len()];
        rows.each(&table.schema, &mut |batch| {
            for (count, column) in nulls.iter_mut().zip(batch.columns()) {
                *count += column.logical_null_count() as u64;
            }
            batches.push(batch);
            Ok(true)
        })?;
        assert!(rows.null_counts().iter().flatten().eq(&nulls));
    }
    Ok(concat_batches(&table.schema, &batches).unwrap())
}

fn types(batch: &RecordBatch) -> Vec<(String, String)> {
    let fields = batch.schema().fields().clone();
    fields.iter().map(|field| (field.name().clone(), field.data_type().to_string())).collect()
}

fn column(values: &str) -> ArrayRef {
    let lines: String = values.split(' ').map(|value| format!("{{\"a\":{value}}}\n")).collect();
    read(&lines, LINES).unwrap().batch.column(0).clone()
}

/// The value of a cell, as JSON.
fn value(array: &dyn Array, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Null => Value::Null,
        DataType::Boolean => array.as_boolean().value(row).into(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).into(),
        DataType::UInt64 => array.as_primitive::<UInt64Type>().value(row).into(),
        DataType::Float64 => array.as_primitive::<Float64Type>().value(row).into(),
        DataType::Decimal128(..) => {
            let text = array.as_primitive::<Decimal128Type>().value_as_string(row);
            serde_json::from_str(&text).unwrap()
        }
        DataType::Utf8 => array.as_string::<i32>().value(row).into(),
        DataType::List(_) => {
            let list = array.as_list::<i32>().value(row);
            (0..list.len()).map(|index| value(&list, index)).collect()
        }
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns();
            let pairs = fields.iter().zip(columns);
            let pairs = pairs.map(|(field, column)| (field.name().clone(), value(column, row)));
            Value::Object(pairs.filter(|(_, value)| !value.is_null()).collect())
        }
        other => panic!("{other}"),
    }
}

/// What a cell of this type has to be for a value of the file.
fn expected(value: &Value, data_type: &DataType) -> Value {
    match (value, data_type) {
        (Value::Null, _) => Value::Null,
        (Value::String(_), DataType::Utf8) => value.clone(),
        (other, DataType::Utf8) => other.to_string().into(),
        (Value::Array(values), DataType::List(field)) => {
            values.iter().map(|value| expected(value, field.data_type())).collect()
        }
        (Value::Object(map), DataType::Struct(fields)) => {
            let pairs = fields.iter().filter_map(|field| {
                let value = expected(map.get(field.name())?, field.data_type());
                (!value.is_null()).then(|| (field.name().clone(), value))
            });
            Value::Object(pairs.collect())
        }
        (Value::Number(number), DataType::Float64) => number.as_f64().into(),
        (other, _) => other.clone(),
    }
}

/// Values as they stand in the file if they are kept as JSON text: also texts have their quotes.
fn is_json_text(values: &[&Value]) -> bool {
    values.iter().any(|value| value.is_array() || value.is_object())
}

fn check(rows: &[Value], batch: &RecordBatch) {
    assert_eq!(batch.num_rows(), rows.len());
    for (index, field) in batch.schema().fields().iter().enumerate() {
        let array = batch.column(index);
        let values: Vec<&Value> =
            rows.iter().map(|row| row.get(field.name()).unwrap_or(&Value::Null)).collect();
        for (row, original) in values.iter().enumerate() {
            let raw = *field.data_type() == DataType::Utf8 && is_json_text(&values);
            let wanted = match original {
                Value::Null => Value::Null,
                _ if raw => original.to_string().into(),
                _ => expected(original, field.data_type()),
            };
            assert_eq!(value(array, row), wanted, "{} in row {row}: {batch:?}", field.name());
        }
    }
}

#[test]
fn rows_become_columns() {
    let text = "{\"a\":1,\"b\":\"x\",\"c\":{\"d\":[1,2],\"e\":null}}\n\n\
                {\"b\":\"\\u00e9\\n\",\"a\":2.5,\"c\":{\"d\":[]}}\r\n {\"z\":true}";
    let batch = read(text, LINES).unwrap().batch;
    let expected = [("a", "Float64"), ("b", "Utf8"), ("c", ""), ("z", "Boolean")];
    for ((name, data_type), (wanted, wanted_type)) in types(&batch).iter().zip(expected) {
        assert_eq!(name, wanted);
        assert!(data_type.starts_with(wanted_type), "{data_type}");
    }
    check(
        &[
            json!({"a": 1.0, "b": "x", "c": {"d": [1, 2]}}),
            json!({"a": 2.5, "b": "é\n", "c": {"d": []}}),
            json!({"z": true}),
        ],
        &batch,
    );
}

#[test]
fn numbers_are_exact() {
    for (values, data_type) in [
        ("1 -2 null", "Int64"),
        ("1 2.5", "Float64"),
        ("1 1e3", "Float64"),
        ("9223372036854775807 -9223372036854775808", "Int64"),
        ("18446744073709551615 1", "UInt64"),
        ("18446744073709551615 -1", "Decimal128(38, 0)"),
        ("123456789012345678901234567890 1", "Decimal128(38, 0)"),
        ("9007199254740993 0.25", "Decimal128(38, 2)"),
        ("0.25 9007199254740993", "Decimal128(38, 2)"),
        ("9007199254740992 0.5", "Float64"),
        ("9007199254740993 1e-3", "Utf8"),
        ("1e999 1", "Utf8"),
        ("1234567890123456789012345678901234567890 1", "Utf8"),
        ("-0 1", "Float64"),
    ] {
        let array = column(values);
        assert_eq!(array.data_type().to_string(), data_type, "{values}");
        for (row, text) in values.split(' ').enumerate().filter(|(_, text)| *text != "null") {
            let shown = arrow::util::display::array_value_to_string(&array, row).unwrap();
            let same = shown == text || shown.parse::<f64>() == text.parse::<f64>();
            assert!(same, "{values}: {shown}");
        }
    }
}

#[test]
fn conflicts_have_one_rule_each() {
    for (values, data_type, second) in [
        ("1 \"x\"", "Utf8", "x"),
        ("true 1", "Utf8", "1"),
        ("\"x\" 1.50", "Utf8", "1.50"),
        ("{\"b\":1} [1]", "Utf8", "[1]"),
        ("[1] \"x\"", "Utf8", "\"x\""),
        ("{} {}", "Utf8", "{}"),
        ("null null", "Null", ""),
    ] {
        let array = column(values);
        assert_eq!(array.data_type().to_string(), data_type, "{values}");
        let shown = arrow::util::display::array_value_to_string(&array, 1).unwrap();
        assert_eq!(shown, second, "{values}");
    }
}

#[test]
fn a_broken_line_costs_that_line() {
    let text =
        "{\"a\":1}\n{\"a\":\n{\"a\":2,}\n{\"a\":{\"b\":[1}}\nnonsense\n{\"a\":3} x\n{\"a\":4}\n";
    for chunk_bytes in [1, 9, 1 << 20] {
        let read = read(text, How { chunk_bytes, ..LINES }).unwrap();
        check(&[json!({"a": 1}), json!({"a": 4})], &read.batch);
        let lines: Vec<_> = read.issues.iter().map(|(_, _, line)| line.unwrap()).collect();
        assert_eq!(lines, [2, 3, 4, 5, 6]);
    }
    assert!(read("{\"a\":}\n[", LINES).is_err());
}

#[test]
fn the_last_of_equal_keys_counts() {
    let text = "{\"a\":\"x\",\"b\":{\"c\":1,\"c\":2},\"a\":1}\n{\"a\":2,\"\\u0061\":null}\n";
    let read = read(text, LINES).unwrap();
    check(&[json!({"a": 1, "b": {"c": 2}}), json!({})], &read.batch);
    assert_eq!(read.issues.len(), 1, "{:?}", read.issues);
    assert!(read.issues[0].0.starts_with("3 keys"), "{:?}", read.issues);
}

#[test]
fn a_document_is_all_right_or_refused() {
    let how = How { between: Between::Commas, ..LINES };
    for (text, rows) in [("", 0), (" ", 0), ("{}", 1), (" {\"a\":1} , {\"a\":\n2} ", 2)] {
        assert_eq!(read(text, how).unwrap().batch.num_rows(), rows, "{text:?}");
    }
    for text in ["{},", ",{}", "{} {}", "{},,{}", "{},x", "{", "{}]", "{\"a\":1}}", "{\"a\" 1}"] {
        for chunk_bytes in [1, 4, 100] {
            assert!(read(text, How { chunk_bytes, ..how }).is_err(), "{text:?}");
        }
    }
    let how = How { between: Between::Nothing, ..LINES };
    assert_eq!(read("{\"a\":\n1}{} \n {}", how).unwrap().batch.num_rows(), 3);
}

#[test]
fn objects_used_as_maps_are_text() {
    let map = |row: usize| format!("{{\"m\":{{\"k{row}\":1}}}}\n");
    let text: String = (0..500).map(map).collect();
    let read_it = read(&text, How { chunk_bytes: 3000, ..LINES }).unwrap();
    assert_eq!(read_it.batch.column(0).data_type(), &DataType::Utf8);
    assert_eq!(read_it.batch.column(0).as_string::<i32>().value(7), "{\"k7\":1}");
    assert!(read_it.issues[0].0.contains("500 different keys"), "{:?}", read_it.issues);
    let text: String = (0..2000).map(map).collect();
    let read_it = read(&text, How { chunk_bytes: 3000, ..LINES }).unwrap();
    assert!(read_it.issues[0].0.contains("more than"), "{:?}", read_it.issues);
    // At the top every key is a column, as many as are allowed.
    let text: String = (0..101).map(|row| format!("{{\"k{row}\":1}}\n")).collect();
    assert!(read(&text, LINES).is_err());
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    assert!(read(&nested(19), LINES).is_ok());
    assert!(read(&nested(21), LINES).is_err());
    assert!(read(&nested(100_000), LINES).is_err());
}

#[test]
fn options_say_what_texts_are() {
    let text = "{\"d\":\"2024-01-31\",\"n\":1}\n{\"d\":\"2024-02-01\",\"n\":null}\n{\"n\":3}\n";
    for leave in [false, true] {
        let how = How { leave, chunk_bytes: 2, ..LINES };
        let text = text.repeat(30);
        let read = read_with(&text, how, |options| {
            options.parser.set("parse_dates", &json!(true)).unwrap();
            options.parser.set("dtype", &json!({"n": "str"})).unwrap();
        });
        let batch = read.unwrap().batch;
        let wanted = [("d".to_owned(), "Date32".to_owned()), ("n".to_owned(), "Utf8".to_owned())];
        assert_eq!(types(&batch), wanted);
        assert_eq!(batch.column(0).null_count(), 30);
        let bad = read_with(&text, how, |options| {
            options.parser.set("dtype", &json!({"d": "int64"})).unwrap();
        });
        assert!(bad.is_err());
    }
}

fn scalars() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1000i64..1000).prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1000i32..1000).prop_map(|value| Value::from(f64::from(value) / 8.0)),
        any::<f64>().prop_map(Value::from),
        "[ -~é\u{1}\n]{0,20}".prop_map(Value::from),
    ]
}

fn values() -> impl Strategy<Value = Value> {
    scalars().prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[abc\"\\\\é]{1,2}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Rows whose columns mostly are of one kind.
fn rows() -> impl Strategy<Value = Vec<Value>> {
    let kinds = proptest::collection::vec((0usize..4, values()), 1..5);
    (kinds, proptest::collection::vec(any::<u64>(), 0..30)).prop_flat_map(|(kinds, seeds)| {
        let row = move |seed: u64| {
            let mut cells = Vec::new();
            for (column, (kind, sample)) in kinds.iter().enumerate() {
                let name = format!("k{column}");
                let strategy: BoxedStrategy<Value> = match (seed >> (8 * column)) % 5 {
                    0 => Just(Value::Null).boxed(),
                    1 if *kind == 0 => values().boxed(),
                    _ if sample.is_i64() => (-9i64..9).prop_map(Value::from).boxed(),
                    _ => Just(sample.clone()).boxed(),
                };
                if !(seed >> (8 * column)).is_multiple_of(7) {
                    cells.push((Just(name), strategy));
                }
            }
            cells.prop_map(|cells| Value::Object(cells.into_iter().collect::<Map<_, _>>()))
        };
        seeds.into_iter().map(row).collect::<Vec<_>>()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn any_rows_come_out_as_they_are(rows in rows(), chunk_bytes in 1usize..200, threads in 1usize..4) {
        let texts: Vec<String> = rows.iter().map(Value::to_string).collect();
        let lines = texts.join("\n");
        let one = read(&lines, LINES).unwrap();
        // Nested texts of several kinds are checked by the ways below alone.
        let is_flat = |value: &Value| value.as_object().is_some_and(|row| {
            row.values().all(|value| !value.is_array() && !value.is_object())
        });
        if rows.iter().all(is_flat) {
            check(&rows, &one.batch);
        }
        prop_assert_eq!(&one.batch, &tape(&lines));
        let ways = [
            (Between::Lines, lines.clone(), false),
            (Between::Lines, lines.clone(), true),
            (Between::Commas, texts.join(" ,\n"), false),
            (Between::Commas, texts.join(","), true),
            (Between::Nothing, texts.join(""), false),
        ];
        for (between, text, leave) in ways {
            let how = How { between, threads, chunk_bytes, leave };
            let other = read(&text, how).unwrap();
            prop_assert_eq!(&one.batch, &other.batch, "{:?}", how);
            let said = |read: &Read| -> Vec<(String, Option<u64>)> {
                read.issues.iter().map(|(message, row, _)| (message.clone(), *row)).collect()
            };
            prop_assert_eq!(said(&one), said(&other));
        }
    }

    #[test]
    fn any_text_is_read_the_same_way_by_all(
        text in "([\\[\\]{}\":,\\\\a1\n ]|\\{\"a\":1\\}\n?|\\{\"b\":[\"x\"]\\},?|null){0,40}",
        chunk_bytes in 1usize..40,
    ) {
        for between in [Between::Lines, Between::Commas, Between::Nothing] {
            let one = read(&text, How { between, ..LINES });
            let other = read(&text, How { between, chunk_bytes, threads: 3, leave: false });
            match (one, other) {
                (Ok(one), Ok(other)) => {
                    prop_assert_eq!(one.batch, other.batch);
                    prop_assert_eq!(one.issues, other.issues);
                }
                (Err(one), Err(other)) => {
                    prop_assert_eq!(one.issue(), other.issue());
                }
                (one, other) => prop_assert!(
                    false, "{:?}: {} but {}", between, one.is_ok(), other.is_ok()),
            }
        }
    }
}

#[test]
fn arrays_are_columns_by_position() {
    let batch = read("[1,\"x\"]\n[2]\n[3,\"y\",true]\n7\n", LINES).unwrap().batch;
    let names: Vec<_> = types(&batch).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["0", "1", "2"]);
    let numbers: ArrayRef = Arc::new(arrow::array::Int64Array::from(vec![1, 2, 3, 7]));
    assert_eq!(batch.column(0), &numbers);
}

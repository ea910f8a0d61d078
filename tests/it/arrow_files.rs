//! Arrow files of which the rows stay where they are give the same as those read at once.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, DictionaryArray, Int32Array, Int64Array, ListArray, RecordBatch, StringArray,
    StructArray,
};
use arrow::compute::concat_batches;
use arrow::datatypes::Int32Type;
use arrow::ipc::writer::{FileWriter, StreamWriter};
use tablemill::{Ingest, Limits, Options, Parallelism, Source, ingest};

use super::boundaries::{files, fixtures};

fn left(source: impl Into<Source>, options: Options) -> Ingest {
    ingest(source, &Options { leave_rows: true, ..options }, &Limits::default()).unwrap()
}

fn rows(ingest: &Ingest) -> RecordBatch {
    let table = &ingest.tables[0];
    let mut batches = Vec::new();
    table
        .each_batch(&mut |batch| {
            batches.push(batch.clone());
            Ok(true)
        })
        .unwrap();
    concat_batches(table.schema(), &batches).unwrap()
}

fn same(source: &dyn Fn() -> Source, name: &Path) {
    let Ok(whole) = ingest(source(), &Options::default(), &Limits::default()) else { return };
    let expected = rows(&whole);
    for threads in [1, 3] {
        let parallelism = Parallelism { threads, ..Parallelism::default() };
        let options = || Options { parallelism, ..Options::default() };
        let in_file = left(source(), options());
        assert!(in_file.tables[0].batches().is_empty(), "{}", name.display());
        assert_eq!(rows(&in_file), expected, "{}", name.display());
        let verified = left(source(), Options { verify: true, ..options() });
        assert_eq!(rows(&verified), expected, "{}", name.display());
        let counts = in_file.report.tables[0].columns.iter().zip(&whole.report.tables[0].columns);
        for (column, counted) in counts {
            let agrees = column.null_count.is_none_or(|nulls| Some(nulls) == counted.null_count);
            let is_miscounted = name.to_string_lossy().contains("nulls_counted");
            assert!(agrees || is_miscounted, "{}: {}", name.display(), column.name);
        }
    }
}

#[test]
fn rows_left_in_the_file_are_the_same() {
    for folder in ["arrow", "broken_arrow"] {
        for path in files(&fixtures().join(folder)) {
            same(&|| Source::path(&path), &path);
        }
    }
}

fn large() -> RecordBatch {
    let count = 70_000;
    let numbers: Int64Array = (0..count).map(|row| (row % 7 != 0).then_some(row)).collect();
    let texts: StringArray = (0..count).map(|row| Some("é".repeat(row as usize % 4))).collect();
    let lists = (0..count as i32).map(|row| (row % 5 != 0).then(|| vec![Some(row), None]));
    let lists = ListArray::from_iter_primitive::<Int32Type, _, _>(lists);
    let words: DictionaryArray<Int32Type> =
        (0..count).map(|row| ["red", "green", "blue"][row as usize % 3]).collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("numbers", Arc::new(numbers)),
        ("texts", Arc::new(texts)),
        ("lists", Arc::new(lists)),
        ("words", Arc::new(words)),
    ];
    let inside = StructArray::from(RecordBatch::try_from_iter(columns.clone()).unwrap());
    let counts: Int32Array = (0..count as i32).collect();
    let more: Vec<(&str, ArrayRef)> =
        vec![("inside", Arc::new(inside)), ("counts", Arc::new(counts))];
    RecordBatch::try_from_iter(columns.into_iter().chain(more)).unwrap()
}

#[test]
fn the_first_rows_of_a_large_batch_come_first() {
    let batch = large();
    let schema = batch.schema();
    let mut file = FileWriter::try_new(Vec::new(), &schema).unwrap();
    let mut stream = StreamWriter::try_new(Vec::new(), &schema).unwrap();
    for _ in 0..2 {
        file.write(&batch).unwrap();
        stream.write(&batch).unwrap();
    }
    let expected = concat_batches(&schema, [&batch, &batch]).unwrap();
    for (name, bytes) in
        [("x.arrow", file.into_inner().unwrap()), ("x.arrows", stream.into_inner().unwrap())]
    {
        same(&|| Source::bytes(bytes.clone()).named(name), Path::new(name));
        let in_file = left(Source::bytes(bytes).named(name), Options::default());
        let mut first = None;
        in_file.tables[0]
            .each_batch(&mut |batch| {
                first = Some(batch.clone());
                Ok(false)
            })
            .unwrap();
        assert_eq!(first.unwrap(), expected.slice(0, 1024));
        let some = in_file.tables[0].slice(69_990, 20).unwrap();
        let some = concat_batches(some.schema(), some.batches()).unwrap();
        assert_eq!(some, expected.slice(69_990, 20));
    }
}

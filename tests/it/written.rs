//! Tables written again: what other readers see, and what a format has no words for.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryViewArray, Date64Array, DictionaryArray, DurationSecondArray, Int8Array,
    Int32Array, ListArray, RecordBatch, StringArray, StringViewArray, StructArray,
    Time32SecondArray, TimestampMicrosecondArray, TimestampSecondArray, UnionArray,
};
use arrow::datatypes::{
    DataType, Field, Int8Type, Int32Type, TimeUnit, TimestampSecondType, UnionFields,
};
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use tablemill::format::write::{OutputFormat, WriteOptions, Written, write_counted};
use tablemill::{Code, Error, Limits, Options, Source, Table, ingest};

fn table(batches: Vec<RecordBatch>) -> Table {
    Table::new("t", batches[0].schema(), batches)
}

fn of_columns<const N: usize>(columns: [(&str, ArrayRef); N]) -> Table {
    table(vec![RecordBatch::try_from_iter(columns).unwrap()])
}

fn write(table: &Table, format: OutputFormat) -> (Result<Written, Error>, Vec<u8>) {
    let mut out = Vec::new();
    let written = write_counted(table, format, &WriteOptions::default(), &mut out);
    (written, out)
}

fn csv(table: &Table) -> String {
    let (written, out) = write(table, OutputFormat::Csv);
    written.unwrap();
    String::from_utf8(out).unwrap()
}

fn read(name: &str, bytes: Vec<u8>) -> Table {
    let source = Source::bytes(bytes).named(name);
    let mut found = ingest(source, &Options::default(), &Limits::default()).unwrap();
    found.tables.remove(0)
}

/// The types that a reader of Parquet sees who does not look at Arrow's schema.
fn seen(bytes: &[u8]) -> Vec<DataType> {
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let bytes = bytes::Bytes::copy_from_slice(bytes);
    let reader = ParquetRecordBatchReaderBuilder::try_new_with_options(bytes, options).unwrap();
    reader.schema().fields().iter().map(|field| field.data_type().clone()).collect()
}

#[test]
fn times_in_parquet_are_times_for_all() {
    let milliseconds = DataType::Timestamp(TimeUnit::Millisecond, None);
    let seconds = TimestampSecondArray::from(vec![Some(-1), None, Some(1_700_000_000)]);
    let days = Date64Array::from(vec![Some(-86_400_000), None, Some(86_400_000)]);
    let parts = Field::new("s", DataType::Timestamp(TimeUnit::Second, None), true);
    let whole = Arc::new(Field::new("d", DataType::Date64, true));
    let nested = StructArray::from(vec![
        (Arc::new(parts), Arc::new(seconds.clone()) as ArrayRef),
        (whole, Arc::new(days.clone()) as ArrayRef),
    ]);
    let rows = [Some(vec![Some(1), None]), None, Some(vec![Some(3)])];
    let list = ListArray::from_iter_primitive::<TimestampSecondType, _, _>(rows);
    let keys = Int8Array::from(vec![Some(0), None, Some(1)]);
    let views = Arc::new(StringViewArray::from(vec!["a long enough text for a view", "b"]));
    let bytes = Arc::new(BinaryViewArray::from(vec![&b"\0a"[..], b"b"]));
    let table = of_columns([
        ("seconds", Arc::new(seconds.clone()) as ArrayRef),
        ("zoned", Arc::new(seconds.with_timezone("Europe/Berlin")) as _),
        ("days", Arc::new(days) as _),
        ("moments", Arc::new(Date64Array::from(vec![0, 1, 86_400_000])) as _),
        ("clock", Arc::new(Time32SecondArray::from(vec![0, 1, 86_399])) as _),
        ("nested", Arc::new(nested) as _),
        ("list", Arc::new(list) as _),
        ("views", Arc::new(DictionaryArray::new(keys.clone(), views)) as _),
        ("bytes", Arc::new(DictionaryArray::new(keys, bytes)) as _),
        ("took", Arc::new(DurationSecondArray::from(vec![1, 2, 3])) as _),
    ]);
    let (written, out) = write(&table, OutputFormat::Parquet);
    let warnings = written.unwrap().warnings;
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].message.starts_with("the column \"took\" holds durations"));
    let seen = seen(&out);
    assert_eq!(seen[0], milliseconds);
    assert_eq!(seen[1], DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())));
    assert_eq!(seen[2..4], [DataType::Date32, milliseconds.clone()]);
    assert_eq!(seen[4], DataType::Time32(TimeUnit::Millisecond));
    let DataType::Struct(fields) = &seen[5] else { panic!("{}", seen[5]) };
    assert_eq!([fields[0].data_type(), fields[1].data_type()], [&milliseconds, &DataType::Date32]);
    let DataType::List(item) = &seen[6] else { panic!("{}", seen[6]) };
    assert_eq!(*item.data_type(), milliseconds);
    assert_eq!(seen[7..], [DataType::Utf8, DataType::Binary, DataType::Int64]);
    // Whole days have no time of day any more.
    let before = csv(&table).replace("-31T00:00:00,1970", "-31,1970");
    let before = before.replace("1970-01-02T00:00:00,1970", "1970-01-02,1970");
    let before = before.replace("1969-12-31T00:00:00\"\"}", "1969-12-31\"\"}");
    let before = before.replace("1970-01-02T00:00:00\"\"}", "1970-01-02\"\"}");
    assert_eq!(csv(&read("t.parquet", out)), before);
}

#[test]
fn parquet_refuses_unions_by_name_before_it_writes() {
    let fields = UnionFields::try_new([0], [Field::new("i", DataType::Int32, true)]).unwrap();
    let values: ArrayRef = Arc::new(Int32Array::from(vec![1, 2]));
    let union = UnionArray::try_new(fields, vec![0, 0].into(), None, vec![values]).unwrap();
    let field = Arc::new(Field::new("u", union.data_type().clone(), true));
    let nested = StructArray::from(vec![(field, Arc::new(union.clone()) as ArrayRef)]);
    for column in [Arc::new(union) as ArrayRef, Arc::new(nested) as _] {
        let (written, out) = write(&of_columns([("odd", column)]), OutputFormat::Parquet);
        let error = written.unwrap_err();
        assert_eq!(error.issue().code, Code::UnsupportedFeature);
        assert_eq!(error.issue().column.as_deref(), Some("odd"));
        assert!(out.is_empty());
    }
    let far = TimestampSecondArray::from(vec![i64::MAX]);
    let (written, _) = write(&of_columns([("far", Arc::new(far) as _)]), OutputFormat::Parquet);
    assert_eq!(written.unwrap_err().issue().column.as_deref(), Some("far"));
}

#[test]
fn an_arrow_file_has_one_dictionary_of_all_batches() {
    let batch = |from: i32| {
        let words: Vec<Option<String>> =
            (from..from + 100).map(|at| (at % 7 > 0).then(|| format!("word {at}"))).collect();
        let words: DictionaryArray<Int8Type> = words.iter().map(Option::as_deref).collect();
        let same = Arc::new(StringArray::from(vec!["x", "y"]));
        let same = DictionaryArray::<Int32Type>::new((0..100).map(|at| at % 2).collect(), same);
        RecordBatch::try_from_iter_with_nullable([
            ("words", Arc::new(words) as ArrayRef, true),
            ("same", Arc::new(same) as _, true),
        ])
        .unwrap()
    };
    for starts in [vec![0, 50, 200], vec![0, 0], vec![0, 1]] {
        let table = table(starts.iter().map(|start| batch(*start)).collect());
        let (written, out) = write(&table, OutputFormat::Arrow);
        written.unwrap();
        let again = read("t.arrow", out);
        assert_eq!(csv(&again), csv(&table));
        // Keys are longer only where they have to be.
        let keys = if starts.contains(&200) { DataType::Int32 } else { DataType::Int8 };
        let expected = DataType::Dictionary(Box::new(keys), Box::new(DataType::Utf8));
        assert_eq!(*again.schema().field(0).data_type(), expected);
    }
}

#[test]
fn dictionaries_in_structs_are_sent_to_the_stream() {
    let batch = |word: &str| {
        let words: DictionaryArray<Int32Type> = [word].into_iter().collect();
        let field = Arc::new(Field::new("w", words.data_type().clone(), true));
        let nested = StructArray::from(vec![(field, Arc::new(words) as ArrayRef)]);
        RecordBatch::try_from_iter([("s", Arc::new(nested) as ArrayRef)]).unwrap()
    };
    let table = table(vec![batch("a"), batch("b")]);
    let error = write(&table, OutputFormat::Arrow).0.unwrap_err();
    assert!(error.issue().hint.as_deref().unwrap().contains("arrow-stream"));
    let (written, out) = write(&table, OutputFormat::ArrowStream);
    written.unwrap();
    assert_eq!(csv(&read("t.arrows", out)), csv(&table));
}

#[test]
fn times_without_words_are_written_all_the_same() {
    let far = TimestampMicrosecondArray::from(vec![Some(i64::MAX), None, Some(0)]);
    let odd = TimestampSecondArray::from(vec![0, 1, 2]).with_timezone("Nowhere/Near");
    let none = DictionaryArray::<Int32Type>::new(
        Int32Array::new_null(3),
        Arc::new(StringArray::new_null(0)),
    );
    let table = of_columns([
        ("far", Arc::new(far) as ArrayRef),
        ("odd", Arc::new(odd) as _),
        ("none", Arc::new(none) as _),
    ]);
    let expected = "far,odd,none\n+294247-01-10T04:00:54.775807,1970-01-01T00:00:00Z,\n\
                    ,1970-01-01T00:00:01Z,\n1970-01-01T00:00:00,1970-01-01T00:00:02Z,\n";
    assert_eq!(csv(&table), expected);
    let (written, out) = write(&table, OutputFormat::Ndjson);
    written.unwrap();
    assert!(out.starts_with(b"{\"far\":\"+294247-01-10T04:00:54.775807\",\"odd\""));
}

#[test]
fn a_cut_orc_file_is_no_csv() {
    let path = super::boundaries::fixtures().join("orc/nested.orc");
    let bytes = std::fs::read(path).unwrap();
    for kept in [3, 40, bytes.len() / 2, bytes.len() - 40] {
        let source = Source::bytes(bytes[..kept].to_vec()).named("x.orc");
        let error = ingest(source, &Options::default(), &Limits::default()).unwrap_err();
        assert_eq!(error.issue().code, Code::Truncated, "{kept}: {error}");
    }
    let text = read("x.csv", b"ORC,b\n1,2\n".to_vec());
    assert_eq!(text.schema().field(0).name(), "ORC");
}

#[test]
fn zeros_are_no_text_and_fill_up_one() {
    let source = Source::bytes(vec![0; 10_240]).named("empty");
    let error = ingest(source, &Options::default(), &Limits::default()).unwrap_err();
    assert_eq!(error.issue().code, Code::UnknownFormat);
    let filled = [&b"a,b\n1,x\n"[..], &[0; 100_000]].concat();
    assert!(csv(&read("x", filled)).starts_with("a,b\n1,x\n"));
}

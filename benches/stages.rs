//! Bytes per second of each stage alone. Run it with `cargo bench --bench stages`.
//!
//! The stages are not public, so each bench reads a file through `ingest` and takes the time of one
//! stage from the report. Options keep the others short (`nrows=1`) or part a stage in two: parsing
//! csv with every cell as text is finding cells; with the types given, finding and converting;
//! with nothing given, inferring besides.

mod corpus;

use std::time::Duration;

use corpus::{CORPUS, File, bare_files, table, wrapped_files};
use criterion::{Criterion, SamplingMode, Throughput};
use serde_json::{Value, json};
use tablemill::format::write::{OutputFormat, WriteOptions, write_table};
use tablemill::{Limits, Options, ParserOptions, Source, Table, Transforms, ingest};

/// One bench: what it is called, what it counts, what it reads and how.
struct Case<'a> {
    name: &'a str,
    counted: u64,
    source: Box<dyn Fn() -> Source + 'a>,
    options: Options,
    limits: Limits,
}

impl<'a> Case<'a> {
    /// Reads the file from memory, with these parser options.
    fn new(name: &'a str, file: &'a File, parser: Value) -> Self {
        let parser = parser.as_object().expect("options are an object");
        let parser = ParserOptions::from_json(parser).expect("the options are right");
        Case {
            name,
            counted: file.counted,
            source: Box::new(|| file.source()),
            options: Options { parser, ..Options::default() },
            limits: Limits::default(),
        }
    }
}

fn main() {
    let mut criterion = corpus::criterion();
    let files = bare_files();
    let csv = &files[0];
    source(csv, &mut criterion);
    decompress(&mut criterion);
    detect(&files, &mut criterion);
    parse(&files, &mut criterion);
    transform(csv, &mut criterion);
    write(&table(csv), &mut criterion);
    criterion.final_summary();
}

/// Measures one stage of each case by what the report says of it.
fn measure(criterion: &mut Criterion, stage: &str, cases: Vec<Case<'_>>) {
    let mut group = criterion.benchmark_group(format!("{CORPUS}/{stage}"));
    group.sampling_mode(SamplingMode::Flat);
    for case in cases {
        group.throughput(Throughput::BytesDecimal(case.counted));
        let time_once = || {
            let read = ingest((case.source)(), &case.options, &case.limits);
            let report = read.expect("the corpus can be read").report;
            Duration::from_secs_f64(report.timings[stage])
        };
        group.bench_function(case.name, |bencher| {
            bencher.iter_custom(|times| (0..times).map(|_| time_once()).sum());
        });
    }
    group.finish();
}

/// A reader to its end, into memory or through a temporary file. Memory and maps are not copied.
fn source(csv: &File, criterion: &mut Criterion) {
    let cases =
        [("reader to memory", u64::MAX), ("reader to file", 0)].map(|(name, spool_bytes)| {
            let reader = || Source::reader(std::io::Cursor::new(csv.bytes.clone())).named(csv.name);
            let case = Case::new(name, csv, json!({"nrows": 1}));
            Case {
                source: Box::new(reader),
                limits: Limits { spool_bytes, ..Limits::default() },
                ..case
            }
        });
    measure(criterion, "source", cases.into());
}

/// Each wrapping, by the bytes that come out.
fn decompress(criterion: &mut Criterion) {
    let files = wrapped_files();
    let cases = files.iter().map(|file| Case::new(file.name, file, json!({"nrows": 1})));
    measure(criterion, "decompress", cases.collect());
}

/// Detection looks at the head of a file only, so only the first 64 KiB are there to be counted.
fn detect(files: &[File], criterion: &mut Criterion) {
    let heads: Vec<File> = files
        .iter()
        .filter(|file| ["orders.csv", "orders.ndjson"].contains(&file.name))
        .map(|file| {
            let head = &file.bytes[..64 << 10];
            let end = memchr::memrchr(b'\n', head).map_or(head.len(), |newline| newline + 1);
            File::bare(file.name, file.bytes.slice(..end))
        })
        .collect();
    let cases = heads.iter().map(|file| Case::new(file.name, file, json!({})));
    measure(criterion, "detect", cases.collect());
}

/// Each format with nothing given, and csv in its parts.
fn parse(files: &[File], criterion: &mut Criterion) {
    let csv = &files[0];
    let types = json!({
        "order_id": "int64", "customer_id": "int64", "status": "str", "total": "float64",
        "ordered_on": "date", "shipped_at": "datetime64[us]", "priority": "str", "clerk": "str",
        "zip": "str", "paid": "bool", "comment": "str",
    });
    let as_text = json!({"dtype": "str", "na_filter": false});
    let mut cases = vec![
        Case::new("orders.csv, all as text", csv, as_text),
        Case::new("orders.csv, types given", csv, json!({"dtype": types})),
    ];
    cases.extend(files.iter().map(|file| Case::new(file.name, file, json!({}))));
    measure(criterion, "parse", cases);
}

/// One query over the table, by the bytes of the csv it came from.
fn transform(csv: &File, criterion: &mut Criterion) {
    let queries = [
        ("filter", "SELECT * FROM orders WHERE total > 250000"),
        (
            "group",
            "SELECT clerk, count(*) AS orders, sum(total) AS total FROM orders GROUP BY clerk",
        ),
        ("sort", "SELECT * FROM orders ORDER BY ordered_on, total"),
    ];
    let cases = queries.map(|(name, sql)| {
        let transforms = Transforms::from_json(&json!(sql)).expect("a query is a transform");
        let case = Case::new(name, csv, json!({}));
        Case { options: Options { transforms, ..case.options }, ..case }
    });
    measure(criterion, "transform", cases.into());
}

/// The table out again, by the bytes that come out.
fn write(table: &Table, criterion: &mut Criterion) {
    let formats = [
        ("csv", OutputFormat::Csv),
        ("ndjson", OutputFormat::Ndjson),
        ("arrow", OutputFormat::Arrow),
        ("parquet", OutputFormat::Parquet),
    ];
    let mut group = criterion.benchmark_group(format!("{CORPUS}/write"));
    group.sampling_mode(SamplingMode::Flat);
    for (name, format) in formats {
        let write = |out: &mut Vec<u8>| {
            out.clear();
            write_table(table, format, &WriteOptions::default(), out)
                .expect("the table can be written");
        };
        let mut out = Vec::new();
        write(&mut out);
        group.throughput(Throughput::BytesDecimal(out.len() as u64));
        group.bench_function(name, |bencher| bencher.iter(|| write(&mut out)));
    }
    group.finish();
}

//! The corpus of the benches: a table of orders, the same rows in every format and wrapping.
//!
//! Nothing is read from disk and nothing is random: a small generator with a fixed seed makes the
//! same 64,000 rows each time, about 8 MB as csv. The columns are those that real files have: whole
//! and decimal numbers, dates, times with gaps, few and many different texts, codes with leading
//! zeros, booleans, and a comment that sometimes needs quotes.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;

use bytes::Bytes;
use chrono::{Days, NaiveDate, NaiveDateTime, TimeDelta};
use criterion::Criterion;
use tablemill::format::write::{OutputFormat, WriteOptions, write_table};
use tablemill::{Ingest, Limits, Options, Source, Table, ingest};

/// Rows of the table. With it the name of the corpus changes.
const ROWS: u64 = 64_000;

/// What the corpus is called in the names of the benches.
pub const CORPUS: &str = "orders-64k";

const COLUMNS: [&str; 11] = [
    "order_id",
    "customer_id",
    "status",
    "total",
    "ordered_on",
    "shipped_at",
    "priority",
    "clerk",
    "zip",
    "paid",
    "comment",
];

/// A file of the corpus.
pub struct File {
    /// Its name, whose extension says what it is.
    pub name: &'static str,
    /// Its bytes.
    pub bytes: Bytes,
    /// The bytes that throughput counts: those inside where the file is compressed text, those of
    /// the file itself elsewhere.
    pub counted: u64,
}

impl File {
    /// A bare file, which counts its own bytes.
    pub fn bare(name: &'static str, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        File { name, counted: bytes.len() as u64, bytes }
    }

    /// The file as something to read, without a copy.
    pub fn source(&self) -> Source {
        Source::bytes(self.bytes.clone()).named(self.name)
    }
}

/// Criterion with few samples: one read takes long enough to be measured alone.
pub fn criterion() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .nresamples(10_000)
        .without_plots()
        .configure_from_args()
}

/// Reads a file whole. A corpus that cannot be read is a mistake in the bench.
pub fn read(source: Source, options: &Options) -> Ingest {
    ingest(source, options, &Limits::default()).expect("the corpus can be read")
}

/// The table of orders, as tablemill reads it from csv.
pub fn table(csv: &File) -> Table {
    read(csv.source(), &Options::default()).tables.remove(0)
}

/// The table as csv.
fn csv() -> File {
    let mut text = COLUMNS.join(",") + "\n";
    for order in orders() {
        let Order { id, customer, status, ordered, priority, clerk, zip, paid, .. } = order;
        let (total, shipped) = (order.total(), order.shipped_text());
        let comment = quoted(&order.comment);
        let _ = writeln!(
            text,
            "{id},{customer},{status},{total},{ordered},{shipped},{priority},Clerk#{clerk:09},\
             {zip:05},{paid},{comment}"
        );
    }
    File::bare("orders.csv", text.into_bytes())
}

/// The table in every format that the library or the bench can write. Each is read once, so that
/// no wrong answer is measured.
pub fn bare_files() -> Vec<File> {
    let csv = csv();
    let table = table(&csv);
    let written = [
        ("orders.json", OutputFormat::Json),
        ("orders.ndjson", OutputFormat::Ndjson),
        ("orders.arrow", OutputFormat::Arrow),
        ("orders.parquet", OutputFormat::Parquet),
    ];
    let mut files = vec![csv];
    for (name, format) in written {
        let mut bytes = Vec::new();
        write_table(&table, format, &WriteOptions::default(), &mut bytes)
            .expect("the corpus can be written");
        files.push(File::bare(name, bytes));
    }
    files.push(File::bare("orders.xlsx", xlsx()));
    files.iter().for_each(check);
    files
}

/// The csv in every wrapping, at the level that each tool takes by default.
pub fn wrapped_files() -> Vec<File> {
    let csv = csv();
    let text = csv.bytes.as_ref();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    gzip.write_all(text).expect("memory takes every write");
    let mut bz2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
    bz2.write_all(text).expect("memory takes every write");
    let mut xz = xz2::write::XzEncoder::new(Vec::new(), 6);
    xz.write_all(text).expect("memory takes every write");
    let wrapped = [
        ("orders.csv.gz", gzip.finish().expect("gzip ends")),
        ("orders.csv.bz2", bz2.finish().expect("bzip2 ends")),
        ("orders.csv.xz", xz.finish().expect("xz ends")),
        ("orders.csv.zst", zstd::encode_all(text, 3).expect("zstd ends")),
        ("orders.csv.zip", zipped(&[("orders.csv", text)])),
    ];
    let files =
        wrapped.map(|(name, bytes)| File { name, bytes: bytes.into(), counted: text.len() as u64 });
    files.iter().for_each(check);
    files.into()
}

/// The file gives all rows, and none of them damaged.
fn check(file: &File) {
    let Ingest { tables, report } = read(file.source(), &Options::default());
    assert_eq!(tables.len(), 1, "{} holds one table", file.name);
    assert_eq!(tables[0].num_rows(), ROWS, "{} holds every row", file.name);
    assert!(report.is_valid, "{}: {:?}", file.name, report.issues);
}

/// One row.
struct Order {
    id: u64,
    customer: u64,
    status: &'static str,
    cents: u64,
    ordered: NaiveDate,
    shipped: Option<NaiveDateTime>,
    priority: &'static str,
    clerk: u64,
    zip: u64,
    paid: bool,
    comment: String,
}

impl Order {
    fn total(&self) -> String {
        format!("{}.{:02}", self.cents / 100, self.cents % 100)
    }

    fn shipped_text(&self) -> String {
        self.shipped.map(|time| time.format("%Y-%m-%dT%H:%M:%S").to_string()).unwrap_or_default()
    }
}

const STATUS: [&str; 3] = ["F", "O", "P"];
const PRIORITY: [&str; 5] = ["1-URGENT", "2-HIGH", "3-MEDIUM", "4-NOT SPECIFIED", "5-LOW"];
const WORDS: [&str; 12] = [
    "packages", "sleep", "quickly,", "final", "deposits", "above", "the", "\"bold\"", "requests",
    "haggle", "among", "ideas",
];

/// The rows, the same in each run.
fn orders() -> impl Iterator<Item = Order> {
    let mut random = Random(20_261_122);
    let first_day = NaiveDate::from_ymd_opt(2015, 1, 1).expect("a day of the calendar");
    (1..=ROWS).map(move |id| {
        let ordered = first_day + Days::new(random.below(4_000));
        let seconds = TimeDelta::seconds(random.below(30 * 86_400) as i64);
        let shipped = ordered.and_hms_opt(0, 0, 0).map(|midnight| midnight + seconds);
        let words = 2 + random.below(5);
        let comment: Vec<&str> = (0..words).map(|_| random.pick(&WORDS)).collect();
        Order {
            id,
            customer: 1 + random.below(150_000),
            status: random.pick(&STATUS),
            cents: 100_000 + random.below(50_000_000),
            ordered,
            shipped: shipped.filter(|_| random.below(20) > 0),
            priority: random.pick(&PRIORITY),
            clerk: 1 + random.below(1_000),
            zip: 501 + random.below(99_000),
            paid: random.below(3) > 0,
            comment: comment.join(" "),
        }
    })
}

/// SplitMix64: a few lines, and the same numbers on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len() as u64) as usize]
    }
}

/// A csv cell, in quotes where it needs them.
fn quoted(text: &str) -> String {
    if text.contains(['"', ',']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// A workbook of one sheet as Excel writes it: shared strings, dates as numbers with a style.
fn xlsx() -> Vec<u8> {
    let mut strings = SharedStrings::default();
    let mut sheet = String::from(r#"<worksheet xmlns="NAMESPACE"><sheetData><row r="1">"#);
    for (column, name) in COLUMNS.iter().enumerate() {
        strings.cell(&mut sheet, column, 1, name);
    }
    let epoch = NaiveDate::from_ymd_opt(1899, 12, 30).expect("Excel's first day");
    for (order, row) in orders().zip(2_u64..) {
        let day = (order.ordered - epoch).num_days();
        let _ = write!(
            sheet,
            r#"</row><row r="{row}"><c r="A{row}"><v>{}</v></c><c r="B{row}"><v>{}</v></c>"#,
            order.id, order.customer
        );
        strings.cell(&mut sheet, 2, row, order.status);
        let total = order.total();
        let _ = write!(sheet, r#"<c r="D{row}"><v>{total}</v></c>"#);
        let _ = write!(sheet, r#"<c r="E{row}" s="1"><v>{day}</v></c>"#);
        if let Some(time) = order.shipped {
            let seconds = (time - epoch.and_hms_opt(0, 0, 0).expect("a midnight")).num_seconds();
            let days = seconds as f64 / 86_400.0;
            let _ = write!(sheet, r#"<c r="F{row}" s="2"><v>{days}</v></c>"#);
        }
        strings.cell(&mut sheet, 6, row, order.priority);
        strings.cell(&mut sheet, 7, row, &format!("Clerk#{:09}", order.clerk));
        strings.cell(&mut sheet, 8, row, &format!("{:05}", order.zip));
        let paid = u8::from(order.paid);
        let _ = write!(sheet, r#"<c r="J{row}" t="b"><v>{paid}</v></c>"#);
        strings.cell(&mut sheet, 10, row, &order.comment);
    }
    sheet.push_str("</row></sheetData></worksheet>");
    let parts = [
        ("[Content_Types].xml", CONTENT_TYPES.to_owned()),
        ("_rels/.rels", RELATIONS.replace("TARGETS", RELATIONS_OF_PACKAGE)),
        ("xl/workbook.xml", WORKBOOK.to_owned()),
        ("xl/_rels/workbook.xml.rels", RELATIONS.replace("TARGETS", RELATIONS_OF_WORKBOOK)),
        ("xl/styles.xml", STYLES.to_owned()),
        ("xl/sharedStrings.xml", strings.xml()),
        ("xl/worksheets/sheet1.xml", sheet),
    ];
    let parts = parts.map(|(name, xml)| {
        let xml = xml
            .replace("NAMESPACE", "http://schemas.openxmlformats.org/spreadsheetml/2006/main")
            .replace("OFFICE", "http://schemas.openxmlformats.org/officeDocument/2006")
            .replace("PACKAGE", "http://schemas.openxmlformats.org/package/2006")
            .replace("TYPE", "application/vnd.openxmlformats-officedocument.spreadsheetml");
        (name, format!("<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n{xml}"))
    });
    let parts: Vec<(&str, &[u8])> =
        parts.iter().map(|(name, xml)| (*name, xml.as_bytes())).collect();
    zipped(&parts)
}

/// The texts of a workbook, each once.
#[derive(Default)]
struct SharedStrings {
    order: Vec<String>,
    index: HashMap<String, usize>,
}

impl SharedStrings {
    /// Writes a text cell.
    fn cell(&mut self, sheet: &mut String, column: usize, row: u64, text: &str) {
        let next = self.order.len();
        let index = *self.index.entry(text.to_owned()).or_insert(next);
        if index == next {
            self.order.push(text.to_owned());
        }
        let letter = char::from(b'A' + column as u8);
        let _ = write!(sheet, r#"<c r="{letter}{row}" t="s"><v>{index}</v></c>"#);
    }

    fn xml(&self) -> String {
        let mut xml = String::from(r#"<sst xmlns="NAMESPACE">"#);
        for text in &self.order {
            let text = text.replace('&', "&amp;").replace('<', "&lt;");
            let _ = write!(xml, "<si><t>{text}</t></si>");
        }
        xml + "</sst>"
    }
}

const CONTENT_TYPES: &str = r#"<Types xmlns="PACKAGE/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="TYPE.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="TYPE.worksheet+xml"/><Override PartName="/xl/styles.xml" ContentType="TYPE.styles+xml"/><Override PartName="/xl/sharedStrings.xml" ContentType="TYPE.sharedStrings+xml"/></Types>"#;
const RELATIONS: &str = r#"<Relationships xmlns="PACKAGE/relationships">TARGETS</Relationships>"#;
const RELATIONS_OF_PACKAGE: &str = r#"<Relationship Id="rId1" Type="OFFICE/relationships/officeDocument" Target="xl/workbook.xml"/>"#;
const RELATIONS_OF_WORKBOOK: &str = r#"<Relationship Id="rId1" Type="OFFICE/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="OFFICE/relationships/styles" Target="styles.xml"/><Relationship Id="rId3" Type="OFFICE/relationships/sharedStrings" Target="sharedStrings.xml"/>"#;
const WORKBOOK: &str = r#"<workbook xmlns="NAMESPACE" xmlns:r="OFFICE/relationships"><sheets><sheet name="orders" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
/// Style 1 is a day, style 2 a day with its time.
const STYLES: &str = r#"<styleSheet xmlns="NAMESPACE"><cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/><xf numFmtId="22" applyNumberFormat="1"/></cellXfs></styleSheet>"#;

/// A deflated zip archive of these members.
fn zipped(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for (name, bytes) in members {
        archive.start_file(*name, options).expect("a member begins");
        archive.write_all(bytes).expect("memory takes every write");
    }
    archive.finish().expect("zip ends").into_inner()
}

//! Archives and streams under limits, and as they are declared.

use std::io::Write;

use tablemill::{Compression, ErrorKind, Limits, Options, Source, ingest};

use super::boundaries::{files, fixtures};

fn declared(compression: Compression, name: &str) -> Result<usize, ErrorKind> {
    let options = Options { compression: Some(compression), ..Options::default() };
    let read = ingest(Source::path(fixtures().join(name)), &options, &Limits::default());
    read.map(|ingest| ingest.tables.len()).map_err(|error| error.kind())
}

#[test]
fn a_tar_may_be_declared_with_or_without_what_it_is_in() {
    for name in ["orders.tar", "orders.tar.gz", "orders.txz", "orders.tar.zst"] {
        assert_eq!(declared(Compression::Tar, &format!("archives/{name}")), Ok(1), "{name}");
    }
    assert_eq!(declared(Compression::Gzip, "archives/orders.tgz"), Ok(1));
    assert_eq!(declared(Compression::Gzip, "archives/orders.tar"), Err(ErrorKind::Mismatch));
    assert_eq!(declared(Compression::Tar, "matrix/orders.csv.gz"), Err(ErrorKind::Mismatch));
    assert_eq!(declared(Compression::Tar, "matrix/orders.csv.zip"), Err(ErrorKind::Mismatch));
    assert_eq!(declared(Compression::Tar, "csv/orders.csv"), Err(ErrorKind::Mismatch));
}

#[test]
fn members_are_counted() {
    for (entries, name) in [(8, "mixed.tar.gz"), (6, "three_csv.zip")] {
        let path = fixtures().join("archives").join(name);
        let limits = |archive_entries| Limits { archive_entries, ..Limits::default() };
        let read = |limits| ingest(Source::path(&path), &Options::default(), &limits);
        assert!(read(limits(entries)).is_ok(), "{name}");
        let error = read(limits(entries - 1)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{name}");
        assert!(error.to_string().contains("archive_entries"), "{error}");
    }
}

/// One member of a zip, listed many times under other names.
fn overlapping(members: u16) -> Vec<u8> {
    let data = vec![b'1'; 1 << 20];
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&data).unwrap();
    let packed = encoder.finish().unwrap();
    let mut crc = flate2::Crc::new();
    crc.update(&data);
    // From the flags to the size of the name.
    let mut common = vec![0, 0, 8, 0, 0, 0, 0x21, 0x28];
    common.extend(crc.sum().to_le_bytes());
    common.extend((packed.len() as u32).to_le_bytes());
    common.extend((data.len() as u32).to_le_bytes());
    common.extend(9u16.to_le_bytes());
    let mut zip = b"PK\x03\x04\x14\0".to_vec();
    zip.extend(&common);
    zip.extend(b"\0\0m0000.csv");
    zip.extend(packed);
    let start = zip.len() as u32;
    for member in 0..members {
        zip.extend(b"PK\x01\x02\x14\0\x14\0");
        zip.extend(&common);
        zip.extend([0; 16]);
        zip.extend(format!("m{member:04}.csv").bytes());
    }
    let size = zip.len() as u32 - start;
    zip.extend(b"PK\x05\x06\0\0\0\0");
    zip.extend(members.to_le_bytes());
    zip.extend(members.to_le_bytes());
    zip.extend(size.to_le_bytes());
    zip.extend(start.to_le_bytes());
    zip.extend([0, 0]);
    zip
}

#[test]
fn members_that_overlap_are_each_counted() {
    let limits = Limits { inflated_bytes: 20 << 20, ..Limits::default() };
    let read = |members| ingest(Source::bytes(overlapping(members)), &Options::default(), &limits);
    let few = read(3).unwrap();
    assert_eq!(few.tables.len(), 3);
    let error = read(40).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{error}");
    assert!(error.to_string().contains("inflated_bytes"), "{error}");
}

/// Members of a tar are parts of bytes that are counted already.
#[test]
fn layers_are_counted_together() {
    let path = fixtures().join("archives/mixed.tar.gz");
    let read = |inflated_bytes| {
        let limits = Limits { inflated_bytes, ..Limits::default() };
        ingest(Source::path(&path), &Options::default(), &limits).map_err(|error| error.kind())
    };
    assert!(read(13 << 10).is_ok());
    assert_eq!(read(10 << 10).unwrap_err(), ErrorKind::LimitExceeded);
}

/// Cut anywhere, an archive or a stream gives no more than the whole gives, and says so.
#[test]
fn cut_anywhere_it_is_an_error_or_an_issue() {
    let names =
        ["bgzf.csv.gz", "multi_stream.csv.xz", "three_csv.zip", "mixed.tar.gz", "pax_name.tar"];
    for path in files(&fixtures().join("archives")) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !names.contains(&&*name) {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let read = |length: usize| {
            let source = Source::bytes(bytes[..length].to_vec()).named(&*name);
            ingest(source, &Options::default(), &Limits::default())
        };
        let rows = |tables: &[tablemill::Table]| tables.iter().map(|t| t.num_rows()).sum::<u64>();
        let all = rows(&read(bytes.len()).unwrap().tables);
        // Before its mark, at byte 257, nothing says that a tar is one.
        let first = if name.ends_with(".tar") { 262 } else { 0 };
        for length in (first..bytes.len()).step_by(37) {
            let Ok(cut) = read(length) else { continue };
            assert!(rows(&cut.tables) <= all, "{name} {length}");
            let said = cut.report.issues.iter().any(|issue| {
                matches!(issue.code.as_str(), "truncated" | "corrupt" | "trailing_data")
            });
            assert!(said || rows(&cut.tables) == all, "{name} {length}: {:?}", cut.report.issues);
        }
    }
}

//! Files written by the writers of arrow, parquet and orc-rust from arbitrary tables: undamaged they
//! read back as what they were, damaged they do no harm.

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::DataType;
use arrow::ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use arrow::ipc::{CompressionType, MetadataVersion};
use orc_rust::ArrowWriterBuilder;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use parquet::schema::types::ColumnPath;

use super::choices::Choices;
use super::damage::damage;
use super::tables::{Family, stretches, table};
use super::{limits, read};
use crate::{FileType, Options, Source, ingest};

/// Arrow IPC, file or stream, as arrow's writer writes an arbitrary table; then damaged.
pub fn written_arrow(bytes: &[u8]) {
    written(bytes, Family::Arrow, FileType::Arrow, write_arrow);
}

/// Parquet as the parquet crate writes an arbitrary table, in any of its encodings; then damaged.
pub fn written_parquet(bytes: &[u8]) {
    written(bytes, Family::Parquet, FileType::Parquet, write_parquet);
}

/// ORC as orc-rust writes an arbitrary table; then damaged.
pub fn written_orc(bytes: &[u8]) {
    written(bytes, Family::Orc, FileType::Orc, write_orc);
}

type Write = fn(&RecordBatch, &mut Choices<'_>) -> Option<Vec<u8>>;

fn written(bytes: &[u8], family: Family, file_type: FileType, write: Write) {
    let mut choices = Choices::new(bytes);
    // The first byte says how often a file is damaged, so that one fuzzer's input tries more.
    let damages = choices.below(8);
    let Some(table) = table(&mut choices, family) else { return };
    let Some(file) = write(&table, &mut choices) else { return };
    reads_back(&file, file_type, &table);
    for _ in 0..damages {
        let mut damaged = file.clone();
        damage(&mut damaged, &mut choices, &file);
        read(&damaged, Some(file_type));
    }
}

fn reads_back(file: &[u8], file_type: FileType, table: &RecordBatch) {
    let options = Options { file_type: Some(file_type), ..Options::default() };
    let found = ingest(Source::bytes(file.to_vec()), &options, &limits());
    let found = match found {
        Ok(found) => found,
        Err(error) => {
            let schema = table.schema();
            assert!(file.is_empty(), "what was written cannot be read: {error}; {schema:?}");
            return;
        }
    };
    assert_eq!(found.tables.len(), 1);
    let rows: usize = found.tables[0].batches().iter().map(RecordBatch::num_rows).sum();
    assert_eq!(rows, table.num_rows(), "rows of {:?}", table.schema());
    if table.num_columns() == 0 || rows == 0 {
        return;
    }
    let schema = found.tables[0].schema().clone();
    let whole = concat_batches(&schema, found.tables[0].batches());
    let read: Option<RecordBatch> = whole.as_ref().ok().cloned();
    assert!(read.is_some(), "the batches do not fit together: {:?}", whole.err());
    for (index, field) in table.schema().fields().iter().enumerate() {
        let same = read.as_ref().is_some_and(|read| read.column(index) == table.column(index));
        let found = read.as_ref().map(|read| read.column(index).clone());
        assert!(same, "{field:?} is not what it was: {:?}, {found:?}", table.column(index));
    }
}

fn write_arrow(table: &RecordBatch, choices: &mut Choices<'_>) -> Option<Vec<u8>> {
    let compressions = [None, Some(CompressionType::LZ4_FRAME), Some(CompressionType::ZSTD)];
    let alignment = choices.one_of(&[8, 16, 64]);
    let options = IpcWriteOptions::try_new(alignment, false, MetadataVersion::V5).ok()?;
    let options = options.try_with_compression(choices.one_of(&compressions)).ok()?;
    let schema = table.schema();
    let is_file = choices.one_in(2);
    let stretches = stretches(table, choices);
    if is_file {
        let mut writer = FileWriter::try_new_with_options(Vec::new(), &schema, options).ok()?;
        stretches.iter().try_for_each(|batch| writer.write(batch)).ok()?;
        return writer.into_inner().ok();
    }
    let mut writer = StreamWriter::try_new_with_options(Vec::new(), &schema, options).ok()?;
    stretches.iter().try_for_each(|batch| writer.write(batch)).ok()?;
    writer.into_inner().ok()
}

fn write_parquet(table: &RecordBatch, choices: &mut Choices<'_>) -> Option<Vec<u8>> {
    let codecs = [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(Default::default()),
        Compression::BROTLI(Default::default()),
        Compression::ZSTD(Default::default()),
        Compression::LZ4_RAW,
        Compression::LZ4,
    ];
    let version = choices.one_of(&[WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0]);
    let statistics = choices.one_of(&[
        EnabledStatistics::None,
        EnabledStatistics::Chunk,
        EnabledStatistics::Page,
    ]);
    let mut properties = WriterProperties::builder()
        .set_writer_version(version)
        .set_compression(choices.one_of(&codecs))
        .set_dictionary_enabled(choices.one_in(2))
        .set_statistics_enabled(statistics)
        .set_bloom_filter_enabled(choices.one_in(4))
        .set_data_page_size_limit(choices.one_of(&[64, 1024, 1 << 20]))
        .set_data_page_row_count_limit(choices.one_of(&[20, 300, 20_000]))
        .set_dictionary_page_size_limit(choices.one_of(&[32, 1024, 1 << 20]))
        .set_write_batch_size(choices.one_of(&[7, 64, 1024]))
        .set_max_row_group_row_count(Some(choices.one_of(&[10, 500, 1 << 20])));
    for field in table.schema().fields() {
        if let Some(encoding) = encoding(field.data_type(), choices) {
            properties =
                properties.set_column_encoding(ColumnPath::from(field.name().as_str()), encoding);
        }
    }
    let mut writer =
        ArrowWriter::try_new(Vec::new(), table.schema(), Some(properties.build())).ok()?;
    for batch in stretches(table, choices) {
        writer.write(&batch).ok()?;
    }
    writer.into_inner().ok()
}

/// An encoding that a column of this type may have; `None` for the usual one.
fn encoding(data_type: &DataType, choices: &mut Choices<'_>) -> Option<Encoding> {
    use Encoding::{
        BYTE_STREAM_SPLIT, DELTA_BINARY_PACKED, DELTA_BYTE_ARRAY, DELTA_LENGTH_BYTE_ARRAY, PLAIN,
        RLE,
    };
    let all: &[Encoding] = match data_type {
        DataType::Boolean => &[PLAIN, RLE],
        DataType::Float32 | DataType::Float64 => &[PLAIN, BYTE_STREAM_SPLIT],
        DataType::Int32 | DataType::Int64 | DataType::UInt32 | DataType::Date32 => {
            &[PLAIN, DELTA_BINARY_PACKED, BYTE_STREAM_SPLIT]
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Binary | DataType::LargeBinary => {
            &[PLAIN, DELTA_LENGTH_BYTE_ARRAY, DELTA_BYTE_ARRAY]
        }
        DataType::FixedSizeBinary(_) => &[PLAIN, DELTA_BYTE_ARRAY, BYTE_STREAM_SPLIT],
        _ => return None,
    };
    choices.one_in(2).then(|| choices.one_of(all))
}

fn write_orc(table: &RecordBatch, choices: &mut Choices<'_>) -> Option<Vec<u8>> {
    let mut file = Vec::new();
    let mut builder = ArrowWriterBuilder::new(&mut file, table.schema())
        .with_batch_size(choices.one_of(&[1, 50, 1024]))
        .with_stripe_byte_size(choices.one_of(&[1, 4096, 64 << 20]));
    if choices.one_in(2) {
        use orc_rust::compression::CompressionType as Codec;
        let codecs = [Codec::Zlib, Codec::Snappy, Codec::Lz4, Codec::Zstd];
        builder = builder
            .with_compression(choices.one_of(&codecs))
            .with_compression_block_size(choices.one_of(&[64, 1024, 256 << 10]));
    }
    let mut writer = builder.try_build().ok()?;
    for batch in stretches(table, choices) {
        writer.write(&batch).ok()?;
    }
    writer.close().ok()?;
    Some(file)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, StringRunBuilder};
    use arrow::datatypes::Int32Type;

    use std::collections::BTreeMap;

    use super::*;

    /// Choices from a seed, as the tests of the boundaries make them.
    fn noise(seed: u64) -> Vec<u8> {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        };
        (0..2000).map(|_| next()).collect()
    }

    /// What is made and written, of so many tries, and the types that were refused.
    fn written_of(family: Family, write: Write) -> (usize, BTreeMap<String, usize>) {
        let mut written = 0;
        let mut refused = BTreeMap::new();
        for seed in 1..=200 {
            let bytes = noise(seed);
            let mut choices = Choices::new(&bytes);
            let made = table(&mut choices, family);
            assert!(made.is_some(), "seed {seed}");
            let Some(table) = made else { continue };
            match write(&table, &mut choices) {
                Some(_) => written += 1,
                None => {
                    let types = table
                        .schema()
                        .fields()
                        .iter()
                        .map(|f| f.data_type().to_string())
                        .collect::<Vec<_>>();
                    *refused.entry(types.join(", ")).or_default() += 1;
                }
            }
        }
        (written, refused)
    }

    #[test]
    fn most_tables_can_be_made_and_written() {
        for (family, write) in [
            (Family::Arrow, write_arrow as Write),
            (Family::Parquet, write_parquet),
            (Family::Orc, write_orc),
        ] {
            let (written, refused) = written_of(family, write);
            assert!(written > 190, "{family:?}: {written} of 200, not {refused:#?}");
        }
    }

    #[test]
    fn runs_of_no_rows_are_read() {
        let mut runs = StringRunBuilder::<Int32Type>::new();
        runs.extend([Some("a"), Some("a"), None]);
        let column = Arc::new(runs.finish()) as ArrayRef;
        let table = RecordBatch::try_from_iter([("c", column)]).unwrap();
        let mut writer = StreamWriter::try_new(Vec::new(), &table.schema()).unwrap();
        writer.write(&table).unwrap();
        writer.write(&table.slice(3, 0)).unwrap();
        reads_back(&writer.into_inner().unwrap(), FileType::Arrow, &table);
    }
}

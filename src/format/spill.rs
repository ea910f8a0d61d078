//! Tables as files for ourselves: Arrow streams without compression, so that reading one back maps
//! the file and copies nothing. (The stream, not the file format: batches may each bring their own
//! dictionaries.)

use std::io::{BufWriter, Write};

use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamDecoder;
use arrow::ipc::root_as_message;
use arrow::ipc::writer::StreamWriter;
use bytes::Bytes;

use crate::error::Result;
use crate::table::Table;

/// Writes a table's columns and rows; its name is not among them.
pub fn write(table: &Table, out: impl Write) -> Result<()> {
    let failed = |error: ArrowError| std::io::Error::other(error.to_string());
    let mut writer = StreamWriter::try_new(BufWriter::new(out), table.schema()).map_err(failed)?;
    table.each_batch(&mut |batch| {
        writer.write(batch).map_err(failed)?;
        Ok(true)
    })?;
    writer.finish().map_err(failed)?;
    writer.into_inner().map_err(failed)?.flush()?;
    Ok(())
}

/// Whether these are messages as [`write()`] makes them: whole, and without compression, so that reading
/// them takes no memory to speak of. What the arrays hold is for [`read`] to see.
pub fn check(bytes: &[u8]) -> Result<(), ArrowError> {
    let wrong = |what: &str| ArrowError::IpcError(what.into());
    let cut_off = || wrong("a table is cut off");
    let mut rest = bytes;
    loop {
        let (head, behind) = rest.split_first_chunk::<8>().ok_or_else(cut_off)?;
        let [a, b, c, d, length @ ..] = *head;
        if [a, b, c, d] != [0xff; 4] {
            return Err(wrong("got no message, expected its first bytes ff ff ff ff"));
        }
        let length = u32::from_le_bytes(length) as usize;
        if length == 0 {
            return match behind.is_empty() {
                true => Ok(()),
                false => Err(wrong("bytes follow the end of the table")),
            };
        }
        let metadata = behind.get(..length).ok_or_else(cut_off)?;
        let message = root_as_message(metadata).map_err(|error| wrong(&error.to_string()))?;
        let dictionary = message.header_as_dictionary_batch().and_then(|batch| batch.data());
        let batch = message.header_as_record_batch().or(dictionary);
        if batch.is_some_and(|batch| batch.compression().is_some()) {
            return Err(wrong("a table is compressed, expected it as it is"));
        }
        let body = usize::try_from(message.bodyLength()).ok();
        let end = body.and_then(|body| body.checked_add(length)).ok_or_else(cut_off)?;
        rest = behind.get(end..).ok_or_else(cut_off)?;
    }
}

/// Reads columns and rows back; arrays point into `bytes`. Every array is validated: lengths, offsets,
/// texts, keys of dictionaries.
pub fn read(bytes: Bytes) -> Result<(SchemaRef, Vec<RecordBatch>), ArrowError> {
    let mut buffer = Buffer::from(bytes);
    check(&buffer)?;
    // Copying what is not aligned would take memory.
    let mut decoder = StreamDecoder::new().with_require_alignment(true);
    let mut batches = Vec::new();
    while !buffer.is_empty() {
        batches.extend(decoder.decode(&mut buffer)?);
    }
    let cut_off = || ArrowError::IpcError("a table is cut off".into());
    let schema = decoder.schema().ok_or_else(cut_off)?;
    decoder.finish()?;
    Ok((schema, batches))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        ArrayRef, DictionaryArray, Int64Array, ListArray, StringArray, StringViewArray,
    };
    use arrow::datatypes::{Int32Type, Int64Type};
    use arrow::ipc::CompressionType;
    use arrow::ipc::writer::IpcWriteOptions;

    use super::*;
    use crate::guard::guarded;
    use crate::report::{Code, Issue, Stage};

    fn batch() -> RecordBatch {
        let keys: DictionaryArray<Int32Type> = [Some("x"), None, Some("y")].into_iter().collect();
        let lists = [Some(vec![Some(1), None]), None, Some(vec![])];
        RecordBatch::try_from_iter([
            ("n", Arc::new(Int64Array::from(vec![Some(1), None, Some(3)])) as ArrayRef),
            ("t", Arc::new(StringArray::from(vec!["ä", "", "abc"]))),
            ("v", Arc::new(StringViewArray::from(vec!["a", "longer than twelve bytes", "b"]))),
            ("k", Arc::new(keys)),
            ("l", Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(lists))),
        ])
        .unwrap()
    }

    fn written() -> Vec<u8> {
        let mut bytes = Vec::new();
        let table = Table::new("t", batch().schema(), vec![batch(), batch()]);
        write(&table, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(read(written().into()).unwrap().1, [batch(), batch()]);
    }

    #[test]
    fn what_is_compressed_or_cut_is_refused() {
        let codec = Some(CompressionType::LZ4_FRAME);
        let options = IpcWriteOptions::default().try_with_compression(codec).unwrap();
        let mut out = Vec::new();
        let mut writer =
            StreamWriter::try_new_with_options(&mut out, &batch().schema(), options).unwrap();
        writer.write(&batch()).unwrap();
        writer.finish().unwrap();
        drop(writer);
        let error = read(out.into()).unwrap_err().to_string();
        assert!(error.contains("compressed"), "{error}");
        let bytes = written();
        for length in (0..bytes.len()).step_by(7) {
            assert!(read(bytes[..length].to_vec().into()).is_err(), "{length}");
        }
    }

    #[test]
    fn whatever_the_bytes_reading_them_ends_well() {
        let bytes = written();
        for place in 0..bytes.len() {
            for value in [0x00, 0x7f, 0x80, 0xff] {
                let mut damaged = bytes.clone();
                damaged[place] = value;
                let read = guarded(Stage::Parse, "table", || {
                    let read = read(damaged.into());
                    read.map_err(|error| {
                        Issue::error(Stage::Parse, Code::Corrupt, error.to_string()).into()
                    })
                });
                let Ok((_, batches)) = read else { continue };
                for batch in batches {
                    for column in batch.columns() {
                        column.to_data().validate_full().unwrap();
                    }
                }
            }
        }
    }
}

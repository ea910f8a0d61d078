//! Compressions put on and taken off, to damage what is inside.

use std::io::{Cursor, Read, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::choices::Choices;
use crate::options::Compression;

/// What inflates to more is left as it is: bombs are tested as they are.
const MOST_INFLATED: u64 = 4 << 20;
const MOST_MEMBERS: usize = 100;

/// What was found inside of one layer.
pub(super) enum Inside {
    /// The bytes of a stream.
    Stream(Compression, Vec<u8>),
    /// The members of an archive.
    Members(Vec<(String, Vec<u8>)>),
}

/// Takes off one layer; `None` where there is none, or where it holds too much or cannot be read.
pub(super) fn open(bytes: &[u8]) -> Option<Inside> {
    let stream =
        |compression, reader: &mut dyn Read| Some(Inside::Stream(compression, whole(reader)?));
    if bytes.starts_with(&[0x1f, 0x8b]) {
        return stream(Compression::Gzip, &mut flate2::read::MultiGzDecoder::new(bytes));
    }
    if bytes.starts_with(b"BZh") {
        return stream(Compression::Bz2, &mut bzip2::read::MultiBzDecoder::new(bytes));
    }
    if bytes.starts_with(b"\xfd7zXZ\0") {
        return stream(Compression::Xz, &mut xz2::read::XzDecoder::new_multi_decoder(bytes));
    }
    if bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        return stream(Compression::Zstd, &mut zstd::stream::read::Decoder::new(bytes).ok()?);
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return members(bytes);
    }
    None
}

fn whole(reader: &mut dyn Read) -> Option<Vec<u8>> {
    let mut found = Vec::new();
    reader.take(MOST_INFLATED + 1).read_to_end(&mut found).ok()?;
    (found.len() as u64 <= MOST_INFLATED).then_some(found)
}

fn members(bytes: &[u8]) -> Option<Inside> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).ok()?;
    if archive.len() > MOST_MEMBERS {
        return None;
    }
    let mut members = Vec::new();
    let mut left = MOST_INFLATED;
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).ok()?;
        let name = String::from_utf8_lossy(file.name_raw()).into_owned();
        let bytes = whole(&mut file)?;
        left = left.checked_sub(bytes.len() as u64)?;
        members.push((name, bytes));
    }
    Some(Inside::Members(members))
}

impl Inside {
    /// One of the things inside.
    pub(super) fn choose(&mut self, choices: &mut Choices<'_>) -> Option<&mut Vec<u8>> {
        match self {
            Inside::Stream(_, bytes) => Some(bytes),
            Inside::Members(members) => {
                let index = choices.below(members.len());
                members.get_mut(index).map(|(_, bytes)| bytes)
            }
        }
    }

    /// The layer put on again.
    pub(super) fn wrap(&self, choices: &mut Choices<'_>) -> Option<Vec<u8>> {
        match self {
            Inside::Stream(compression, bytes) => compress(*compression, bytes),
            Inside::Members(members) => archive(members, choices),
        }
    }
}

/// One stream of a compression, quickly made; `None` for zip, which is none.
pub(super) fn compress(compression: Compression, bytes: &[u8]) -> Option<Vec<u8>> {
    match compression {
        Compression::Gzip => {
            let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            writer.write_all(bytes).ok()?;
            writer.finish().ok()
        }
        Compression::Bz2 => {
            let mut writer = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
            writer.write_all(bytes).ok()?;
            writer.finish().ok()
        }
        Compression::Xz => {
            let mut writer = xz2::write::XzEncoder::new(Vec::new(), 0);
            writer.write_all(bytes).ok()?;
            writer.finish().ok()
        }
        Compression::Zstd => zstd::stream::encode_all(bytes, 1).ok(),
        _ => None,
    }
}

/// A zip of these members; choices say which are deflated.
pub(super) fn archive(members: &[(String, Vec<u8>)], choices: &mut Choices<'_>) -> Option<Vec<u8>> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        let method = match choices.one_in(2) {
            true => CompressionMethod::Deflated,
            false => CompressionMethod::Stored,
        };
        let options = SimpleFileOptions::default().compression_method(method);
        match name.strip_suffix('/') {
            Some(folder) => writer.add_directory(folder, options).ok()?,
            None => {
                writer.start_file(name.as_str(), options).ok()?;
                writer.write_all(bytes).ok()?;
            }
        }
    }
    Some(writer.finish().ok()?.into_inner())
}

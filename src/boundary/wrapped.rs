//! Texts in nested compressions and archives: undamaged they give the rows of the text, damaged they
//! do no harm.

use super::choices::Choices;
use super::damage::{damage, damage_inside};
use super::wrapping::{archive, compress};
use super::{decompress, limits};
use crate::options::Compression;
use crate::{Error, ErrorKind, Options, Source, ingest};

/// A tar is made of blocks of so many bytes.
const BLOCK: usize = 512;
/// What a stream may be of: as many members, streams or frames as the choices say.
const STREAMS: &[Compression] =
    &[Compression::Gzip, Compression::Bz2, Compression::Xz, Compression::Zstd];

/// A text in up to three layers of compressions and archives of random parts; then damaged.
pub fn written_wrapping(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let damages = choices.below(8);
    let text = text(&mut choices);
    let mut wrapped = text.clone();
    let mut has_tar = false;
    for _ in 0..=choices.below(3) {
        let Some(layer) = layer(&wrapped, &mut choices, &mut has_tar) else { return };
        wrapped = layer;
    }
    let found = rows(&wrapped);
    let is_refused =
        has_tar && found.as_ref().is_err_and(|error| error.kind() == ErrorKind::Unsupported);
    if !is_refused {
        let expected = rows(&text);
        assert!(found.is_ok() && expected.is_ok(), "what was wrapped cannot be read: {found:?}");
        assert_eq!(found.ok(), expected.ok(), "rows are lost in a wrapping");
    }
    for turn in 0..damages {
        if turn % 2 == 0 {
            let mut damaged = wrapped.clone();
            damage(&mut damaged, &mut choices, &wrapped);
            decompress(&damaged);
        } else {
            decompress(&damage_inside(&wrapped, &mut choices, &wrapped));
        }
    }
}

fn rows(bytes: &[u8]) -> Result<u64, Error> {
    let found = ingest(Source::bytes(bytes.to_vec()), &Options::default(), &limits())?;
    Ok(found.tables.iter().map(|table| table.num_rows()).sum())
}

fn text(choices: &mut Choices<'_>) -> Vec<u8> {
    let mut text = String::from("id,name\n");
    let rows = 1 + choices.below(2000);
    let mut state = choices.number() | 1;
    for row in 0..rows {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        text.push_str(&format!("{row},x{:x}\n", state >> (row % 60)));
    }
    text.into_bytes()
}

fn layer(bytes: &[u8], choices: &mut Choices<'_>, has_tar: &mut bool) -> Option<Vec<u8>> {
    match choices.below(7) {
        kind @ 0..=3 => {
            let mut wrapped = Vec::new();
            for piece in pieces(bytes, choices) {
                wrapped.extend(compress(STREAMS[kind], piece)?);
            }
            Some(wrapped)
        }
        4 => {
            let mut wrapped = Vec::new();
            for piece in bytes.chunks(60_000) {
                wrapped.extend(bgzf_block(piece)?);
            }
            wrapped.extend(bgzf_block(&[])?);
            Some(wrapped)
        }
        5 => {
            let litter = ["__MACOSX/._data.csv", ".DS_Store", "folder/"];
            let mut members = Vec::new();
            for name in litter {
                if choices.one_in(3) {
                    members.push((name.to_owned(), b"litter".to_vec()));
                }
            }
            members.push((inner_name(bytes).to_owned(), bytes.to_vec()));
            archive(&members, choices)
        }
        _ => {
            *has_tar = true;
            let mut tar = tar_member(inner_name(bytes), bytes);
            tar.resize(tar.len() + 2 * BLOCK, 0);
            Some(tar)
        }
    }
}

/// One to four pieces, as members of gzip or frames of zstd are written one after the other.
fn pieces<'a>(bytes: &'a [u8], choices: &mut Choices<'_>) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    let mut rest = bytes;
    for _ in 0..choices.below(4) {
        let (piece, more) = rest.split_at(choices.below(rest.len() + 1));
        pieces.push(piece);
        rest = more;
    }
    pieces.push(rest);
    pieces
}

/// A name whose extension says that the member is to be read.
fn inner_name(bytes: &[u8]) -> &'static str {
    match bytes.first() {
        Some(0x1f) => "data.csv.gz",
        Some(b'B') => "data.csv.bz2",
        Some(0xfd) => "data.csv.xz",
        Some(0x28) => "data.csv.zst",
        _ => "data.csv",
    }
}

/// A gzip member that gives its own length in an extra field, as bgzip writes them.
fn bgzf_block(bytes: &[u8]) -> Option<Vec<u8>> {
    let plain = compress(Compression::Gzip, bytes)?;
    let (head, rest) = plain.split_at_checked(10)?;
    let mut block = head.to_vec();
    *block.get_mut(3)? = 4;
    let length = u16::try_from(plain.len() + 8 - 1).ok()?;
    block.extend_from_slice(&[6, 0, b'B', b'C', 2, 0]);
    block.extend_from_slice(&length.to_le_bytes());
    block.extend_from_slice(rest);
    Some(block)
}

fn tar_member(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut head = [0; BLOCK];
    let mut put = |at: usize, text: &str| {
        head[at..at + text.len()].copy_from_slice(text.as_bytes());
    };
    put(0, name);
    put(100, "0000644");
    put(108, "0000000");
    put(116, "0000000");
    put(124, &format!("{:011o}", bytes.len()));
    put(136, "00000000000");
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\x0000");
    let sum: u32 = head.iter().map(|byte| u32::from(*byte)).sum();
    head[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut member = head.to_vec();
    member.extend_from_slice(bytes);
    member.resize(member.len().next_multiple_of(BLOCK), 0);
    member
}

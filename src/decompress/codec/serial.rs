//! One piece after the other, as the decoders of other crates read them.

use std::io::{ErrorKind as IoKind, Read};

use bytes::Bytes;

use super::{Damage, Out, Stop, read_damage, read_error};
use crate::error::Result;
use crate::options::Compression;
use crate::report::{Code, Issue, Stage};
use crate::source::Spool;

use super::super::Cut;
use super::super::budget::Budget;

/// A decoder's bytes are held back so long: a small piece that is damaged then gives nothing of what
/// nobody checked.
const HELD_BYTES: usize = 1 << 20;

/// So much is asked of a decoder at once: it fits the caches.
const PIECE: usize = 256 << 10;

/// A check sum that does not fit may not be used up yet; nothing that is shorter follows it.
const CHECK_BYTES: usize = 8;

/// What a decoder still has of its input.
pub(super) trait Rest: Read {
    /// The bytes that it did not use up.
    fn rest(&self) -> usize;
}

macro_rules! rests {
    ($($decoder:ty),*) => {
        $(impl Rest for $decoder {
            fn rest(&self) -> usize {
                self.get_ref().len()
            }
        })*
    };
}

rests!(flate2::bufread::GzDecoder<&[u8]>, xz2::bufread::XzDecoder<&[u8]>);
rests!(::zstd::stream::read::Decoder<'_, &[u8]>);

/// Gives what the decoder makes of one member, stream or frame; answers where that ends.
///
/// Data that ends too early is right up to there. A check at the very end that does not fit leaves all
/// of the data, and the doubt. After any other damage what came out is not given, or not relied on.
pub(super) fn drain(mut decoder: impl Rest, of: usize, out: &mut Out<'_>) -> Result<usize, Stop> {
    let mut held = Vec::new();
    let mut holding = true;
    let mut buffer = vec![0; PIECE];
    loop {
        match decoder.read(&mut buffer) {
            Ok(0) => {
                out.give(&mut held)?;
                return Ok(of - decoder.rest());
            }
            Ok(read) if holding && held.len() + read <= HELD_BYTES => {
                held.extend_from_slice(&buffer[..read]);
            }
            Ok(read) => {
                out.give(&mut held)?;
                (held, holding) = (Vec::new(), false);
                buffer.truncate(read);
                out.give(&mut buffer)?;
                buffer.resize(PIECE, 0);
                out.done(of - decoder.rest())?;
            }
            Err(error) if error.kind() == IoKind::Interrupted => {}
            Err(error) => {
                let mut damage = read_damage(&error, of - decoder.rest(), of);
                let at_the_end = damage.text.contains("matching checksum")
                    || damage.text.contains("match checksum");
                if damage.code == Code::Truncated || at_the_end {
                    damage.whole_before = true;
                    damage.anywhere = at_the_end;
                    // zstd says so before it has given the last bytes.
                    let has_given_all = damage.text.contains("matching checksum");
                    damage.all_there = has_given_all && decoder.rest() <= CHECK_BYTES;
                    out.give(&mut held)?;
                } else {
                    damage.whole_before = holding;
                }
                return Err(damage.into());
            }
        }
    }
}

/// Inflates a member of a zip under the budget of all. One whose check sum does not fit comes out, with
/// the doubt. `size` is what it should inflate to.
pub(in super::super) fn inflate_member(
    decoder: impl Read,
    compressed: u64,
    size: u64,
    spool: &mut Spool,
    budget: &mut Budget<'_>,
) -> Result<Option<Cut>> {
    match inflate(decoder, spool, budget)? {
        Some(error) if error.to_string() == WRONG_SUM && spool.len() > 0 => {
            Ok(Some(doubtful(spool.len(), size)))
        }
        Some(error) => Err(read_error(Compression::Zip, &error, 0, compressed as usize)),
        None => Ok(None),
    }
}

fn inflate_all(
    decoder: impl Read,
    compressed: u64,
    spool: &mut Spool,
    budget: &mut Budget<'_>,
) -> Result<()> {
    let error = inflate(decoder, spool, budget)?;
    let failed = |error| Err(read_error(Compression::Zip, &error, 0, compressed as usize));
    error.map_or(Ok(()), failed)
}

/// Gives the decoder's own error, if it comes to one.
fn inflate(
    mut decoder: impl Read,
    spool: &mut Spool,
    budget: &mut Budget<'_>,
) -> Result<Option<std::io::Error>> {
    let mut buffer = vec![0; PIECE];
    loop {
        match decoder.read(&mut buffer) {
            Ok(0) => return Ok(None),
            Ok(read) => {
                budget.spend(read as u64)?;
                spool.write(&buffer[..read])?;
            }
            Err(error) if error.kind() == IoKind::Interrupted => {}
            Err(error) => return Ok(Some(error)),
        }
    }
}

/// What the zip reader below us says of a check sum.
const WRONG_SUM: &str = "Invalid checksum";

/// The doubt about a member whose check sum does not fit.
fn doubtful(given: u64, size: u64) -> Cut {
    let message = format!(
        "the zip data is damaged: its check sum does not fit; the {given} bytes that came out may be \
         wrong anywhere"
    );
    let issue = Issue::error(Stage::Decompress, Code::Corrupt, message)
        .hint("fetch or upload the file again");
    Cut { issue, is_whole: given == size }
}

/// Inflates a zip member by the methods that the zip reader below us has not; `None` if neither have
/// we. `inflated` is the size that the archive gives.
pub(in super::super) fn inflate_method(
    method: u16,
    bytes: &[u8],
    inflated: u64,
    spool: &mut Spool,
    budget: &mut Budget<'_>,
) -> Option<Result<()>> {
    let failed = |error| Err(read_error(Compression::Zip, &error, 0, bytes.len()));
    let compressed = bytes.len() as u64;
    Some(match method {
        93 => match ::zstd::stream::read::Decoder::with_buffer(bytes) {
            Ok(decoder) => inflate_all(decoder, compressed, spool, budget),
            Err(error) => failed(error),
        },
        95 => {
            match xz2::stream::Stream::new_stream_decoder(
                super::xz::MEMORY,
                xz2::stream::CONCATENATED,
            ) {
                Ok(stream) => {
                    let decoder = xz2::bufread::XzDecoder::new_stream(bytes, stream);
                    inflate_all(decoder, compressed, spool, budget)
                }
                Err(error) => failed(error.into()),
            }
        }
        14 => {
            // Version and size of the properties come first; the rest is what an .lzma file has, but
            // for the size, which stands in the directory.
            let Some((head, data)) = bytes.split_at_checked(9).filter(|(head, _)| head[2] == 5)
            else {
                return Some(failed(std::io::Error::other("no lzma properties")));
            };
            let mut header = head[4..9].to_vec();
            header.extend_from_slice(&inflated.to_le_bytes());
            match xz2::stream::Stream::new_lzma_decoder(super::xz::MEMORY) {
                Ok(stream) => {
                    let whole = std::io::BufReader::new(Read::chain(&header[..], data));
                    let decoder = xz2::bufread::XzDecoder::new_stream(whole, stream);
                    inflate_all(decoder, compressed, spool, budget)
                }
                Err(error) => failed(error.into()),
            }
        }
        _ => return None,
    })
}

/// How a member ends whose size nobody has told.
pub(in super::super) enum End {
    /// It is so long.
    At(usize),
    /// Not before the bytes do.
    Cut,
}

/// Inflates a member whose size nobody has told.
pub(in super::super) fn inflate_deflated(
    bytes: &[u8],
    spool: &mut Spool,
    budget: &mut Budget<'_>,
) -> Result<End> {
    let mut decoder = flate2::Decompress::new(false);
    let mut buffer = vec![0; PIECE];
    loop {
        let (used, given) = (decoder.total_in(), decoder.total_out());
        let rest = bytes.get(used as usize..).unwrap_or_default();
        let status = decoder.decompress(rest, &mut buffer, flate2::FlushDecompress::None);
        let given = (decoder.total_out() - given) as usize;
        budget.spend(given as u64)?;
        spool.write(&buffer[..given])?;
        match status {
            Ok(flate2::Status::StreamEnd) => return Ok(End::At(decoder.total_in() as usize)),
            Ok(_) if given > 0 || decoder.total_in() > used => {}
            Ok(_) => return Ok(End::Cut),
            Err(error) => {
                return Err(read_error(Compression::Zip, &error.into(), 0, bytes.len()));
            }
        }
    }
}

/// The check sum of zip, of gzip, and of the pages of Parquet.
pub fn check_sum(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// A member against its check sum and its size, and what is to be said of it.
pub(in super::super) fn checked_member(bytes: Bytes, sum: u32, size: u64) -> (Bytes, Option<Cut>) {
    let cut = (check_sum(&bytes) != sum).then(|| doubtful(bytes.len() as u64, size));
    (bytes, cut)
}

/// All that a decoder gives, at most `most` bytes.
pub(super) fn at_most(decoder: impl Read, most: usize, into: &mut Vec<u8>) -> std::io::Result<()> {
    let before = into.len();
    decoder.take(most as u64 + 1).read_to_end(into)?;
    if into.len() - before > most {
        return Err(std::io::Error::other("more comes out than its blocks can hold"));
    }
    Ok(())
}

/// The damage of a piece that was inflated on its own.
pub(super) fn piece_damage(error: &std::io::Error, at: usize) -> Damage {
    let damage = read_damage(error, at, usize::MAX);
    let cut = damage.code == Code::Truncated;
    let text = if cut { error.to_string() } else { damage.text };
    let code = if cut { Code::Corrupt } else { damage.code };
    Damage { whole_before: true, code, text, ..damage }
}

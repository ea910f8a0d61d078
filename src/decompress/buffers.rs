//! Single buffers of known size, as Arrow compresses them.

use std::io::Read;

use lz4_flex::block::{decompress_into, decompress_into_with_dict};

/// How a buffer is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BufferCodec {
    /// An LZ4 frame.
    Lz4Frame,
    /// A Zstandard frame.
    Zstd,
}

/// Inflates buffers one after the other.
#[derive(Default)]
pub struct BufferInflater {
    zstd: Option<zstd::bulk::Decompressor<'static>>,
}

impl BufferInflater {
    /// Fills `room`, which must be as long as the buffer was. The message says what is wrong.
    pub fn inflate(
        &mut self,
        codec: BufferCodec,
        bytes: &[u8],
        room: &mut [u8],
    ) -> Result<(), String> {
        let filled = match codec {
            BufferCodec::Lz4Frame => lz4_frame(bytes, room)?,
            BufferCodec::Zstd => {
                let zstd = match &mut self.zstd {
                    Some(zstd) => zstd,
                    none => none.insert(zstd::bulk::Decompressor::new().map_err(text)?),
                };
                zstd.decompress_to_buffer(bytes, room).map_err(text)?
            }
        };
        if filled == room.len() {
            return Ok(());
        }
        Err(format!("a buffer inflates to {filled} bytes, expected are {}", room.len()))
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

const LZ4_MAGIC: [u8; 4] = [0x04, 0x22, 0x4d, 0x18];
/// How far back a block may refer.
const WINDOW: usize = 64 << 10;
const RAW_BLOCK: u32 = 1 << 31;

/// A frame, block after block straight to where it belongs. Gives how many bytes came out.
fn lz4_frame(bytes: &[u8], room: &mut [u8]) -> Result<usize, String> {
    let cut = || "an lz4 frame ends early".to_owned();
    let head = bytes.first_chunk::<6>().ok_or_else(cut)?;
    let [_, _, _, _, flags, _] = *head;
    let has = |bit: u8| flags >> bit & 1 == 1;
    let (independent, block_sums, size, content_sum, dictionary) =
        (has(5), has(4), has(3), has(2), has(0));
    if head[..4] != LZ4_MAGIC || flags >> 6 != 1 {
        return Err("the bytes are no lz4 frame".into());
    }
    if block_sums || content_sum || dictionary {
        return summed(bytes, room);
    }
    let mut rest = bytes.get(if size { 15 } else { 7 }..).ok_or_else(cut)?;
    let mut filled = 0;
    loop {
        let (word, behind) = rest.split_first_chunk::<4>().ok_or_else(cut)?;
        let word = u32::from_le_bytes(*word);
        if word == 0 {
            return Ok(filled);
        }
        let length = (word & !RAW_BLOCK) as usize;
        let (block, behind) = behind.split_at_checked(length).ok_or_else(cut)?;
        let (before, target) = room.split_at_mut(filled);
        filled += if word & RAW_BLOCK != 0 {
            let too_long = || "an lz4 frame has more bytes than it should".to_owned();
            target.get_mut(..length).ok_or_else(too_long)?.copy_from_slice(block);
            length
        } else if independent || before.is_empty() {
            decompress_into(block, target).map_err(text)?
        } else {
            let window = &before[before.len().saturating_sub(WINDOW)..];
            decompress_into_with_dict(block, target, window).map_err(text)?
        };
        rest = behind;
    }
}

/// A frame with checksums, which the frame's own reader compares.
fn summed(bytes: &[u8], room: &mut [u8]) -> Result<usize, String> {
    let mut reader = lz4_flex::frame::FrameDecoder::new(bytes);
    reader.read_exact(room).map_err(text)?;
    // The checksum of the whole is compared at the end, which must be read too.
    match reader.read(&mut [0]).map_err(text)? {
        0 => Ok(room.len()),
        _ => Err("an lz4 frame has more bytes than it should".into()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};

    use super::*;

    fn sample(length: usize) -> Vec<u8> {
        (0..length).map(|at| ((at / 7) ^ (at >> 9)) as u8).collect()
    }

    #[test]
    fn frames_of_every_kind() {
        for length in [0, 1, 5, 70_000, 300_000] {
            let data = sample(length);
            for mode in [BlockMode::Independent, BlockMode::Linked] {
                for sums in [false, true] {
                    let info = FrameInfo::new()
                        .block_mode(mode)
                        .block_size(BlockSize::Max64KB)
                        .block_checksums(sums)
                        .content_checksum(sums);
                    let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
                    encoder.write_all(&data).unwrap();
                    let frame = encoder.finish().unwrap();
                    let mut room = vec![0; length];
                    let mut inflater = BufferInflater::default();
                    inflater.inflate(BufferCodec::Lz4Frame, &frame, &mut room).unwrap();
                    assert_eq!(room, data);
                    let mut wrong = vec![0; length + 1];
                    assert!(inflater.inflate(BufferCodec::Lz4Frame, &frame, &mut wrong).is_err());
                    // Where nothing is to come out, the frame's own reader does not look.
                    let cuts = if sums { 0 } else { frame.len().min(40) };
                    for cut in 0..cuts {
                        let codec = BufferCodec::Lz4Frame;
                        assert!(inflater.inflate(codec, &frame[..cut], &mut room).is_err());
                    }
                    if length > 0 {
                        let mut short = vec![0; length - 1];
                        assert!(
                            inflater.inflate(BufferCodec::Lz4Frame, &frame, &mut short).is_err()
                        );
                    }
                }
            }
            let frame = zstd::bulk::compress(&data, 1).unwrap();
            let mut room = vec![0; length];
            let mut inflater = BufferInflater::default();
            inflater.inflate(BufferCodec::Zstd, &frame, &mut room).unwrap();
            assert_eq!(room, data);
            let mut wrong = vec![0; length + 1];
            assert!(inflater.inflate(BufferCodec::Zstd, &frame, &mut wrong).is_err());
        }
    }
}

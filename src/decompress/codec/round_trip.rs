//! Any bytes, in any pieces, whole or damaged: threads change nothing, and nothing is made up.
#![cfg(test)]

use std::io::Write;

use bytes::Bytes;
use proptest::prelude::*;

use super::inflate;
use crate::options::Compression;
use crate::progress::Progress;
use crate::report::Issue;

struct Outcome {
    inflated: Vec<u8>,
    result: Result<(), Issue>,
    cut: Option<(Issue, bool)>,
    issues: Vec<Issue>,
}

fn inflated(compression: Compression, bytes: &[u8], threads: usize) -> Outcome {
    let (mut inflated, mut issues) = (Vec::new(), Vec::new());
    let mut sink = |piece: &mut Vec<u8>| {
        inflated.extend_from_slice(piece);
        Ok(())
    };
    let bytes = Bytes::copy_from_slice(bytes);
    let progress = Progress::default();
    let result = super::inflate(compression, &bytes, threads, &mut sink, &mut issues, &progress);
    let (result, cut) = match result {
        Ok(cut) => (Ok(()), cut.map(|cut| (cut.issue, cut.is_whole))),
        Err(error) => (Err(error.issue().clone()), None),
    };
    Outcome { inflated, result, cut, issues }
}

/// Both ways, which must agree.
fn both(compression: Compression, bytes: &[u8]) -> Outcome {
    let alone = inflated(compression, bytes, 1);
    let shared = inflated(compression, bytes, 3);
    assert_eq!(alone.result, shared.result);
    assert_eq!(alone.cut, shared.cut);
    assert_eq!(alone.issues, shared.issues);
    if alone.result.is_ok() {
        assert!(alone.inflated == shared.inflated);
    }
    alone
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn bgzf(data: &[u8]) -> Vec<u8> {
    blocks(data.chunks(20_000).chain([&[][..]]))
}

fn blocks<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    for block in pieces {
        let mut encoder =
            flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(block).unwrap();
        let deflated = encoder.finish().unwrap();
        let mut crc = flate2::Crc::new();
        crc.update(block);
        out.extend([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, 6, 0, b'B', b'C', 2, 0]);
        out.extend((deflated.len() as u16 + 25).to_le_bytes());
        out.extend(deflated);
        out.extend(crc.sum().to_le_bytes());
        out.extend((block.len() as u32).to_le_bytes());
    }
    out
}

fn bz2(data: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn xz(data: &[u8]) -> Vec<u8> {
    use xz2::stream::{Action, Check, Status, Stream};
    let mut stream = Stream::new_easy_encoder(0, Check::Crc32).unwrap();
    let mut out = Vec::with_capacity(data.len() + 4096);
    let mut run = |mut input: &[u8], action| loop {
        out.reserve(1 << 16);
        let before = stream.total_in();
        let status = stream.process_vec(input, &mut out, action).unwrap();
        input = &input[(stream.total_in() - before) as usize..];
        if status == Status::StreamEnd {
            return;
        }
    };
    for block in data.chunks(60_000) {
        run(block, Action::FullFlush);
    }
    run(&[], Action::Finish);
    out
}

fn zstd(data: &[u8]) -> Vec<u8> {
    let mut encoder = ::zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

type Deflate = fn(&[u8]) -> Vec<u8>;

const WAYS: [(Compression, Deflate); 5] = [
    (Compression::Gzip, gzip),
    (Compression::Gzip, bgzf),
    (Compression::Bz2, bz2),
    (Compression::Xz, xz),
    (Compression::Zstd, zstd),
];

/// Lines that compress a little.
fn lines(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed | 1;
    let mut out = Vec::with_capacity(length + 30);
    while out.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        out.extend(format!("{},{:x}\n", state % 1000, state).bytes());
    }
    out.truncate(length);
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 40 } else { 400 }))]

    #[test]
    fn pieces_and_threads_change_nothing(
        seed in any::<u64>(),
        lengths in proptest::collection::vec(0usize..260_000, 1..4),
        way in 0usize..5,
        damage in 0usize..3,
        place in 0.0f64..1.0,
        flip in 1u8..=255,
    ) {
        let (compression, deflate) = WAYS[way];
        let data: Vec<Vec<u8>> =
            lengths.iter().enumerate().map(|(n, length)| lines(seed ^ n as u64, *length)).collect();
        let mut packed: Vec<u8> = data.iter().flat_map(|piece| deflate(piece)).collect();
        let data = data.concat();
        let at = (packed.len() as f64 * place) as usize;
        match damage {
            0 => {
                let whole = both(compression, &packed);
                prop_assert!(whole.result.is_ok(), "{:?}", whole.result);
                prop_assert!(whole.issues.is_empty(), "{:?}", whole.issues);
                prop_assert!(whole.inflated == data);
            }
            1 => {
                packed.truncate(at.max(12));
                let cut = both(compression, &packed);
                prop_assert!(data.starts_with(&cut.inflated));
                let said = cut.result.is_err() || cut.cut.is_some() || !cut.issues.is_empty();
                // Cut between two members nobody can tell.
                prop_assert!(said || cut.inflated.len() < data.len() || lengths.contains(&0));
            }
            _ => {
                packed[at] ^= flip;
                let flipped = both(compression, &packed);
                let is_cut = flipped.cut.is_some();
                let said = flipped.result.is_err() || is_cut || !flipped.issues.is_empty();
                // Some bits mean nothing: a time, a name, padding.
                prop_assert!(said || flipped.inflated == data);
                if flipped.result.is_ok() && !is_cut {
                    prop_assert!(data.starts_with(&flipped.inflated));
                }
            }
        }
    }
}

/// The list of the bytes that a block uses begins with the mark of a block.
#[test]
fn a_mark_inside_of_a_block_is_passed_over() {
    let bits: u64 = super::bits::BLOCK;
    let used: Vec<u8> =
        (0..48).filter(|bit| bits >> (47 - bit) & 1 == 1).map(|b| 0x40 + b).collect();
    let mixed = lines(5, 450_000).into_iter().enumerate();
    let data: Vec<u8> =
        mixed.map(|(n, byte)| used[(usize::from(byte) * 7 + n) % used.len()]).collect();
    let packed = bz2(&data);
    let mut marks = 0;
    let mut from = 0;
    while let Some(mark) = super::bits::find(&packed, from) {
        (marks, from) = (marks + 1, mark.bit + 1);
    }
    assert!(marks > 2 * 4, "{marks}");
    let whole = both(Compression::Bz2, &packed);
    assert_eq!(whole.result, Ok(()));
    assert!(whole.inflated == data);
}

/// Blocks of one byte over and over make more than is held at a time.
#[test]
fn large_pieces_come_as_they_are_inflated() {
    let data = vec![b'0'; 60 << 20];
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
    encoder.write_all(&data).unwrap();
    for (compression, packed) in
        [(Compression::Bz2, encoder.finish().unwrap()), (Compression::Zstd, zstd(&data))]
    {
        let whole = both(compression, &packed);
        assert_eq!(whole.result, Ok(()));
        assert!(whole.inflated == data);
    }
}

/// What is refused by the taker ends the work at once.
#[test]
fn a_refusal_comes_through() {
    for (compression, deflate) in WAYS {
        let packed = Bytes::from(deflate(&lines(3, 700_000)));
        let mut sink = |_: &mut Vec<u8>| {
            Err(Issue::limit(crate::report::Code::InflatedTooLarge, "enough", "x").into())
        };
        for threads in [1, 3] {
            let result = inflate(
                compression,
                &packed,
                threads,
                &mut sink,
                &mut Vec::new(),
                &Progress::default(),
            );
            let said = result.err().map(|error| error.issue().message.clone());
            assert_eq!(said.as_deref(), Some("enough"));
        }
    }
}

/// Pieces that hold nothing are work too, during which the taker can end it.
#[test]
fn the_taker_is_asked_though_nothing_comes_out() {
    let skippable = [0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0].to_vec();
    let empties = WAYS.map(|(compression, deflate)| (compression, deflate(&[])));
    for (compression, empty) in empties.into_iter().chain([(Compression::Zstd, skippable)]) {
        let packed = Bytes::from(empty.repeat(20_000));
        for threads in [1, 3] {
            let mut asked = 0;
            let mut sink = |piece: &mut Vec<u8>| {
                assert!(piece.is_empty());
                asked += 1;
                let late = || Issue::limit(crate::report::Code::Timeout, "late", "time").into();
                if asked == 3 { Err(late()) } else { Ok(()) }
            };
            let (mut issues, progress) = (Vec::new(), Progress::default());
            let result = inflate(compression, &packed, threads, &mut sink, &mut issues, &progress);
            assert!(result.is_err(), "{compression} {threads}");
        }
    }
}

/// The field of BGZF may be in a member that holds more than a block of it.
#[test]
fn a_member_larger_than_a_block_is_a_member() {
    let data = lines(7, 20_000).repeat(10);
    let all = data.chunks(30_000);
    let mixed = [&data[..10], &data[10..90_010], &data[90_010..140_000], &data[140_000..], &[]];
    for packed in [blocks([&*data].into_iter()), blocks(mixed.into_iter()), blocks(all)] {
        let whole = both(Compression::Gzip, &packed);
        assert_eq!(whole.result, Ok(()));
        assert!(whole.inflated == data && whole.cut.is_none(), "{:?}", whole.cut);
    }
}

/// A check at the very end that does not fit leaves all there is, and its end.
#[test]
fn a_check_at_the_end_leaves_the_end_whole() {
    let data = lines(9, 50_000);
    let (mut gzip, mut bz2) = (gzip(&data), bz2(&data));
    let length = gzip.len();
    gzip[length - 8] ^= 1;
    let end = super::bits::find(&bz2, bz2.len() as u64 * 8 - 90).unwrap();
    assert!(end.end);
    bz2[(end.bit / 8) as usize + 8] ^= 1;
    for (compression, packed) in [(Compression::Gzip, gzip), (Compression::Bz2, bz2)] {
        let whole = both(compression, &packed);
        assert!(whole.inflated == data, "{compression}");
        assert!(whole.cut.is_some_and(|(_, is_whole)| is_whole), "{compression}");
        let cut = both(compression, &packed[..packed.len() - 6]);
        assert!(cut.cut.is_some_and(|(_, is_whole)| !is_whole), "{compression}");
    }
}

/// What needs more memory than is given, or a dictionary, is sound.
#[test]
fn what_is_not_read_is_not_called_damaged() {
    // A frame with a window of 1 GiB; one that names a dictionary.
    let window = [0x28, 0xb5, 0x2f, 0xfd, 0, 0xa0, 0x09, 0, 0, b'a'].to_vec();
    let named = [0x28, 0xb5, 0x2f, 0xfd, 0x21, 7, 1, 0x09, 0, 0, b'a'].to_vec();
    for (packed, what) in [(window, "window of more than 128 MiB"), (named, "dictionary")] {
        let issue = both(Compression::Zstd, &packed).result.unwrap_err();
        assert_eq!(issue.code, crate::report::Code::UnsupportedCompression, "{issue:?}");
        assert!(issue.message.contains(what), "{issue:?}");
    }
}

//! Blocks without a head, as ORC has them: they do not say how long they become.

use std::io::{Read, copy, sink};

use flate2::bufread::DeflateDecoder;

/// The bytes that a deflated block inflates to, counted no further than one more than `most`.
pub fn deflated_length(block: &[u8], most: u64) -> std::io::Result<u64> {
    copy(&mut DeflateDecoder::new(block).take(most.saturating_add(1)), &mut sink())
}

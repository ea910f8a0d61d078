//! Files of the same format, one behind the other: the footer at the end knows the last of them only,
//! and counts its places from there.

use memchr::memmem;

use crate::error::Error;
use crate::report::{Code, Issue, Stage};

/// Where the first file ends, if the bytes are two or more.
///
/// `unused` is how many bytes before the footer belong to nothing that the footer tells of: the first
/// file is at most as long. Both formats end in a footer, its length in four bytes and `magic`, with
/// which they also begin.
pub(in super::super) fn end_of_first(bytes: &[u8], unused: usize, magic: &[u8]) -> Option<usize> {
    let head = &bytes[..bytes.len().min(unused.saturating_add(magic.len()))];
    let ends = |at: &usize| {
        let body = head[..*at].split_last_chunk::<4>();
        body.is_some_and(|(body, length)| {
            let length = u32::from_le_bytes(*length) as usize;
            length > 0 && length <= body.len().saturating_sub(magic.len())
        })
    };
    let found = memmem::find_iter(head, &[magic, magic].concat()).find(ends);
    found.map(|at| at + magic.len())
}

/// The refusal of such bytes.
pub(in super::super) fn joined(format: &str, end: usize) -> Error {
    let message =
        format!("several {format} files, one behind the other: the first ends at byte {end}");
    Issue::error(Stage::Parse, Code::Corrupt, message)
        .byte_offset(end as u64)
        .hint("split it there: each is a file of its own")
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_files_are_told_from_one() {
        let file = b"PAR1rows and foot\x04\0\0\0PAR1";
        let two = [&file[..], file].concat();
        assert_eq!(end_of_first(&two, file.len(), b"PAR1"), Some(file.len()));
        assert_eq!(end_of_first(&two, file.len() - 1, b"PAR1"), None);
        assert_eq!(end_of_first(file, 5, b"PAR1"), None);
        assert_eq!(end_of_first(b"PAR1PAR1PAR1", 99, b"PAR1"), None);
    }
}

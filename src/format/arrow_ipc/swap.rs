//! Values that were written with their largest byte first, turned round.

use arrow::buffer::Buffer;

/// The same values, each made of words of these widths.
pub(super) fn words(buffer: &Buffer, widths: &[usize]) -> Buffer {
    let mut bytes = buffer.to_vec();
    let width = widths.iter().sum::<usize>().max(1);
    for value in bytes.chunks_exact_mut(width) {
        let mut rest = value;
        for width in widths {
            let (word, behind) = rest.split_at_mut((*width).min(rest.len()));
            word.reverse();
            rest = behind;
        }
    }
    Buffer::from_slice_ref(&bytes)
}

/// What a view holds in itself, at most.
const INLINE: u32 = 12;

/// Views: a length and, where the text is elsewhere, its first bytes, its buffer and its offset.
pub(super) fn views(buffer: &Buffer) -> Buffer {
    let mut bytes = buffer.to_vec();
    for view in bytes.chunks_exact_mut(16) {
        view[..4].reverse();
        let length = u32::from_le_bytes([view[0], view[1], view[2], view[3]]);
        if length > INLINE {
            view[8..12].reverse();
            view[12..].reverse();
        }
    }
    Buffer::from_slice_ref(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_views_are_turned_round() {
        let buffer = Buffer::from_slice_ref([0u8, 0, 0, 1, 0, 0, 0, 2]);
        assert_eq!(words(&buffer, &[4]).typed_data::<i32>(), &[1, 2]);
        assert_eq!(words(&buffer, &[8]).typed_data::<i64>(), &[(1 << 32) + 2]);
        let months = [0u8, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 5];
        let months = words(&Buffer::from_slice_ref(months), &[4, 4, 8]);
        assert_eq!(months.as_slice(), [3, 0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0]);
        let mut view = [0u8; 32];
        view[..8].copy_from_slice(b"\0\0\0\x02ab\0\0");
        view[16..].copy_from_slice(b"\0\0\0\x0dabcd\0\0\0\x01\0\0\0\x07");
        let turned = views(&Buffer::from_slice_ref(view));
        assert_eq!(&turned[..8], b"\x02\0\0\0ab\0\0");
        assert_eq!(&turned[16..], b"\x0d\0\0\0abcd\x01\0\0\0\x07\0\0\0");
    }
}

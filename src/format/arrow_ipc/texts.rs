//! Columns of text: checked as fast as memory allows, then made without the slower checks.
#![allow(unsafe_code)]

use std::sync::Arc;

use arrow::array::{ArrayRef, GenericStringArray, OffsetSizeTrait};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};

/// Offsets are looked at so many at a time: a loop without an exit is one over vectors.
const STRETCH: usize = 4096;

/// Whether offsets start at zero or above and never go back.
pub(super) fn rising<O: OffsetSizeTrait>(offsets: &[O]) -> bool {
    let starts_well = offsets.first().is_some_and(|first| *first >= O::zero());
    // The last of each stretch is the first of the next.
    let mut stretches = offsets.chunks(STRETCH).zip(offsets.iter().skip(STRETCH).step_by(STRETCH));
    let within = |stretch: &[O]| {
        let pairs = stretch.iter().zip(&stretch[1..]);
        !pairs.fold(false, |fell, (before, after)| fell | (before > after))
    };
    starts_well
        && offsets.chunks(STRETCH).all(within)
        && stretches.all(|(stretch, next)| stretch.last().is_some_and(|last| last <= next))
}

/// A column of text. Offsets are rising; what is wrong otherwise is said.
pub(super) fn texts<O: OffsetSizeTrait>(
    offsets: ScalarBuffer<O>,
    values: Buffer,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef, String> {
    let end = offsets.last().map_or(0, |last| last.as_usize());
    if end > values.len() {
        return Err(format!("has an offset of {end} into {} bytes", values.len()));
    }
    // What is behind the last text need not be text.
    let values = values.slice_with_length(0, end);
    if !are_texts(&offsets, &values) {
        return one_by_one(&offsets, &values, nulls.as_ref());
    }
    // SAFETY: the caller has seen by `rising` that there is an offset, that the first is not
    // negative and that none is less than the one before it.
    let offsets = unsafe { OffsetBuffer::new_unchecked(offsets) };
    // SAFETY: the last offset is the length of the values, the values are UTF-8 as a whole, and
    // every offset is at the start of a character or at the end: so each text is UTF-8. The
    // validity was made for the same number of rows as the offsets.
    Ok(Arc::new(unsafe { GenericStringArray::new_unchecked(offsets, values, nulls) }))
}

fn are_texts<O: OffsetSizeTrait>(offsets: &[O], values: &[u8]) -> bool {
    if values.is_ascii() {
        return true;
    }
    // A byte that continues a character is 0b10xxxxxx.
    let begins = |offset: &O| values.get(offset.as_usize()).is_none_or(|byte| *byte as i8 >= -0x40);
    simdutf8::basic::from_utf8(values).is_ok() && offsets.iter().all(begins)
}

/// The slow way, for bytes that are not all text: where a value is null, they need not be.
fn one_by_one<O: OffsetSizeTrait>(
    offsets: &[O],
    values: &[u8],
    nulls: Option<&NullBuffer>,
) -> Result<ArrayRef, String> {
    let pairs = offsets.iter().zip(&offsets[1..]).enumerate();
    let found = pairs.map(|(row, (start, end))| {
        if nulls.is_some_and(|nulls| nulls.is_null(row)) {
            return Ok(None);
        }
        let text = &values[start.as_usize()..end.as_usize()];
        let text = std::str::from_utf8(text);
        text.map(Some)
            .map_err(|_| format!("has a text that is not UTF-8, in row {} of the message", row + 1))
    });
    let found = found.collect::<Result<Vec<Option<&str>>, String>>()?;
    Ok(Arc::new(GenericStringArray::<O>::from(found)))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, StringArray};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn rising_is_what_pairs_say(mut offsets in proptest::collection::vec(0i32..20_000, 1..9_000), sorted: bool) {
            if sorted {
                offsets.sort_unstable();
            }
            prop_assert_eq!(rising(&offsets), offsets.windows(2).all(|pair| pair[0] <= pair[1]));
        }
    }

    #[test]
    fn a_fall_between_stretches_is_seen() {
        let mut offsets: Vec<i64> = (0..3 * STRETCH as i64).collect();
        assert!(rising(&offsets));
        offsets[STRETCH] = 3;
        assert!(!rising(&offsets));
        assert!(!rising(&[-1i32, 2]));
        assert!(!rising::<i32>(&[]));
        assert!(rising(&[0i32]));
    }

    fn made(offsets: &[i32], values: &[u8], valid: Option<Vec<bool>>) -> Result<ArrayRef, String> {
        let offsets = ScalarBuffer::from(offsets.to_vec());
        texts(offsets, Buffer::from_slice_ref(values), valid.map(NullBuffer::from))
    }

    #[test]
    fn texts_are_utf8_each() {
        let whole = made(&[0, 1, 3], "aé".as_bytes(), None).unwrap();
        let expected = StringArray::from(vec!["a", "é"]);
        assert_eq!(whole.as_ref(), &expected as &dyn Array);
        assert!(made(&[0, 2, 3], "aé".as_bytes(), None).unwrap_err().contains("row 1"));
        assert!(made(&[0, 1, 2], b"a\xff", None).unwrap_err().contains("row 2"));
        assert!(made(&[0, 1, 9], b"ab", None).unwrap_err().contains("offset of 9"));
        let masked = made(&[0, 1, 2], b"a\xff", Some(vec![true, false])).unwrap();
        assert_eq!(masked.as_ref(), &StringArray::from(vec![Some("a"), None]) as &dyn Array);
        // What is behind the last text is nobody's.
        assert_eq!(made(&[1, 2], b"\xffa\xff", None).unwrap().len(), 1);
    }
}

//! The one place where texts go into an array without being looked at once more.
#![allow(unsafe_code)]

use arrow::array::StringArray;
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer};

/// An array over pieces of a text that is known to be UTF-8. Every piece was cut at ASCII bytes or
/// at the ends of a delimiter that is UTF-8 itself, so every piece is UTF-8 too; where JSON had an
/// escape there is the UTF-8 of a character instead. No chunk has so much text that offsets would not
/// reach its end. (Where the delimiter
/// is a pattern, which may match half a character, texts are gathered and do not come here.) Or they
/// are the offsets and values of a valid array, moved to another place.
pub(in super::super) fn string_array(
    offsets: OffsetBuffer<i32>,
    data: Buffer,
    nulls: Option<NullBuffer>,
) -> StringArray {
    debug_assert!(StringArray::try_new(offsets.clone(), data.clone(), nulls.clone()).is_ok());
    // SAFETY: `OffsetBuffer` holds offsets that only grow, the last of which is the length of the
    // data, and the data is a concatenation of pieces of UTF-8 as said above, or that of a valid array.
    unsafe { StringArray::new_unchecked(offsets, data, nulls) }
}

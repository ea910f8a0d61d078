//! No value longer than allowed.

use arrow::array::{Array, AsArray, RecordBatch, make_array};
use arrow::datatypes::DataType;

use crate::error::Result;
use crate::limits::Limits;
use crate::report::{Code, Issue};

/// No value of a batch may be longer than allowed.
pub(super) fn check_batch(batch: &RecordBatch, limits: &Limits) -> Result<()> {
    batch.columns().iter().try_for_each(|column| check_values(column.as_ref(), limits))
}

/// No value may be longer than allowed. Few arrays have as many bytes in all, so few are looked at.
pub(in super::super) fn check_values(array: &dyn Array, limits: &Limits) -> Result<()> {
    check_array(array, limits.value_bytes)
}

fn check_array(array: &dyn Array, most: u64) -> Result<()> {
    let longest = match array.data_type() {
        DataType::Utf8 => longest(array.as_string::<i32>().offsets(), most),
        DataType::LargeUtf8 => longest(array.as_string::<i64>().offsets(), most),
        DataType::Binary => longest(array.as_binary::<i32>().offsets(), most),
        DataType::LargeBinary => longest(array.as_binary::<i64>().offsets(), most),
        DataType::Utf8View => array.as_string_view().lengths().max().map_or(0, u64::from),
        DataType::BinaryView => array.as_binary_view().lengths().max().map_or(0, u64::from),
        DataType::FixedSizeBinary(width) => u64::try_from(*width).unwrap_or_default(),
        DataType::Dictionary(_, _) => {
            return check_array(array.as_any_dictionary().values().as_ref(), most);
        }
        DataType::List(_) => return check_array(array.as_list::<i32>().values().as_ref(), most),
        DataType::LargeList(_) => {
            return check_array(array.as_list::<i64>().values().as_ref(), most);
        }
        DataType::ListView(_) => {
            return check_array(array.as_list_view::<i32>().values().as_ref(), most);
        }
        DataType::LargeListView(_) => {
            return check_array(array.as_list_view::<i64>().values().as_ref(), most);
        }
        DataType::Union(fields, _) => {
            let union = array.as_union();
            return fields.iter().try_for_each(|(id, _)| check_array(union.child(id), most));
        }
        DataType::RunEndEncoded(_, _) => {
            let data = array.to_data();
            let values = data.child_data().get(1).map(|values| make_array(values.clone()));
            return values.map_or(Ok(()), |values| check_array(values.as_ref(), most));
        }
        DataType::FixedSizeList(_, _) => {
            return check_array(array.as_fixed_size_list().values().as_ref(), most);
        }
        DataType::Map(_, _) => return check_array(array.as_map().entries(), most),
        DataType::Struct(_) => {
            let columns = array.as_struct().columns().iter();
            return columns.into_iter().try_for_each(|column| check_array(column.as_ref(), most));
        }
        _ => 0,
    };
    if longest <= most {
        return Ok(());
    }
    let message = format!("a value has {longest} bytes, allowed are {most}");
    Err(Issue::limit(Code::ValueTooLarge, message, "value_bytes").into())
}

/// The length of the longest value; 0 where all together are not too long for one.
fn longest<O: arrow::array::OffsetSizeTrait>(offsets: &[O], most: u64) -> u64 {
    let total = match offsets {
        [first, .., last] => last.as_usize() - first.as_usize(),
        _ => 0,
    };
    if total as u64 <= most {
        return 0;
    }
    let lengths = offsets.windows(2).map(|pair| pair[1].as_usize() - pair[0].as_usize());
    lengths.max().unwrap_or_default() as u64
}

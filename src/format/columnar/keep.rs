//! Batches that stay in memory are moved to maps of huge pages: a fault for each 4 KiB of fresh memory costs
//! about as much as decoding what goes there. What they are decoded in is used again.

use std::sync::{Arc, Once};

use arrow::array::{
    Array, ArrayData, ArrayRef, AsArray, BinaryArray, RecordBatch, downcast_primitive_array,
    make_array,
};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::DataType;

use super::super::chunks::{Frozen, Placed, Rest, Slab, string_array};
use super::arrow_error;
use crate::error::Result;

/// Bytes that are moved together.
const MOVED_BYTES: usize = 16 << 20;

/// Batches on their way.
#[derive(Default)]
pub(super) struct Keeper {
    kept: Vec<RecordBatch>,
    waiting: Vec<RecordBatch>,
    bytes: usize,
    rest: Rest,
}

impl Keeper {
    pub fn push(&mut self, batch: RecordBatch) -> Result<()> {
        self.bytes += batch.columns().iter().map(size).sum::<usize>();
        self.waiting.push(batch);
        if self.bytes >= MOVED_BYTES { self.flush() } else { Ok(()) }
    }

    pub fn finish(mut self) -> Result<Vec<RecordBatch>> {
        self.flush()?;
        Ok(self.kept)
    }

    fn flush(&mut self) -> Result<()> {
        let waiting = std::mem::take(&mut self.waiting);
        self.bytes = 0;
        let arrays = waiting.iter().flat_map(RecordBatch::columns);
        let sizes = arrays.flat_map(buffers).map(<[u8]>::len);
        let mut slab = Slab::new(&mut self.rest, sizes.collect::<Vec<_>>().into_iter());
        let mut placed = Vec::with_capacity(waiting.len());
        for batch in &waiting {
            let put = |array: &ArrayRef| -> Vec<Placed> {
                buffers(array).into_iter().map(|buffer| slab.put(buffer)).collect()
            };
            placed.push(batch.columns().iter().map(put).collect::<Vec<_>>());
        }
        let slab = slab.freeze();
        for (batch, places) in waiting.into_iter().zip(placed) {
            let columns = batch.columns().iter().zip(places);
            let columns = columns.map(|(array, places)| moved(array, places, &slab));
            let columns = columns.collect::<Result<Vec<_>>>()?;
            if columns.is_empty() {
                self.kept.push(batch);
                continue;
            }
            self.kept.push(RecordBatch::try_new(batch.schema(), columns).map_err(arrow_error)?);
        }
        Ok(())
    }
}

fn size(array: &ArrayRef) -> usize {
    buffers(array).into_iter().map(<[u8]>::len).sum()
}

/// The bytes of an array that is moved, its validity last; none of one that stays where it is.
fn buffers(array: &ArrayRef) -> Vec<&[u8]> {
    let of_texts = |offsets: &'_ OffsetBuffer<i32>, values: &[u8]| {
        offsets.first() == Some(&0)
            && offsets.last().is_some_and(|end| *end as usize == values.len())
    };
    let mut found: Vec<&[u8]> = match array.data_type() {
        DataType::Utf8 => {
            let texts = array.as_string::<i32>();
            if !of_texts(texts.offsets(), texts.value_data()) {
                return Vec::new();
            }
            vec![texts.offsets().inner().inner().as_slice(), texts.value_data()]
        }
        DataType::Binary => {
            let values = array.as_binary::<i32>();
            if !of_texts(values.offsets(), values.value_data()) {
                return Vec::new();
            }
            vec![values.offsets().inner().inner().as_slice(), values.value_data()]
        }
        _ => match fixed(array.as_ref()) {
            Some(values) => vec![values],
            None => return Vec::new(),
        },
    };
    found.extend(array.nulls().map(|nulls| nulls.buffer().as_slice()));
    found
}

fn fixed(array: &dyn Array) -> Option<&[u8]> {
    downcast_primitive_array!(
        array => Some(array.values().inner().as_slice()),
        _ => None
    )
}

/// The same array over the places to which its bytes were moved.
fn moved(array: &ArrayRef, places: Vec<Placed>, slab: &Frozen) -> Result<ArrayRef> {
    let mut buffers = places.into_iter().map(|placed| slab.buffer(placed));
    let Some(first) = buffers.next() else { return Ok(array.clone()) };
    let offsets = |buffer: Buffer| OffsetBuffer::new(ScalarBuffer::<i32>::from(buffer));
    let validity = |buffers: &mut dyn Iterator<Item = Buffer>| {
        let nulls = array.nulls()?;
        let bits = BooleanBuffer::new(buffers.next()?, nulls.offset(), nulls.len());
        Some(NullBuffer::new(bits))
    };
    Ok(match array.data_type() {
        DataType::Utf8 => {
            let values = buffers.next().unwrap_or_default();
            Arc::new(string_array(offsets(first), values, validity(&mut buffers)))
        }
        DataType::Binary => {
            let values = buffers.next().unwrap_or_default();
            let nulls = validity(&mut buffers);
            Arc::new(BinaryArray::try_new(offsets(first), values, nulls).map_err(arrow_error)?)
        }
        data_type => {
            let data = ArrayData::builder(data_type.clone())
                .len(array.len())
                .add_buffer(first)
                .nulls(validity(&mut buffers));
            make_array(data.build().map_err(arrow_error)?)
        }
    })
}

/// The allocator of glibc gives memory back to the system when 128 KiB of it are free, and takes larger
/// pieces from there each time, until it has seen a large piece come and go. Once is enough, and
/// costs nothing: the piece is never touched.
pub(super) fn use_memory_again() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| drop(std::hint::black_box(Vec::<u8>::with_capacity(31 << 20))));
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Float64Array, Int32Array, StringArray};

    #[test]
    fn batches_are_the_same_after_they_were_moved() {
        let texts: StringArray =
            (0..5000).map(|i| (i % 3 > 0).then(|| "é".repeat(i % 7))).collect();
        let numbers: Int32Array = (0..5000).map(|i| (i % 5 > 0).then_some(i)).collect();
        let bytes = BinaryArray::from_iter_values((0..5000u32).map(u32::to_le_bytes));
        let flags: arrow::array::BooleanArray = (0..5000).map(|i| Some(i % 2 == 0)).collect();
        let times = Float64Array::from_iter_values((0..5000).map(f64::from));
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("texts", Arc::new(texts)),
            ("numbers", Arc::new(numbers)),
            ("bytes", Arc::new(bytes)),
            ("flags", Arc::new(flags)),
            ("floats", Arc::new(times)),
        ];
        let whole = RecordBatch::try_from_iter(columns).unwrap();
        let batches = [whole.clone(), whole.slice(17, 1000), whole.slice(0, 0)];
        for times in [1, 100] {
            let mut keeper = Keeper::default();
            let pushed: Vec<RecordBatch> =
                std::iter::repeat_n(&batches, times).flatten().cloned().collect();
            pushed.iter().for_each(|batch| keeper.push(batch.clone()).unwrap());
            assert_eq!(keeper.finish().unwrap(), pushed);
        }
    }
}

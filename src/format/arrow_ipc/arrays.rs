//! The buffers of a message as arrays, with all checked that would make an array unsafe to use.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayData, ArrayRef, AsArray, BooleanArray, DictionaryArray, FixedSizeBinaryArray,
    FixedSizeListArray, GenericBinaryArray, GenericByteViewArray, GenericListArray,
    GenericListViewArray, MapArray, NullArray, OffsetSizeTrait, PrimitiveArray, StructArray,
    UnionArray, make_array, new_empty_array,
};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{
    ArrowDictionaryKeyType, ArrowNativeType, BinaryViewType, ByteViewType, DataType, FieldRef,
    Int8Type, Int16Type, Int32Type, Int64Type, IntervalUnit, StringViewType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type, UnionMode,
};
use arrow::error::ArrowError;

use super::dictionaries::Dictionaries;
use super::header::{Header, Node, Position};
use super::messages::corrupt;
use super::schema::Column;
use super::swap;
use super::texts::{rising, texts};
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::report::{Code, Issue};

/// How many nulls a message says that a column's arrays have, and how many there are.
pub(super) type Miscounted = (usize, usize);

/// The arrays of one message in the making.
pub(super) struct Arrays<'a> {
    pub header: &'a Header,
    pub position: Position,
    /// The buffers from that position on.
    pub buffers: std::vec::IntoIter<Buffer>,
    pub dictionaries: &'a Dictionaries,
    /// Which message of the file it is: dictionaries may change from one to the next.
    pub message: usize,
    pub is_big_endian: bool,
    pub limits: &'a Limits,
    /// The name of the column, for errors.
    pub name: &'a str,
    pub miscounted: Option<Miscounted>,
}

/// How many values inside are needed: all that are there, unless only the first rows are wanted.
fn inside<O: OffsetSizeTrait>(offsets: &[O], is_cut: bool) -> usize {
    let last = offsets.last().filter(|_| is_cut);
    last.map_or(usize::MAX, |last| last.as_usize())
}

impl Arrays<'_> {
    /// The next array, which is this column's: its first `most` values.
    pub fn array(&mut self, column: &Column, most: usize) -> Result<ArrayRef> {
        let whole = self.node()?;
        let rows = whole.length.min(most);
        let is_cut = rows < whole.length;
        let node = if is_cut { Node { length: rows, nulls: None } } else { whole };
        let data_type = column.field.data_type();
        Ok(match data_type {
            DataType::Null => {
                self.allowed(rows)?;
                Arc::new(NullArray::new(rows))
            }
            DataType::Boolean => {
                let nulls = self.nulls(node)?;
                let bits = self.bits(rows)?;
                Arc::new(BooleanArray::new(bits, nulls))
            }
            DataType::Utf8 => self.text::<i32>(node)?,
            DataType::LargeUtf8 => self.text::<i64>(node)?,
            DataType::Binary => self.binary::<i32>(node)?,
            DataType::LargeBinary => self.binary::<i64>(node)?,
            DataType::Utf8View => self.views::<StringViewType>(node)?,
            DataType::BinaryView => self.views::<BinaryViewType>(node)?,
            DataType::FixedSizeBinary(width) => {
                if *width == 0 {
                    self.allowed(rows)?;
                }
                let nulls = self.nulls(node)?;
                let bytes = self.bytes(rows, *width as usize, 1, &[])?;
                let array = FixedSizeBinaryArray::try_new_with_len(*width, bytes, nulls, rows);
                Arc::new(self.checked(array)?)
            }
            DataType::List(field) => self.list::<i32>(node, is_cut, field, column)?,
            DataType::LargeList(field) => self.list::<i64>(node, is_cut, field, column)?,
            DataType::ListView(field) => self.list_view::<i32>(node, field, column)?,
            DataType::LargeListView(field) => self.list_view::<i64>(node, field, column)?,
            DataType::Map(field, sorted) => {
                let nulls = self.nulls(node)?;
                let offsets = self.offsets::<i32>(rows)?;
                let entries = self.child(column, 0, inside(&offsets, is_cut))?;
                let offsets = self.up_to(offsets, entries.len())?;
                let pairs = entries.as_struct_opt().cloned();
                let entries = pairs.ok_or_else(|| self.corrupt("is a map of no pairs"))?;
                let array = MapArray::try_new(field.clone(), offsets, entries, nulls, *sorted);
                Arc::new(self.checked(array)?)
            }
            DataType::FixedSizeList(field, size) => {
                self.allowed(rows)?;
                let nulls = self.nulls(node)?;
                let wanted = rows.checked_mul(*size as usize);
                let most = wanted.filter(|_| is_cut).unwrap_or(usize::MAX);
                let values = self.child(column, 0, most)?;
                let values = self.first(values, wanted)?;
                let field = field.clone();
                let array =
                    FixedSizeListArray::try_new_with_length(field, *size, values, nulls, rows);
                Arc::new(self.checked(array)?)
            }
            DataType::Struct(fields) => {
                self.allowed(rows)?;
                let nulls = self.nulls(node)?;
                let children = (0..fields.len()).map(|index| {
                    let child = self.child(column, index, most)?;
                    self.first(child, Some(rows))
                });
                let children = children.collect::<Result<_>>()?;
                let array = StructArray::try_new_with_length(fields.clone(), children, nulls, rows);
                Arc::new(self.checked(array)?)
            }
            DataType::Union(..) => self.union(node, most, column)?,
            DataType::RunEndEncoded(..) => {
                self.allowed(rows)?;
                let mut ends = self.child(column, 0, usize::MAX)?;
                let mut values = self.child(column, 1, usize::MAX)?;
                // Arrow's own writer gives no rows a run that ends at 0.
                if rows == 0 {
                    (ends, values) = (ends.slice(0, 0), values.slice(0, 0));
                }
                let data = ArrayData::builder(data_type.clone())
                    .len(rows)
                    .add_child_data(ends.to_data())
                    .add_child_data(values.to_data());
                make_array(self.checked(data.build())?)
            }
            DataType::Dictionary(keys, _) => match keys.as_ref() {
                DataType::Int8 => self.keys::<Int8Type>(node, column)?,
                DataType::Int16 => self.keys::<Int16Type>(node, column)?,
                DataType::Int32 => self.keys::<Int32Type>(node, column)?,
                DataType::Int64 => self.keys::<Int64Type>(node, column)?,
                DataType::UInt8 => self.keys::<UInt8Type>(node, column)?,
                DataType::UInt16 => self.keys::<UInt16Type>(node, column)?,
                DataType::UInt32 => self.keys::<UInt32Type>(node, column)?,
                _ => self.keys::<UInt64Type>(node, column)?,
            },
            number => {
                let width = number.primitive_width().ok_or_else(|| {
                    self.corrupt(format!("has values of type {number}, of no fixed width"))
                })?;
                let nulls = self.nulls(node)?;
                let words: &[usize] = match number {
                    DataType::Interval(IntervalUnit::DayTime) => &[4, 4],
                    DataType::Interval(IntervalUnit::MonthDayNano) => &[4, 4, 8],
                    _ => &[width],
                };
                let bytes = self.bytes(rows, width, width.min(16), words)?;
                let data = ArrayData::builder(number.clone()).len(rows).add_buffer(bytes);
                make_array(self.checked(data.nulls(nulls).build())?)
            }
        })
    }

    fn corrupt(&self, message: impl std::fmt::Display) -> Error {
        let message = format!("the column {:?} {message}", self.name);
        corrupt(message, self.header.at).map_issue(|issue| issue.column(self.name))
    }

    /// What the constructors of arrays say, in our terms.
    fn checked<T>(&self, made: Result<T, ArrowError>) -> Result<T> {
        made.map_err(|error| {
            let text = match &error {
                ArrowError::InvalidArgumentError(text) => text.clone(),
                other => other.to_string(),
            };
            self.corrupt(format!("is damaged: {text}"))
        })
    }

    /// Rows that need no bytes are bounded too.
    fn allowed(&self, rows: usize) -> Result<()> {
        if rows as u64 <= self.limits.rows {
            return Ok(());
        }
        let message = format!("got {rows} values, allowed are {}", self.limits.rows);
        let issue = Issue::limit(Code::TooManyRows, message, "rows").column(self.name);
        Err(issue.byte_offset(self.header.at as u64).into())
    }

    fn node(&mut self) -> Result<Node> {
        let node = self.header.nodes.get(self.position.node).copied();
        self.position.node += 1;
        node.ok_or_else(|| self.corrupt("has no description"))
    }

    fn next(&mut self) -> Result<Buffer> {
        self.buffers.next().ok_or_else(|| self.corrupt("has too few buffers"))
    }

    fn child(&mut self, column: &Column, index: usize, most: usize) -> Result<ArrayRef> {
        match column.children.get(index) {
            Some(child) => self.array(child, most),
            None => Err(self.corrupt("has too few columns inside")),
        }
    }

    /// An array may be longer than what holds it needs.
    fn first(&self, array: ArrayRef, wanted: Option<usize>) -> Result<ArrayRef> {
        match wanted {
            Some(wanted) if array.len() == wanted => Ok(array),
            Some(wanted) if array.len() > wanted => Ok(array.slice(0, wanted)),
            _ => Err(self.corrupt(format!("has only {} values inside", array.len()))),
        }
    }

    /// The next buffer as `count` values of `width` bytes each; `words` is what a value is made of.
    fn bytes(
        &mut self,
        count: usize,
        width: usize,
        alignment: usize,
        words: &[usize],
    ) -> Result<Buffer> {
        let buffer = self.next()?;
        let wanted = count.checked_mul(width).filter(|wanted| *wanted <= buffer.len());
        let Some(wanted) = wanted else {
            return Err(self.corrupt(format!(
                "has {count} values of {width} bytes in a buffer of {}",
                buffer.len()
            )));
        };
        let buffer = buffer.slice_with_length(0, wanted);
        if self.is_big_endian && words.iter().any(|word| *word > 1) {
            return Ok(swap::words(&buffer, words));
        }
        if (buffer.as_ptr() as usize).is_multiple_of(alignment) {
            return Ok(buffer);
        }
        Ok(Buffer::from_slice_ref(buffer.as_slice()))
    }

    fn numbers<T: ArrowNativeType>(&mut self, count: usize) -> Result<ScalarBuffer<T>> {
        let width = size_of::<T>();
        let bytes = self.bytes(count, width, align_of::<T>(), &[width])?;
        Ok(ScalarBuffer::new(bytes, 0, count))
    }

    fn bits(&mut self, rows: usize) -> Result<BooleanBuffer> {
        let bytes = self.bytes(rows.div_ceil(8), 1, 1, &[])?;
        Ok(BooleanBuffer::new(bytes, 0, rows))
    }

    /// Which values are there. How many are null is counted, whatever the message says.
    fn nulls(&mut self, node: Node) -> Result<Option<NullBuffer>> {
        let has_bits = self.buffers.as_slice().first().is_some_and(|bits| !bits.is_empty());
        let found = if has_bits {
            Some(NullBuffer::new(self.bits(node.length)?)).filter(|nulls| nulls.null_count() > 0)
        } else {
            self.next()?;
            None
        };
        let count = found.as_ref().map_or(0, NullBuffer::null_count);
        match node.nulls {
            Some(said) if said > 0 && !has_bits => {
                Err(self.corrupt(format!("has {said} nulls, but nothing says which values")))
            }
            Some(said) if said != count => {
                let (all_said, all_found) = self.miscounted.unwrap_or_default();
                self.miscounted = Some((all_said + said, all_found + count));
                Ok(found)
            }
            _ => Ok(found),
        }
    }

    /// Where values begin and end: from zero on and never going back.
    fn offsets<O: OffsetSizeTrait>(&mut self, rows: usize) -> Result<ScalarBuffer<O>> {
        // Nothing may be written where there is nothing.
        if rows == 0 {
            self.next()?;
            return Ok(ScalarBuffer::from(vec![O::zero()]));
        }
        let count = rows.checked_add(1).ok_or_else(|| self.corrupt("is too long"))?;
        let offsets = self.numbers::<O>(count)?;
        if rising(&offsets) { Ok(offsets) } else { Err(self.corrupt("has offsets that go back")) }
    }

    /// Offsets that reach no further than what they point into.
    fn up_to<O: OffsetSizeTrait>(
        &self,
        offsets: ScalarBuffer<O>,
        length: usize,
    ) -> Result<OffsetBuffer<O>> {
        let last = offsets.last().map_or(0, |last| last.as_usize());
        if last > length {
            return Err(self.corrupt(format!("has an offset of {last} into {length} values")));
        }
        Ok(OffsetBuffer::new(offsets))
    }

    fn text<O: OffsetSizeTrait>(&mut self, node: Node) -> Result<ArrayRef> {
        let nulls = self.nulls(node)?;
        let offsets = self.offsets::<O>(node.length)?;
        let values = self.next()?;
        texts(offsets, values, nulls).map_err(|problem| self.corrupt(problem))
    }

    fn binary<O: OffsetSizeTrait>(&mut self, node: Node) -> Result<ArrayRef> {
        let nulls = self.nulls(node)?;
        let offsets = self.offsets::<O>(node.length)?;
        let values = self.next()?;
        let offsets = self.up_to(offsets, values.len())?;
        Ok(Arc::new(self.checked(GenericBinaryArray::<O>::try_new(offsets, values, nulls))?))
    }

    fn views<T: ByteViewType>(&mut self, node: Node) -> Result<ArrayRef> {
        let nulls = self.nulls(node)?;
        let mut bytes = self.bytes(node.length, 16, 16, &[])?;
        if self.is_big_endian {
            bytes = swap::views(&bytes);
        }
        let count = self.header.counts.get(self.position.count).copied();
        self.position.count += 1;
        let count = count.ok_or_else(|| self.corrupt("has views into no buffers"))?;
        let buffers = (0..count).map(|_| self.next()).collect::<Result<Vec<_>>>()?;
        let views = ScalarBuffer::<u128>::new(bytes, 0, node.length);
        let made =
            GenericByteViewArray::<T>::try_new(views.clone(), buffers.clone(), nulls.clone());
        let array = match (made, nulls) {
            // Where a value is null its view may be anything.
            (Err(_), Some(nulls)) => {
                let views = views.iter().zip(nulls.iter());
                let views = views.map(|(view, valid)| if valid { *view } else { 0 });
                let views: ScalarBuffer<u128> = views.collect::<Vec<_>>().into();
                self.checked(GenericByteViewArray::<T>::try_new(views, buffers, Some(nulls)))?
            }
            (made, _) => self.checked(made)?,
        };
        Ok(Arc::new(array))
    }

    fn list<O: OffsetSizeTrait>(
        &mut self,
        node: Node,
        is_cut: bool,
        field: &FieldRef,
        column: &Column,
    ) -> Result<ArrayRef> {
        let nulls = self.nulls(node)?;
        let offsets = self.offsets::<O>(node.length)?;
        let values = self.child(column, 0, inside(&offsets, is_cut))?;
        let offsets = self.up_to(offsets, values.len())?;
        let array = GenericListArray::try_new(field.clone(), offsets, values, nulls);
        Ok(Arc::new(self.checked(array)?))
    }

    fn list_view<O: OffsetSizeTrait>(
        &mut self,
        node: Node,
        field: &FieldRef,
        column: &Column,
    ) -> Result<ArrayRef> {
        let nulls = self.nulls(node)?;
        let offsets = self.numbers::<O>(node.length)?;
        let sizes = self.numbers::<O>(node.length)?;
        let values = self.child(column, 0, usize::MAX)?;
        let array = GenericListViewArray::try_new(field.clone(), offsets, sizes, values, nulls);
        Ok(Arc::new(self.checked(array)?))
    }

    fn union(&mut self, node: Node, most: usize, column: &Column) -> Result<ArrayRef> {
        let DataType::Union(fields, mode) = column.field.data_type() else {
            return Err(self.corrupt("is no union"));
        };
        if self.header.has_union_validity && self.nulls(node)?.is_some() {
            return Err(self.corrupt("is a union with nulls of its own, as before Arrow 1.0"));
        }
        let ids = self.numbers::<i8>(node.length)?;
        let offsets = match mode {
            UnionMode::Dense => Some(self.numbers::<i32>(node.length)?),
            UnionMode::Sparse => None,
        };
        let children = (0..fields.len()).map(|index| match mode {
            UnionMode::Sparse => {
                let child = self.child(column, index, most)?;
                self.first(child, Some(node.length))
            }
            UnionMode::Dense => self.child(column, index, usize::MAX),
        });
        let children = children.collect::<Result<Vec<_>>>()?;
        Ok(Arc::new(self.checked(UnionArray::try_new(fields.clone(), ids, offsets, children))?))
    }

    fn keys<K: ArrowDictionaryKeyType>(&mut self, node: Node, column: &Column) -> Result<ArrayRef> {
        let nulls = self.nulls(node)?;
        let keys = self.numbers::<K::Native>(node.length)?;
        let keys = self.checked(PrimitiveArray::<K>::try_new(keys, nulls))?;
        let known = column.dictionary.and_then(|id| self.dictionaries.at(id, self.message));
        let values = match (known, column.field.data_type()) {
            (Some(values), _) => values,
            // A dictionary of which no value is used may be left out.
            (None, DataType::Dictionary(_, values)) => new_empty_array(values),
            (None, _) => return Err(self.corrupt("has no dictionary")),
        };
        Ok(Arc::new(self.checked(DictionaryArray::try_new(keys, values))?))
    }
}

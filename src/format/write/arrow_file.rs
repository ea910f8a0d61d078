//! Tables as Arrow files, which have one dictionary a column for all their batches.
//!
//! Where a table's batches bring dictionaries of their own, as those of a stream or of a Parquet file's
//! row groups do, their values are put together in one that all batches share.

use std::collections::HashMap;
use std::io::Write;
use std::sync::Arc;

use arrow::array::{Array, ArrayData, ArrayRef, AsArray, Int64Array, RecordBatch, make_array};
use arrow::compute::{CastOptions, cast_with_options, concat, take};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::writer::FileWriter;
use arrow::row::{OwnedRow, RowConverter, SortField};

use super::{arrow_error, each, of_column};
use crate::error::Result;
use crate::guard::guarded_writer;
use crate::table::Table;

pub(super) fn write_arrow_file(table: &Table, out: &mut dyn Write) -> Result<()> {
    let mut merged = merged_dictionaries(table)?;
    let fields = table.schema().fields().iter().zip(&merged);
    let fields = fields.map(|(field, merged)| match merged {
        Some(merged) if merged.is_new() => merged.field(field),
        _ => field.clone(),
    });
    let metadata = table.schema().metadata().clone();
    let schema: SchemaRef =
        Arc::new(Schema::new_with_metadata(fields.collect::<Vec<_>>(), metadata));
    let mut writer = FileWriter::try_new(out, &schema).map_err(arrow_error)?;
    each(table, "arrow", &mut |batch| {
        let mut columns = batch.columns().to_vec();
        let of_batch = columns.iter_mut().zip(&mut merged).zip(schema.fields());
        for ((column, merged), field) in of_batch {
            if let Some(merged) = merged.as_mut().filter(|merged| merged.is_new()) {
                let shared = merged.shared(column, field.data_type());
                *column = shared.map_err(|error| of_column(error, field.name(), None))?;
            }
        }
        let rows = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(schema.clone(), columns, &rows)
            .and_then(|batch| writer.write(&batch))
            .map_err(arrow_error)?;
        Ok(true)
    })?;
    guarded_writer("arrow", || writer.finish().map_err(arrow_error))
}

/// The dictionaries of all batches, by column; `None` for columns without, and for those in other
/// columns.
fn merged_dictionaries(table: &Table) -> Result<Vec<Option<Merged>>> {
    let fields = table.schema().fields();
    let dictionary = |field: &FieldRef| match field.data_type() {
        DataType::Dictionary(_, values) => Merged::new(values),
        _ => None,
    };
    let mut merged: Vec<Option<Merged>> = fields.iter().map(dictionary).collect();
    if merged.iter().all(Option::is_none) {
        return Ok(merged);
    }
    each(table, "arrow", &mut |batch| {
        for ((column, merged), field) in batch.columns().iter().zip(&mut merged).zip(fields) {
            if let Some(merged) = merged {
                let added = merged.add(column.as_any_dictionary().values());
                added.map_err(|error| of_column(error, field.name(), None))?;
            }
        }
        Ok(true)
    })?;
    for (merged, field) in merged.iter_mut().zip(fields) {
        if let Some(merged) = merged {
            merged.close().map_err(|error| of_column(error, field.name(), None))?;
        }
    }
    Ok(merged)
}

/// The values of several dictionaries, each once.
struct Merged {
    converter: RowConverter,
    /// The dictionary met last.
    last: Option<ArrayRef>,
    /// Where in the shared dictionary each value is; none while all dictionaries were the same.
    places: HashMap<OwnedRow, i64>,
    parts: Vec<ArrayRef>,
    values: Option<ArrayData>,
    /// Where in the shared dictionary the values of the last one are.
    of_last: Option<Int64Array>,
}

impl Merged {
    /// `None` for values that cannot be told apart.
    fn new(values: &DataType) -> Option<Self> {
        let converter = RowConverter::new(vec![SortField::new(values.clone())]).ok()?;
        let (last, places, parts) = (None, HashMap::new(), Vec::new());
        Some(Merged { converter, last, places, parts, values: None, of_last: None })
    }

    fn is_new(&self) -> bool {
        self.values.is_some()
    }

    fn is_last(&self, values: &ArrayRef) -> bool {
        let Some(last) = &self.last else { return false };
        last.to_data().ptr_eq(&values.to_data()) || last == values
    }

    fn add(&mut self, values: &ArrayRef) -> Result<(), ArrowError> {
        if self.is_last(values) {
            return Ok(());
        }
        if let Some(first) = self.last.replace(values.clone()) {
            if self.places.is_empty() {
                self.take_over(&first)?;
            }
            self.take_over(values)?;
        }
        Ok(())
    }

    fn take_over(&mut self, values: &ArrayRef) -> Result<(), ArrowError> {
        let rows = self.converter.convert_columns(std::slice::from_ref(values))?;
        let mut new = Vec::new();
        for (index, row) in rows.iter().enumerate() {
            let place = self.places.len() as i64;
            if let std::collections::hash_map::Entry::Vacant(vacant) =
                self.places.entry(row.owned())
            {
                vacant.insert(place);
                new.push(index as i64);
            }
        }
        self.parts.push(take(values, &Int64Array::from(new), None)?);
        Ok(())
    }

    /// No more dictionaries come.
    fn close(&mut self) -> Result<(), ArrowError> {
        self.last = None;
        let parts = std::mem::take(&mut self.parts);
        let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
        if !parts.is_empty() {
            self.values = Some(concat(&parts)?.to_data());
        }
        Ok(())
    }

    /// The column with keys that are long enough, in a dictionary that is in no order.
    fn field(&self, field: &FieldRef) -> FieldRef {
        let DataType::Dictionary(keys, values) = field.data_type() else { return field.clone() };
        let last = self.places.len() as i64 - 1;
        let longest = match keys.as_ref() {
            DataType::Int8 => i8::MAX.into(),
            DataType::UInt8 => u8::MAX.into(),
            DataType::Int16 => i16::MAX.into(),
            DataType::UInt16 => u16::MAX.into(),
            DataType::Int32 => i32::MAX.into(),
            DataType::UInt32 => u32::MAX.into(),
            _ => i64::MAX,
        };
        let keys = match keys.as_ref() {
            keys if last <= longest => keys.clone(),
            _ if last <= i32::MAX.into() => DataType::Int32,
            _ => DataType::Int64,
        };
        let data_type = DataType::Dictionary(Box::new(keys), values.clone());
        let field = Field::clone(field).with_data_type(data_type);
        Arc::new(field.with_dict_is_ordered(false))
    }

    /// The column with its values in the shared dictionary.
    fn shared(&mut self, column: &ArrayRef, target: &DataType) -> Result<ArrayRef, ArrowError> {
        let dictionary = column.as_any_dictionary();
        let (DataType::Dictionary(key_type, _), Some(values)) = (target, &self.values) else {
            return Ok(column.clone());
        };
        if self.of_last.is_none() || !self.is_last(dictionary.values()) {
            let rows = self.converter.convert_columns(std::slice::from_ref(dictionary.values()))?;
            let places = rows.iter().map(|row| self.places.get(&row.owned()).copied());
            self.of_last = Some(places.collect());
            self.last = Some(dictionary.values().clone());
        }
        let Some(places) = &self.of_last else { return Ok(column.clone()) };
        let keys = take(places, dictionary.keys(), None)?;
        let options = CastOptions { safe: false, ..CastOptions::default() };
        let keys = cast_with_options(&keys, key_type, &options)?;
        let data = keys.to_data().into_builder().data_type(target.clone());
        Ok(make_array(data.child_data(vec![values.clone()]).build()?))
    }
}

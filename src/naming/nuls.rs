//! Names that other libraries can be handed: Arrow's C interface ends names at a NUL, and time zones
//! too.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{ArrayData, RecordBatch, RecordBatchOptions, make_array};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef, UnionFields};
use arrow::error::ArrowError;

use crate::error::Result;
use crate::report::{Code, Issue, Stage};
use crate::table::Rows;

/// The sign for a NUL, which stands in names where a NUL was.
const SIGN: &str = "\u{2400}";

/// A schema without NULs in the names of its fields.
pub(crate) struct WithoutNuls {
    pub schema: SchemaRef,
    /// Each field that has another name now, with the index of its column: first its old name, then
    /// its new one.
    pub changed: Vec<(usize, String, String)>,
}

/// The schema with signs for the NULs in its fields' names, nested ones too. `None` where it has no
/// NULs.
pub(crate) fn without_nuls(schema: &Schema) -> Option<WithoutNuls> {
    let mut changed = Vec::new();
    let mut columns: Vec<FieldRef> = Vec::with_capacity(schema.fields().len());
    let names = names(&schema.fields().iter().collect::<Vec<_>>());
    for (index, (field, name)) in schema.fields().iter().zip(names).enumerate() {
        let mut changes: Changes = Vec::new();
        columns.push(changed_field(field, name, &mut changes));
        changed.extend(changes.into_iter().map(|(old, new)| (index, old, new)));
    }
    if changed.is_empty() {
        return None;
    }
    let schema = Arc::new(Schema::new_with_metadata(columns, schema.metadata().clone()));
    Some(WithoutNuls { schema, changed })
}

/// The new name of each field that needs one; none is that of a field beside it.
fn names(fields: &[&FieldRef]) -> Vec<Option<String>> {
    let has_nul = |field: &FieldRef| field.name().contains('\0');
    let mut taken: HashSet<String> = HashSet::new();
    if fields.iter().any(|field| has_nul(field)) {
        taken.extend(fields.iter().map(|field| field.name().clone()));
    }
    let new_name = |field: &&FieldRef| {
        has_nul(field).then(|| {
            let mut new = field.name().replace('\0', SIGN);
            while !taken.insert(new.clone()) {
                new.push_str(SIGN);
            }
            new
        })
    };
    fields.iter().map(new_name).collect()
}

/// Old names and new ones.
type Changes = Vec<(String, String)>;

fn changed_field(field: &FieldRef, name: Option<String>, changes: &mut Changes) -> FieldRef {
    if let Some(name) = &name {
        changes.push((field.name().clone(), name.clone()));
    }
    let data_type = changed_type(field.data_type(), changes);
    if name.is_none() && data_type.is_none() {
        return field.clone();
    }
    let mut field = Field::clone(field);
    if let Some(name) = name {
        field.set_name(name);
    }
    if let Some(data_type) = data_type {
        field.set_data_type(data_type);
    }
    Arc::new(field)
}

/// Fields beside each other; `None` where nothing in them changes.
fn changed_fields(fields: &[&FieldRef], changes: &mut Changes) -> Option<Vec<FieldRef>> {
    let before = changes.len();
    let names = names(fields);
    let changed = fields.iter().zip(names).map(|(field, name)| changed_field(field, name, changes));
    let changed = changed.collect();
    (changes.len() > before).then_some(changed)
}

fn changed_type(data_type: &DataType, changes: &mut Changes) -> Option<DataType> {
    let mut one = |field: &FieldRef| changed_fields(&[field], changes)?.pop();
    Some(match data_type {
        DataType::List(field) => DataType::List(one(field)?),
        DataType::LargeList(field) => DataType::LargeList(one(field)?),
        DataType::ListView(field) => DataType::ListView(one(field)?),
        DataType::LargeListView(field) => DataType::LargeListView(one(field)?),
        DataType::FixedSizeList(field, size) => DataType::FixedSizeList(one(field)?, *size),
        DataType::Map(field, sorted) => DataType::Map(one(field)?, *sorted),
        DataType::Struct(fields) => {
            let fields: Vec<&FieldRef> = fields.iter().collect();
            DataType::Struct(Fields::from(changed_fields(&fields, changes)?))
        }
        DataType::Union(fields, mode) => {
            let inside: Vec<&FieldRef> = fields.iter().map(|(_, field)| field).collect();
            let changed = changed_fields(&inside, changes)?;
            let ids = fields.iter().map(|(id, _)| id);
            DataType::Union(ids.zip(changed).collect::<UnionFields>(), *mode)
        }
        DataType::RunEndEncoded(ends, values) => {
            let mut changed = changed_fields(&[ends, values], changes)?.into_iter();
            DataType::RunEndEncoded(changed.next()?, changed.next()?)
        }
        DataType::Dictionary(keys, values) => {
            DataType::Dictionary(keys.clone(), Box::new(changed_type(values, changes)?))
        }
        _ => return None,
    })
}

/// The batch with the names of this schema, nested ones too. All else must be the same.
pub(crate) fn with_names(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let renamed = || {
        let columns = batch.columns().iter().zip(schema.fields());
        let columns =
            columns.map(|(column, field)| match column.data_type() == field.data_type() {
                true => Ok(column.clone()),
                false => retyped(column.to_data(), field.data_type()).map(make_array),
            });
        let columns = columns.collect::<Result<Vec<_>, ArrowError>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(schema.clone(), columns, &options)
    };
    renamed().map_err(|error: ArrowError| {
        Issue::error(Stage::Parse, Code::Corrupt, error.to_string()).into()
    })
}

fn retyped(data: ArrayData, data_type: &DataType) -> Result<ArrayData, ArrowError> {
    if data.data_type() == data_type {
        return Ok(data);
    }
    let children: Vec<ArrayData> = data
        .child_data()
        .iter()
        .zip(child_types(data_type))
        .map(|(child, data_type)| retyped(child.clone(), data_type))
        .collect::<Result<_, _>>()?;
    data.into_builder().data_type(data_type.clone()).child_data(children).build()
}

/// The types in a type, in the order in which its arrays have their children.
pub(crate) fn child_types(data_type: &DataType) -> Vec<&DataType> {
    match data_type {
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::ListView(field)
        | DataType::LargeListView(field)
        | DataType::FixedSizeList(field, _)
        | DataType::Map(field, _) => vec![field.data_type()],
        DataType::Struct(fields) => fields.iter().map(|field| field.data_type()).collect(),
        DataType::Union(fields, _) => fields.iter().map(|(_, field)| field.data_type()).collect(),
        DataType::RunEndEncoded(ends, values) => vec![ends.data_type(), values.data_type()],
        DataType::Dictionary(_, values) => vec![values],
        _ => Vec::new(),
    }
}

/// Rows in a file whose names have NULs.
#[derive(Debug)]
pub(crate) struct NamedAnew {
    pub rows: Arc<dyn Rows>,
    /// As the file has it.
    pub schema: SchemaRef,
}

impl Rows for NamedAnew {
    fn num_rows(&self) -> u64 {
        self.rows.num_rows()
    }

    fn null_counts(&self) -> &[Option<u64>] {
        self.rows.null_counts()
    }

    fn each(
        &self,
        schema: &SchemaRef,
        take: &mut dyn FnMut(RecordBatch) -> Result<bool>,
    ) -> Result<()> {
        self.rows.each(&self.schema, &mut |batch| take(with_names(&batch, schema)?))
    }
}

/// The first time zone, nested ones too, that has a NUL or another control character, with the index
/// of its column.
pub(crate) fn bad_zone(schema: &Schema) -> Option<(usize, &str)> {
    fn inside(data_type: &DataType) -> Option<&str> {
        match data_type {
            DataType::Timestamp(_, Some(zone)) if zone.chars().any(char::is_control) => Some(zone),
            other => child_types(other).into_iter().find_map(inside),
        }
    }
    let mut fields = schema.fields().iter().enumerate();
    fields.find_map(|(index, field)| Some((index, inside(field.data_type())?)))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, ListArray, StringArray, StructArray};
    use arrow::datatypes::TimeUnit;

    use super::*;

    #[test]
    fn names_become_such_as_c_can_hold() {
        let texts = Arc::new(StringArray::from(vec!["x", "y"])) as Arc<dyn Array>;
        let field = |name: &str| Arc::new(Field::new(name, DataType::Utf8, true));
        let inner = StructArray::from(vec![
            (field("a\0"), texts.clone()),
            (field("a\u{2400}"), texts.clone()),
            (field("b"), texts.clone()),
        ]);
        let item = Arc::new(Field::new("item", inner.data_type().clone(), true));
        let offsets = arrow::buffer::OffsetBuffer::from_lengths([1, 1]);
        let list = Arc::new(ListArray::new(item.clone(), offsets, Arc::new(inner), None));
        let columns = vec![field("t\0"), Arc::new(Field::new("l", DataType::List(item), true))];
        let schema = Arc::new(Schema::new(columns));
        let batch = RecordBatch::try_new(schema.clone(), vec![texts, list]).unwrap();
        let found = without_nuls(&schema).unwrap();
        let change = |index, old: &str, new: &str| (index, old.to_owned(), new.to_owned());
        assert_eq!(
            found.changed,
            [change(0, "t\0", "t\u{2400}"), change(1, "a\0", "a\u{2400}\u{2400}")]
        );
        let batch = with_names(&batch, &found.schema).unwrap();
        assert_eq!(batch.schema(), found.schema);
        for (column, field) in batch.columns().iter().zip(found.schema.fields()) {
            assert_eq!(column.data_type(), field.data_type());
        }
        assert!(without_nuls(&found.schema).is_none());
        assert!(arrow::ffi::FFI_ArrowSchema::try_from(found.schema.as_ref()).is_ok());
    }

    #[test]
    fn zones_that_no_name_has() {
        let schema = |zone: &str| {
            let stamp = DataType::Timestamp(TimeUnit::Second, Some(zone.into()));
            let inner = Arc::new(Field::new("item", stamp, true));
            Schema::new(vec![
                Field::new("n", DataType::Int8, true),
                Field::new("l", DataType::List(inner), true),
            ])
        };
        assert_eq!(bad_zone(&schema("+0\0")), Some((1, "+0\0")));
        assert_eq!(bad_zone(&schema("Europe/Berlin")), None);
    }
}

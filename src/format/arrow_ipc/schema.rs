//! The schema: Arrow's fields, and how the arrays of each lie in a message.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{
    DECIMAL32_MAX_PRECISION, DECIMAL64_MAX_PRECISION, DECIMAL128_MAX_PRECISION,
    DECIMAL256_MAX_PRECISION, DataType, Field, FieldRef, IntervalUnit, Schema, TimeUnit,
    UnionFields, UnionMode,
};
use arrow::ipc;

use crate::error::{Error, Result};
use crate::report::{Code, Issue, Stage};

/// A field and what is below it.
#[derive(Debug)]
pub(super) struct Column {
    pub field: FieldRef,
    /// The id of the dictionary whose keys the column holds.
    pub dictionary: Option<i64>,
    /// The columns inside; none where the column holds keys.
    pub children: Vec<Column>,
}

/// All columns, and the dictionaries they need.
#[derive(Debug, Default)]
pub(super) struct Columns {
    pub columns: Vec<Column>,
    /// What the values of each dictionary are; those that others need come first.
    pub dictionaries: Vec<(i64, Arc<Column>)>,
    /// Where in that list each is.
    known: HashMap<i64, usize>,
    pub metadata: HashMap<String, String>,
    pub is_big_endian: bool,
}

impl Columns {
    /// `depth` is how deep types may nest.
    pub fn of(schema: ipc::Schema<'_>, depth: usize) -> Result<Columns> {
        let mut columns = Columns {
            is_big_endian: schema.endianness() == ipc::Endianness::Big,
            metadata: metadata(schema.custom_metadata().into_iter().flatten()),
            ..Columns::default()
        };
        for field in schema.fields().into_iter().flatten() {
            let column = columns.column(field, depth)?;
            columns.columns.push(column);
        }
        Ok(columns)
    }

    pub fn schema(&self) -> Schema {
        let fields: Vec<FieldRef> = self.columns.iter().map(|c| c.field.clone()).collect();
        Schema::new_with_metadata(fields, self.metadata.clone())
    }

    /// The values of the dictionary whose keys a column holds.
    pub fn values(&self, column: &Column) -> Option<&Column> {
        let place = self.known.get(&column.dictionary?)?;
        self.dictionaries.get(*place).map(|(_, values)| values.as_ref())
    }

    fn column(&mut self, field: ipc::Field<'_>, depth: usize) -> Result<Column> {
        if depth == 0 {
            let message = "types nest deeper than allowed";
            return Err(Issue::limit(Code::TooDeep, message, "json_depth").into());
        }
        let inside = field.children().into_iter().flatten();
        let children: Vec<Column> =
            inside.map(|child| self.column(child, depth - 1)).collect::<Result<_>>()?;
        let values = data_type(field, &children)?;
        let name = field.name().unwrap_or_default();
        let notes = metadata(field.custom_metadata().into_iter().flatten());
        let Some(encoding) = field.dictionary() else {
            let field = Field::new(name, values, field.nullable()).with_metadata(notes);
            return Ok(Column { field: Arc::new(field), dictionary: None, children });
        };
        let keys = match encoding.indexType() {
            Some(int) => integer(int)?,
            None => DataType::Int32,
        };
        let id = encoding.id();
        let kind = DataType::Dictionary(Box::new(keys), Box::new(values.clone()));
        #[allow(deprecated)]
        let field = Field::new_dict(name, kind, field.nullable(), id, encoding.isOrdered());
        let field = Arc::new(field.with_metadata(notes));
        match self.known.get(&id).map(|place| &self.dictionaries[*place]) {
            Some((_, known)) if *known.field.data_type() != values => {
                return Err(corrupt(format!(
                    "dictionary {id} has values of type {} and of type {values}",
                    known.field.data_type()
                )));
            }
            Some(_) => {}
            None => {
                let values = Arc::new(Field::new(name, values, true));
                let values = Column { field: values, dictionary: None, children };
                self.known.insert(id, self.dictionaries.len());
                self.dictionaries.push((id, Arc::new(values)));
            }
        }
        Ok(Column { field, dictionary: Some(id), children: Vec::new() })
    }
}

impl Column {
    /// The ids of the dictionaries whose keys are in it.
    pub fn ids(&self, found: &mut Vec<i64>) {
        found.extend(self.dictionary);
        self.children.iter().for_each(|child| child.ids(found));
    }
}

fn metadata<'a>(pairs: impl Iterator<Item = ipc::KeyValue<'a>>) -> HashMap<String, String> {
    pairs.filter_map(|pair| Some((pair.key()?.to_owned(), pair.value()?.to_owned()))).collect()
}

fn corrupt(message: impl Into<String>) -> Error {
    Issue::error(Stage::Parse, Code::Corrupt, message).into()
}

fn unsupported(what: impl std::fmt::Display) -> Error {
    let message = format!("{what}, which is not read");
    Issue::error(Stage::Parse, Code::UnsupportedFeature, message).into()
}

fn integer(int: ipc::Int<'_>) -> Result<DataType> {
    Ok(match (int.bitWidth(), int.is_signed()) {
        (8, true) => DataType::Int8,
        (8, false) => DataType::UInt8,
        (16, true) => DataType::Int16,
        (16, false) => DataType::UInt16,
        (32, true) => DataType::Int32,
        (32, false) => DataType::UInt32,
        (64, true) => DataType::Int64,
        (64, false) => DataType::UInt64,
        (bits, _) => return Err(unsupported(format!("integers of {bits} bits"))),
    })
}

fn unit(unit: ipc::TimeUnit) -> Result<TimeUnit> {
    Ok(match unit {
        ipc::TimeUnit::SECOND => TimeUnit::Second,
        ipc::TimeUnit::MILLISECOND => TimeUnit::Millisecond,
        ipc::TimeUnit::MICROSECOND => TimeUnit::Microsecond,
        ipc::TimeUnit::NANOSECOND => TimeUnit::Nanosecond,
        other => return Err(unsupported(format!("times in unit {}", other.0))),
    })
}

fn size(size: i32) -> Result<i32> {
    if size < 0 { Err(corrupt(format!("a type has a size of {size}"))) } else { Ok(size) }
}

/// The type of the values; where they are in a dictionary, of its.
fn data_type(field: ipc::Field<'_>, children: &[Column]) -> Result<DataType> {
    let name = field.name().unwrap_or_default();
    let lacks = || corrupt(format!("the type of field {name:?} is not complete"));
    let only = |count: usize| {
        if children.len() == count {
            return Ok(children.iter().map(|child| child.field.clone()).collect::<Vec<_>>());
        }
        Err(corrupt(format!(
            "field {name:?} has {} fields inside, expected {count}",
            children.len()
        )))
    };
    let one = || only(1).map(|mut fields| fields.swap_remove(0));
    Ok(match field.type_type() {
        ipc::Type::Null => DataType::Null,
        ipc::Type::Bool => DataType::Boolean,
        ipc::Type::Int => integer(field.type_as_int().ok_or_else(lacks)?)?,
        ipc::Type::Binary => DataType::Binary,
        ipc::Type::LargeBinary => DataType::LargeBinary,
        ipc::Type::BinaryView => DataType::BinaryView,
        ipc::Type::Utf8 => DataType::Utf8,
        ipc::Type::LargeUtf8 => DataType::LargeUtf8,
        ipc::Type::Utf8View => DataType::Utf8View,
        ipc::Type::FixedSizeBinary => {
            let width = field.type_as_fixed_size_binary().ok_or_else(lacks)?.byteWidth();
            DataType::FixedSizeBinary(size(width)?)
        }
        ipc::Type::FloatingPoint => {
            match field.type_as_floating_point().ok_or_else(lacks)?.precision() {
                ipc::Precision::HALF => DataType::Float16,
                ipc::Precision::SINGLE => DataType::Float32,
                ipc::Precision::DOUBLE => DataType::Float64,
                other => return Err(unsupported(format!("floats of precision {}", other.0))),
            }
        }
        ipc::Type::Date => match field.type_as_date().ok_or_else(lacks)?.unit() {
            ipc::DateUnit::DAY => DataType::Date32,
            ipc::DateUnit::MILLISECOND => DataType::Date64,
            other => return Err(unsupported(format!("dates in unit {}", other.0))),
        },
        ipc::Type::Time => {
            let time = field.type_as_time().ok_or_else(lacks)?;
            match (time.bitWidth(), unit(time.unit())?) {
                (32, unit @ (TimeUnit::Second | TimeUnit::Millisecond)) => DataType::Time32(unit),
                (64, unit @ (TimeUnit::Microsecond | TimeUnit::Nanosecond)) => {
                    DataType::Time64(unit)
                }
                (bits, unit) => {
                    return Err(unsupported(format!("times of {bits} bits of {unit:?}")));
                }
            }
        }
        ipc::Type::Timestamp => {
            let stamp = field.type_as_timestamp().ok_or_else(lacks)?;
            let zone = stamp.timezone();
            // A NUL in it would end the process where the table is handed to another library.
            if let Some(zone) = zone.filter(|zone| zone.chars().any(char::is_control)) {
                return Err(corrupt(format!("field {name:?} has the time zone {zone:?}")));
            }
            DataType::Timestamp(unit(stamp.unit())?, zone.map(Into::into))
        }
        ipc::Type::Duration => {
            DataType::Duration(unit(field.type_as_duration().ok_or_else(lacks)?.unit())?)
        }
        ipc::Type::Interval => match field.type_as_interval().ok_or_else(lacks)?.unit() {
            ipc::IntervalUnit::YEAR_MONTH => DataType::Interval(IntervalUnit::YearMonth),
            ipc::IntervalUnit::DAY_TIME => DataType::Interval(IntervalUnit::DayTime),
            ipc::IntervalUnit::MONTH_DAY_NANO => DataType::Interval(IntervalUnit::MonthDayNano),
            other => return Err(unsupported(format!("intervals in unit {}", other.0))),
        },
        ipc::Type::Decimal => decimal(field.type_as_decimal().ok_or_else(lacks)?)?,
        ipc::Type::List => DataType::List(one()?),
        ipc::Type::LargeList => DataType::LargeList(one()?),
        ipc::Type::ListView => DataType::ListView(one()?),
        ipc::Type::LargeListView => DataType::LargeListView(one()?),
        ipc::Type::FixedSizeList => {
            let length = field.type_as_fixed_size_list().ok_or_else(lacks)?.listSize();
            DataType::FixedSizeList(one()?, size(length)?)
        }
        ipc::Type::Struct_ => {
            DataType::Struct(children.iter().map(|child| child.field.clone()).collect())
        }
        ipc::Type::Map => {
            let entries = one()?;
            if !matches!(entries.data_type(), DataType::Struct(pair) if pair.len() == 2) {
                return Err(corrupt(format!("the map {name:?} is not of pairs")));
            }
            let sorted = field.type_as_map().ok_or_else(lacks)?.keysSorted();
            DataType::Map(entries, sorted)
        }
        ipc::Type::RunEndEncoded => {
            let [ends, values] = <[FieldRef; 2]>::try_from(only(2)?).map_err(|_| lacks())?;
            if !ends.data_type().is_run_ends_type() || ends.is_nullable() {
                return Err(corrupt(format!("the runs of {name:?} end at {}", ends.data_type())));
            }
            DataType::RunEndEncoded(ends, values)
        }
        ipc::Type::Union => {
            let union = field.type_as_union().ok_or_else(lacks)?;
            let mode = match union.mode() {
                ipc::UnionMode::Sparse => UnionMode::Sparse,
                ipc::UnionMode::Dense => UnionMode::Dense,
                other => return Err(unsupported(format!("unions of mode {}", other.0))),
            };
            let fields = children.iter().map(|child| child.field.clone());
            let ids: Vec<i32> = match union.typeIds() {
                Some(ids) => ids.iter().collect(),
                None => (0..children.len() as i32).collect(),
            };
            if ids.len() != children.len() {
                return Err(corrupt(format!(
                    "the union {name:?} has {} fields and {} ids",
                    children.len(),
                    ids.len()
                )));
            }
            let ids = ids.into_iter().map(i8::try_from).collect::<Result<Vec<_>, _>>();
            let ids = ids.map_err(|_| corrupt(format!("the union {name:?} has ids above 127")))?;
            let fields = UnionFields::try_new(ids, fields)
                .map_err(|error| corrupt(format!("the union {name:?}: {error}")))?;
            DataType::Union(fields, mode)
        }
        other => {
            let kind = other.variant_name().unwrap_or("unknown");
            return Err(unsupported(format!("field {name:?} is of the type {kind} ({})", other.0)));
        }
    })
}

fn decimal(decimal: ipc::Decimal<'_>) -> Result<DataType> {
    let (bits, precision, scale) = (decimal.bitWidth(), decimal.precision(), decimal.scale());
    type Make = fn(u8, i8) -> DataType;
    let (most, make): (u8, Make) = match bits {
        32 => (DECIMAL32_MAX_PRECISION, DataType::Decimal32),
        64 => (DECIMAL64_MAX_PRECISION, DataType::Decimal64),
        128 => (DECIMAL128_MAX_PRECISION, DataType::Decimal128),
        256 => (DECIMAL256_MAX_PRECISION, DataType::Decimal256),
        _ => return Err(unsupported(format!("decimals of {bits} bits"))),
    };
    let fits = u8::try_from(precision).ok().filter(|digits| (1..=most).contains(digits));
    match (fits, i8::try_from(scale)) {
        (Some(digits), Ok(scale)) => Ok(make(digits, scale)),
        _ => Err(corrupt(format!("decimals of {bits} bits, {precision} digits, scale {scale}"))),
    }
}

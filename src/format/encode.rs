//! One value of any Arrow type as text or JSON.

use arrow::array::{
    Array, AsArray, BinaryArray, FixedSizeListArray, GenericListArray, MapArray, OffsetSizeTrait,
    StructArray, UnionArray,
};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::far_times;

/// Turns the values of one array into text.
pub(super) struct Encoder<'a> {
    array: &'a dyn Array,
    kind: Kind<'a>,
}

enum Kind<'a> {
    Null,
    /// Numbers and booleans: bare in JSON.
    Bare(ArrayFormatter<'a>),
    /// Floats: bare, but null where JSON has no word for them.
    Float(ArrayFormatter<'a>),
    /// Everything else that is one value: text in JSON.
    Text(ArrayFormatter<'a>),
    /// Times in a zone nobody knows.
    Time,
    Binary(BinaryArray),
    Dictionary(Vec<usize>, Box<Encoder<'a>>),
    List(Box<Encoder<'a>>, Vec<(usize, usize)>),
    Struct(Vec<(String, Encoder<'a>)>),
    Map(Box<Encoder<'a>>, Box<Encoder<'a>>, Vec<(usize, usize)>),
    Union(&'a UnionArray, Vec<(i8, Encoder<'a>)>),
    /// Run ends: where in the values each row is.
    Runs(Vec<usize>, Box<Encoder<'a>>),
}

const OPTIONS: FormatOptions<'static> = FormatOptions::new();

impl<'a> Encoder<'a> {
    pub(super) fn new(array: &'a dyn Array) -> Result<Self, ArrowError> {
        let formatter = || ArrayFormatter::try_new(array, &OPTIONS);
        let kind = match array.data_type() {
            DataType::Null => Kind::Null,
            DataType::Float16 | DataType::Float32 | DataType::Float64 => Kind::Float(formatter()?),
            DataType::Boolean => Kind::Bare(formatter()?),
            // Whole numbers too long for 64 bits.
            DataType::Decimal128(_, 0) | DataType::Decimal256(_, 0) => Kind::Bare(formatter()?),
            data_type if data_type.is_integer() => Kind::Bare(formatter()?),
            DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_) => {
                Kind::Binary(cast(array, &DataType::Binary)?.as_binary::<i32>().clone())
            }
            DataType::Dictionary(_, _) => {
                let dictionary = array.as_any_dictionary();
                let values = Encoder::new(dictionary.values().as_ref())?;
                // Of a dictionary without values all rows are null.
                let keys = match dictionary.values().is_empty() {
                    true => vec![0; array.len()],
                    false => dictionary.normalized_keys(),
                };
                Kind::Dictionary(keys, Box::new(values))
            }
            DataType::List(_) => list(array.as_list::<i32>())?,
            DataType::LargeList(_) => list(array.as_list::<i64>())?,
            DataType::FixedSizeList(_, _) => fixed_list(array.as_fixed_size_list())?,
            DataType::ListView(_) => list_view(array.as_list_view::<i32>())?,
            DataType::LargeListView(_) => list_view(array.as_list_view::<i64>())?,
            DataType::Struct(_) => structs(array.as_struct())?,
            DataType::Map(_, _) => map(array.as_map())?,
            DataType::Union(_, _) => union(array)?,
            DataType::RunEndEncoded(_, _) => runs(array)?,
            DataType::Timestamp(_, Some(_)) => formatter().map_or(Kind::Time, Kind::Text),
            _ => Kind::Text(formatter()?),
        };
        Ok(Encoder { array, kind })
    }

    pub(super) fn is_null(&self, row: usize) -> bool {
        match &self.kind {
            Kind::Null => true,
            Kind::Dictionary(keys, values) => {
                self.array.is_null(row) || keys.get(row).is_none_or(|key| values.is_null(*key))
            }
            Kind::Runs(rows, values) => values.is_null(rows[row]),
            Kind::Union(union, children) => {
                child(union, children, row).is_none_or(|(c, at)| c.is_null(at))
            }
            _ => self.array.is_null(row),
        }
    }

    fn plain(&self, formatter: &ArrayFormatter<'_>, row: usize) -> Result<String, ArrowError> {
        match formatter.value(row).try_to_string() {
            Ok(text) => Ok(text),
            Err(error) => far_times::text(self.array, row).ok_or(error),
        }
    }

    fn time(&self, row: usize) -> Result<String, ArrowError> {
        let none = || ArrowError::CastError(format!("no time in {}", self.array.data_type()));
        far_times::text(self.array, row).ok_or_else(none)
    }

    /// The value as a csv cell has it, unquoted. Nested values are JSON.
    pub(super) fn text(&self, row: usize, out: &mut Vec<u8>) -> Result<(), ArrowError> {
        match &self.kind {
            Kind::Text(formatter) => {
                out.extend_from_slice(self.plain(formatter, row)?.as_bytes());
                Ok(())
            }
            Kind::Time => {
                out.extend_from_slice(self.time(row)?.as_bytes());
                Ok(())
            }
            Kind::Bare(formatter) | Kind::Float(formatter) => {
                out.extend_from_slice(formatter.value(row).try_to_string()?.as_bytes());
                Ok(())
            }
            Kind::Binary(bytes) => {
                out.extend_from_slice(STANDARD.encode(bytes.value(row)).as_bytes());
                Ok(())
            }
            Kind::Dictionary(keys, values) => values.text(keys[row], out),
            Kind::Runs(rows, values) => values.text(rows[row], out),
            Kind::Union(union, children) => match child(union, children, row) {
                Some((encoder, at)) => encoder.text(at, out),
                None => Ok(()),
            },
            _ => self.json(row, out),
        }
    }

    /// The value as JSON.
    pub(super) fn json(&self, row: usize, out: &mut Vec<u8>) -> Result<(), ArrowError> {
        if self.is_null(row) {
            out.extend_from_slice(b"null");
            return Ok(());
        }
        match &self.kind {
            Kind::Null => out.extend_from_slice(b"null"),
            Kind::Bare(formatter) => {
                out.extend_from_slice(formatter.value(row).try_to_string()?.as_bytes());
            }
            Kind::Float(formatter) => {
                let text = formatter.value(row).try_to_string()?;
                let finite = text
                    .bytes()
                    .all(|byte| !byte.is_ascii_alphabetic() || byte == b'e' || byte == b'E');
                out.extend_from_slice(if finite { text.as_bytes() } else { b"null" });
            }
            Kind::Text(formatter) => json_text(&self.plain(formatter, row)?, out),
            Kind::Time => json_text(&self.time(row)?, out),
            Kind::Binary(_) => {
                out.push(b'"');
                self.text(row, out)?;
                out.push(b'"');
            }
            Kind::Dictionary(keys, values) => values.json(keys[row], out)?,
            Kind::Runs(rows, values) => values.json(rows[row], out)?,
            Kind::Union(union, children) => {
                if let Some((encoder, at)) = child(union, children, row) {
                    encoder.json(at, out)?;
                }
            }
            Kind::List(values, ranges) => {
                out.push(b'[');
                let (start, end) = ranges[row];
                for at in start..end {
                    if at > start {
                        out.push(b',');
                    }
                    values.json(at, out)?;
                }
                out.push(b']');
            }
            Kind::Struct(fields) => {
                out.push(b'{');
                for (index, (name, values)) in fields.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    json_text(name, out);
                    out.push(b':');
                    values.json(row, out)?;
                }
                out.push(b'}');
            }
            Kind::Map(keys, values, ranges) => {
                out.push(b'{');
                let (start, end) = ranges[row];
                for at in start..end {
                    if at > start {
                        out.push(b',');
                    }
                    // Keys of a JSON object are texts, whatever they were.
                    let mut key = Vec::new();
                    keys.text(at, &mut key)?;
                    json_text(&String::from_utf8_lossy(&key), out);
                    out.push(b':');
                    values.json(at, out)?;
                }
                out.push(b'}');
            }
        }
        Ok(())
    }
}

fn list<'a, O: OffsetSizeTrait>(array: &'a GenericListArray<O>) -> Result<Kind<'a>, ArrowError> {
    let offsets = array.value_offsets().windows(2);
    let ranges = offsets.map(|pair| (pair[0].as_usize(), pair[1].as_usize())).collect();
    Ok(Kind::List(Box::new(Encoder::new(array.values().as_ref())?), ranges))
}

fn list_view<'a, O: OffsetSizeTrait>(
    array: &'a arrow::array::GenericListViewArray<O>,
) -> Result<Kind<'a>, ArrowError> {
    let ranges = array.offsets().iter().zip(array.sizes());
    let ranges =
        ranges.map(|(at, size)| (at.as_usize(), at.as_usize() + size.as_usize())).collect();
    Ok(Kind::List(Box::new(Encoder::new(array.values().as_ref())?), ranges))
}

fn fixed_list(array: &FixedSizeListArray) -> Result<Kind<'_>, ArrowError> {
    let size = array.value_length() as usize;
    let ranges = (0..array.len())
        .map(|row| (array.value_offset(row) as usize, array.value_offset(row) as usize + size))
        .collect();
    Ok(Kind::List(Box::new(Encoder::new(array.values().as_ref())?), ranges))
}

fn structs(array: &StructArray) -> Result<Kind<'_>, ArrowError> {
    let fields = array.fields().iter().zip(array.columns());
    let fields = fields.map(|(f, values)| Ok((f.name().clone(), Encoder::new(values.as_ref())?)));
    Ok(Kind::Struct(fields.collect::<Result<_, ArrowError>>()?))
}

fn map(array: &MapArray) -> Result<Kind<'_>, ArrowError> {
    let ranges = array.value_offsets().windows(2).map(|p| (p[0] as usize, p[1] as usize)).collect();
    let keys = Box::new(Encoder::new(array.keys().as_ref())?);
    let values = Box::new(Encoder::new(array.values().as_ref())?);
    Ok(Kind::Map(keys, values, ranges))
}

fn union(array: &dyn Array) -> Result<Kind<'_>, ArrowError> {
    let union = array.as_union();
    let DataType::Union(fields, _) = array.data_type() else {
        return Err(ArrowError::InvalidArgumentError("expected a union".into()));
    };
    let children = fields.iter().map(|(id, _)| Ok((id, Encoder::new(union.child(id).as_ref())?)));
    Ok(Kind::Union(union, children.collect::<Result<_, ArrowError>>()?))
}

fn child<'e, 'a>(
    union: &UnionArray,
    children: &'e [(i8, Encoder<'a>)],
    row: usize,
) -> Option<(&'e Encoder<'a>, usize)> {
    let id = union.type_id(row);
    let (_, encoder) = children.iter().find(|(child, _)| *child == id)?;
    Some((encoder, union.value_offset(row)))
}

fn runs(array: &dyn Array) -> Result<Kind<'_>, ArrowError> {
    use arrow::datatypes::{Int16Type, Int32Type, Int64Type};
    macro_rules! rows {
        ($type:ty) => {
            if let Some(runs) = array.as_run_opt::<$type>() {
                let rows = (0..array.len()).map(|row| runs.get_physical_index(row)).collect();
                return Ok(Kind::Runs(rows, Box::new(Encoder::new(runs.values().as_ref())?)));
            }
        };
    }
    rows!(Int16Type);
    rows!(Int32Type);
    rows!(Int64Type);
    Err(ArrowError::InvalidArgumentError("run ends of an unknown type".into()))
}

/// A text in JSON's quotes.
pub(super) fn json_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..0x20 => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            byte => out.push(byte),
        }
    }
    out.push(b'"');
}

//! Type names in pandas' spelling, from Arrow types and to them.

use arrow::datatypes::{DataType, TimeUnit};

/// The dtype of a column of this Arrow type: `int64`, `object`, `datetime64[us, UTC]`, …
///
/// Text, binary, decimals, times, intervals, nested types and columns without a value are `object`;
/// nulls do not change a dtype.
pub fn dtype_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Boolean => "bool".into(),
        DataType::Int8 => "int8".into(),
        DataType::Int16 => "int16".into(),
        DataType::Int32 => "int32".into(),
        DataType::Int64 => "int64".into(),
        DataType::UInt8 => "uint8".into(),
        DataType::UInt16 => "uint16".into(),
        DataType::UInt32 => "uint32".into(),
        DataType::UInt64 => "uint64".into(),
        DataType::Float16 => "float16".into(),
        DataType::Float32 => "float32".into(),
        DataType::Float64 => "float64".into(),
        DataType::Date32 => "datetime64[s]".into(),
        DataType::Date64 => "datetime64[ms]".into(),
        DataType::Timestamp(unit, None) => format!("datetime64[{}]", unit_name(*unit)),
        DataType::Timestamp(unit, Some(zone)) => {
            format!("datetime64[{}, {}]", unit_name(*unit), zone_name(zone))
        }
        DataType::Duration(unit) => format!("timedelta64[{}]", unit_name(*unit)),
        DataType::RunEndEncoded(_, values) => dtype_name(values.data_type()),
        _ => "object".into(),
    }
}

fn unit_name(unit: TimeUnit) -> &'static str {
    match unit {
        TimeUnit::Second => "s",
        TimeUnit::Millisecond => "ms",
        TimeUnit::Microsecond => "us",
        TimeUnit::Nanosecond => "ns",
    }
}

/// Pandas writes fixed offsets as `UTC+01:00`, and every spelling of zero as `UTC`.
fn zone_name(zone: &str) -> String {
    match zone {
        "UTC" | "Z" | "+00:00" | "-00:00" | "+00" | "+0000" => "UTC".into(),
        _ if zone.starts_with(['+', '-']) => format!("UTC{zone}"),
        _ => zone.into(),
    }
}

/// The Arrow type that a dtype name asks for, in pandas', numpy's or Arrow's words.
pub fn parse_dtype(name: &str) -> Option<DataType> {
    let lower = name.trim().to_lowercase();
    Some(match lower.as_str() {
        "object" | "str" | "string" | "text" | "category" | "utf8" | "large_string" => {
            DataType::Utf8
        }
        "bool" | "boolean" => DataType::Boolean,
        "int8" => DataType::Int8,
        "int16" => DataType::Int16,
        "int32" => DataType::Int32,
        "int" | "int64" => DataType::Int64,
        "uint8" => DataType::UInt8,
        "uint16" => DataType::UInt16,
        "uint32" => DataType::UInt32,
        "uint64" => DataType::UInt64,
        "float32" => DataType::Float32,
        "float" | "float64" | "double" => DataType::Float64,
        "date" | "date32" | "datetime64[d]" => DataType::Date32,
        "time" => DataType::Time64(TimeUnit::Microsecond),
        "datetime" | "timestamp" | "datetime64" => DataType::Timestamp(TimeUnit::Microsecond, None),
        _ => return parse_datetime(&lower),
    })
}

fn parse_datetime(name: &str) -> Option<DataType> {
    let inner = name.strip_prefix("datetime64[")?.strip_suffix(']')?;
    let (unit, zone) = match inner.split_once(',') {
        Some((unit, zone)) => (unit.trim(), Some(zone.trim())),
        None => (inner.trim(), None),
    };
    let unit = match unit {
        "s" => TimeUnit::Second,
        "ms" => TimeUnit::Millisecond,
        "us" => TimeUnit::Microsecond,
        "ns" => TimeUnit::Nanosecond,
        _ => return None,
    };
    match zone {
        None => Some(DataType::Timestamp(unit, None)),
        // Texts carry offsets, not zone names: only UTC can be asked for.
        Some("utc" | "z") => Some(DataType::Timestamp(unit, Some("UTC".into()))),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_the_v2_flow_has_them() {
        let stamp = |zone: Option<&str>| {
            dtype_name(&DataType::Timestamp(TimeUnit::Millisecond, zone.map(Into::into)))
        };
        assert_eq!(stamp(None), "datetime64[ms]");
        assert_eq!(stamp(Some("Europe/Berlin")), "datetime64[ms, Europe/Berlin]");
        assert_eq!(stamp(Some("+01:00")), "datetime64[ms, UTC+01:00]");
        assert_eq!(stamp(Some("Z")), "datetime64[ms, UTC]");
        assert_eq!(dtype_name(&DataType::Date32), "datetime64[s]");
        assert_eq!(dtype_name(&DataType::LargeUtf8), "object");
        assert_eq!(dtype_name(&DataType::Decimal128(10, 2)), "object");
        assert_eq!(dtype_name(&DataType::Null), "object");
    }

    #[test]
    fn own_names_are_read_back() {
        for data_type in [
            DataType::Int8,
            DataType::UInt64,
            DataType::Float32,
            DataType::Boolean,
            DataType::Timestamp(TimeUnit::Nanosecond, None),
            DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        ] {
            assert_eq!(parse_dtype(&dtype_name(&data_type)), Some(data_type));
        }
        assert_eq!(parse_dtype("complex128"), None);
    }
}

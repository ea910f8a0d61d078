//! Every bound in one struct, handed down every stage. No default means "unbounded".

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::options::nearest;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

macro_rules! limits {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $default:expr, $kind:ident;)*) => {
        /// How much of anything a file may have. Over a bound the answer is an error of kind
        /// [`LimitExceeded`](crate::ErrorKind::LimitExceeded) that names it.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub struct Limits {
            $($(#[$doc])* pub $name: $type,)*
        }

        impl Default for Limits {
            fn default() -> Self {
                Limits { $($name: $default,)* }
            }
        }

        impl Limits {
            /// The name of every bound, which is that of its field.
            pub const NAMES: &[&str] = &[$(stringify!($name),)*];

            /// Sets the bound of this name from text: bytes as `64MiB` or `200MB`, times as `30s`
            /// or `5min`, whatever else as a whole number. `Err` says what was expected.
            ///
            /// ```
            /// let mut limits = tablemill::Limits::default();
            /// limits.set("value_bytes", "1MiB").unwrap();
            /// limits.set("time", "90s").unwrap();
            /// assert_eq!((limits.value_bytes, limits.time.as_secs()), (1 << 20, 90));
            /// assert!(limits.set("rowz", "1").unwrap_err().ends_with("did you mean rows?"));
            /// ```
            pub fn set(&mut self, name: &str, text: &str) -> Result<(), String> {
                match name {
                    $(stringify!($name) => {
                        let value = $kind(text)?;
                        self.$name = TryFrom::try_from(value)
                            .map_err(|_| format!("got {text}, expected a smaller number"))?;
                    })*
                    _ => {
                        let near = nearest(name, Self::NAMES.iter().copied());
                        let hint = near.map(|near| format!("; did you mean {near}?"));
                        return Err(format!("unknown name {name:?}{}", hint.unwrap_or_default()));
                    }
                }
                Ok(())
            }
        }
    };
}

limits! {
    /// Bytes of a file as it comes, and of an upload. 64 GiB; a server sets 1 GiB.
    input_bytes: u64 = 64 * GIB, bytes;
    /// Bytes out of all compressions of one file together. 8 GiB.
    inflated_bytes: u64 = 8 * GIB, bytes;
    /// Bytes out for each byte in, counted once `ratio_free_bytes` have come out. 1,000.
    inflation_ratio: u64 = 1_000, count;
    /// Bytes that may come out before the ratio counts. 256 MiB.
    ratio_free_bytes: u64 = 256 * MIB, bytes;
    /// Bytes out for each byte in of one part of a workbook, counted past 100 KiB. 100.
    part_ratio: u64 = 100, count;
    /// Layers of compression. 3.
    nesting: usize = 3, count;
    /// Members of an archive. 10,000.
    archive_entries: usize = 10_000, count;
    /// Bytes held in memory while inflating; beyond it they go to a temporary file. 64 MiB.
    spool_bytes: u64 = 64 * MIB, bytes;
    /// Tables of one file. 1,000.
    tables: usize = 1_000, count;
    /// Columns of one table. 16,384.
    columns: usize = 16_384, count;
    /// Rows of one table. 2³¹ − 1.
    rows: u64 = (1 << 31) - 1, count;
    /// Bytes of one value. 64 MiB.
    value_bytes: u64 = 64 * MIB, bytes;
    /// Cells of a workbook, empty ones in between included. 200 million.
    sheet_cells: u64 = 200_000_000, count;
    /// Nesting of a JSON document. 128, which is also the most.
    json_depth: usize = 128, count;
    /// Issues listed in a report; all are counted. 1,000.
    issues: usize = 1_000, count;
    /// Memory for one file, SQL included. A [`Worker`](crate::Worker) holds all of it to this bound; in
    /// this process only SQL is. 8 GiB.
    memory_bytes: u64 = 8 * GIB, bytes;
    /// Time for one file, SQL included. A [`Worker`](crate::Worker) is ended when it is up; in this
    /// process it is looked at between steps of the work. 10 min.
    time: Duration = Duration::from_secs(600), time;
    /// SQL steps of one file. 100.
    sql_steps: usize = 100, count;
    /// Bytes of one SQL text. 100 kB.
    sql_text_bytes: usize = 100_000, bytes;
    /// Memory of one SQL run. 2 GiB.
    sql_memory_bytes: u64 = 2 * GIB, bytes;
    /// Time of one SQL run. 60 s.
    sql_time: Duration = Duration::from_secs(60), time;
}

impl Limits {
    /// Memory of one SQL run: its own bound, and that of all work.
    pub(crate) fn sql_memory(&self) -> u64 {
        self.sql_memory_bytes.min(self.memory_bytes)
    }
}

/// A whole number.
fn count(text: &str) -> Result<u64, String> {
    text.trim().parse().map_err(|_| format!("got {text}, expected a whole number from 0"))
}

/// `1048576`, `200MB`, `1.5 GiB`, `4k`: powers of 1,000, or of 1,024 where there is an `i`.
pub(crate) fn bytes(text: &str) -> Result<u64, String> {
    let expected = || format!("got {text}, expected bytes such as 1048576, 200MB or 1GiB");
    let (number, unit) = number_and_unit(text);
    let factor: u64 = match unit.as_str() {
        "" | "b" => 1,
        "k" | "kb" => 1_000,
        "m" | "mb" => 1_000_000,
        "g" | "gb" => 1_000_000_000,
        "t" | "tb" => 1_000_000_000_000,
        "kib" => KIB,
        "mib" => MIB,
        "gib" => GIB,
        "tib" => 1 << 40,
        _ => return Err(expected()),
    };
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(factor).ok_or_else(expected);
    }
    match number.parse::<f64>() {
        Ok(number) if number > 0.0 && number * (factor as f64) < 1e18 => {
            Ok((number * factor as f64).ceil() as u64)
        }
        _ => Err(expected()),
    }
}

/// `30`, `0.5`, `500ms`, `30s`, `5min`, `2h`.
fn time(text: &str) -> Result<Duration, String> {
    let expected = || format!("got {text}, expected seconds such as 30 or 0.5, or 500ms, 5min, 2h");
    let (number, unit) = number_and_unit(text);
    let factor = match unit.as_str() {
        "" | "s" => 1.0,
        "ms" => 0.001,
        "min" | "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(expected()),
    };
    let number: f64 = number.parse().map_err(|_| expected())?;
    Duration::try_from_secs_f64(number * factor).map_err(|_| expected())
}

fn number_and_unit(text: &str) -> (&str, String) {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    (number, unit.trim().to_lowercase())
}

/// A number of bytes as people write it: `1.5 MiB`.
pub fn human_bytes(bytes: u64) -> String {
    let (unit, size) = match bytes {
        b if b >= GIB => ("GiB", GIB),
        b if b >= MIB => ("MiB", MIB),
        b if b >= KIB => ("KiB", KIB),
        b => return format!("{b} bytes"),
    };
    let value = bytes as f64 / size as f64;
    if value.fract() == 0.0 { format!("{value:.0} {unit}") } else { format!("{value:.1} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_may_have_a_unit() {
        for (text, expected) in [
            ("0", 0),
            ("1048576", 1_048_576),
            ("200MB", 200_000_000),
            ("1GiB", GIB),
            ("1.5 kib", 1_536),
            ("4k", 4_000),
        ] {
            assert_eq!(bytes(text), Ok(expected), "{text}");
        }
        for text in ["", "-1", "1.2.3", "GB", "3 apples", "99999999999TB", "."] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_may_have_a_unit() {
        for (text, seconds) in [("30", 30.0), ("0.5s", 0.5), ("250 ms", 0.25), ("2h", 7200.0)] {
            assert_eq!(time(text), Ok(Duration::from_secs_f64(seconds)), "{text}");
        }
        for text in ["", "-1", "1 day", "s", "1e400", "99999999999999999999999h"] {
            assert!(time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_limit_can_be_set() {
        for name in Limits::NAMES {
            let mut limits = Limits::default();
            assert_eq!(limits.set(name, "7"), Ok(()), "{name}");
            assert_ne!(limits, Limits::default(), "{name}");
            assert!(limits.set(name, "-7").unwrap_err().starts_with("got -7, expected"), "{name}");
        }
    }
}

//! Pandas' parser options, as one typed struct that all faces fill from JSON.

use serde_json::{Map, Value};

use super::cell_range::CellRange;
use super::dtype::parse_dtype;
use super::kinds::{
    BadLines, Columns, Dtypes, EncodingErrors, Header, NaValues, OptionProblem, ParseDates, Sheets,
    SkipRows, UnknownOption,
};
use super::values::{
    boolean, character, list, nearest, python_encoding, scalar_text, show, text, texts, whole,
};

macro_rules! parser_options {
    ($($(#[$doc:meta])* $field:ident: $type:ty,)*) => {
        /// Parser options under pandas' names; see pandas' `read_csv`, `read_json`, `read_excel`.
        /// `None` means: find it out.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct ParserOptions {
            $($(#[$doc])* pub $field: Option<$type>,)*
            given: Map<String, Value>,
            unknown: Vec<UnknownOption>,
        }
    };
}

parser_options! {
    /// Between cells: one or more characters, or a regular expression such as `\s+`.
    sep: String,
    /// Between rows; found out among `\n`, `\r\n` and `\r` where absent.
    lineterminator: char,
    /// Around cells; `Some(None)` for no quoting.
    quotechar: Option<char>,
    /// 0 to 3 as in Python's csv module; 3 means that quotes are ordinary text.
    quoting: u64,
    /// Whether a quote inside quotes is written twice.
    doublequote: bool,
    /// What takes the meaning from the next character.
    escapechar: Option<char>,
    /// Whether the escape counts outside of quotes too, and before any character; true where absent.
    escape_outside: bool,
    /// What a comment begins with; empty for no comments.
    comment: String,
    /// Whether blanks after a separator are no part of the cell.
    skipinitialspace: bool,
    /// The text's encoding, by any of its names.
    encoding: String,
    /// What to do with bytes that are no text.
    encoding_errors: EncodingErrors,
    /// Where the column names are.
    header: Header,
    /// The column names.
    names: Vec<String>,
    /// The columns wanted.
    usecols: Columns,
    /// A column that pandas would make its index; here it stays a column.
    index_col: Value,
    /// What to put before the position where there are no names.
    prefix: String,
    /// Whether doubled column names are made unique. Always so.
    mangle_dupe_cols: bool,
    /// Lines left out at the top.
    skiprows: SkipRows,
    /// Rows left out at the end.
    skipfooter: u64,
    /// Whether several tables are stacked in one text, with blank lines between them.
    stacked: bool,
    /// The number of rows wanted.
    nrows: u64,
    /// Start and length of the part to read, in bytes.
    byte_range: (u64, u64),
    /// Whether blank lines are no rows.
    skip_blank_lines: bool,
    /// What to do with rows of the wrong length; repaired where absent.
    on_bad_lines: BadLines,
    /// The types asked for.
    dtype: Dtypes,
    /// The decimal mark.
    decimal: char,
    /// The mark between groups of digits.
    thousands: char,
    /// Texts that mean true.
    true_values: Vec<String>,
    /// Texts that mean false.
    false_values: Vec<String>,
    /// Texts that mean null.
    na_values: NaValues,
    /// Whether pandas' usual texts mean null as well.
    keep_default_na: bool,
    /// Whether any text means null at all.
    na_filter: bool,
    /// Which columns hold dates.
    parse_dates: ParseDates,
    /// Whether 1/2/2026 is the first of February.
    dayfirst: bool,
    /// The compression, where it is not declared elsewhere: `infer`, `gzip`, `zip`, …
    compression: String,
    /// The layout of a JSON document.
    orient: String,
    /// Whether JSON comes one value a line.
    lines: bool,
    /// The keys that lead to the rows in a JSON document.
    record_path: Vec<String>,
    /// Which sheets to read.
    sheet_name: Sheets,
    /// The cells of a sheet to read, one table each.
    range: Vec<CellRange>,
    /// The tables that a workbook itself names, of which to read these.
    table_name: Vec<String>,
    /// Parquet row groups to read.
    row_groups: Vec<u64>,
    /// ORC stripes to read.
    stripes: Vec<u64>,
}

type Setter = fn(&mut ParserOptions, &Value) -> Result<(), String>;

/// Every option: its name and how its value is read. One row is all that a new option needs here.
static OPTIONS: &[(&str, Setter)] = &[
    ("sep", set_sep),
    ("delimiter", set_sep),
    ("delim_whitespace", |o, v| {
        if boolean(v)? {
            o.sep = Some(r"\s+".into());
        }
        Ok(())
    }),
    ("lineterminator", |o, v| {
        o.lineterminator = Some(character(v)?.ok_or("got \"\", expected one character")?);
        Ok(())
    }),
    ("quotechar", |o, v| set(&mut o.quotechar, character(v))),
    ("quoting", |o, v| match whole(v)? {
        quoting @ 0..=3 => set(&mut o.quoting, Ok(quoting)),
        _ => Err(format!("got {}, expected 0 to 3", show(v))),
    }),
    ("doublequote", |o, v| set(&mut o.doublequote, boolean(v))),
    ("escapechar", |o, v| set(&mut o.escapechar, character(v))),
    ("escape_outside", |o, v| set(&mut o.escape_outside, boolean(v))),
    ("comment", |o, v| set(&mut o.comment, text(v))),
    ("skipinitialspace", |o, v| set(&mut o.skipinitialspace, boolean(v))),
    ("encoding", |o, v| {
        let name = text(v)?;
        let label = python_encoding(&name);
        match encoding_rs::Encoding::for_label(label.as_bytes()) {
            Some(_) => set(&mut o.encoding, Ok(name)),
            // No encoding of the web, but text all the same.
            None if matches!(label.as_str(), "utf-32" | "utf-32le" | "utf-32be") => {
                set(&mut o.encoding, Ok(name))
            }
            None => Err(format!("got {name:?}, expected the name of a text encoding")),
        }
    }),
    ("encoding_errors", |o, v| {
        let errors = match text(v)?.as_str() {
            "strict" => EncodingErrors::Strict,
            "replace" => EncodingErrors::Replace,
            _ => return Err(format!("got {}, expected strict or replace", show(v))),
        };
        set(&mut o.encoding_errors, Ok(errors))
    }),
    ("header", set_header),
    ("names", |o, v| match list(v) {
        Some(_) => set(&mut o.names, texts(v)),
        None => Err(format!("got {}, expected a list of names", show(v))),
    }),
    ("usecols", |o, v| set(&mut o.usecols, texts(v))),
    ("columns", |o, v| set(&mut o.usecols, texts(v))),
    ("index_col", |o, v| set(&mut o.index_col, Ok(v.clone()))),
    ("prefix", |o, v| set(&mut o.prefix, text(v))),
    ("mangle_dupe_cols", |o, v| set(&mut o.mangle_dupe_cols, boolean(v))),
    ("skiprows", set_skiprows),
    ("skip_rows", set_skiprows),
    ("skipfooter", |o, v| set(&mut o.skipfooter, whole(v))),
    ("stacked", |o, v| set(&mut o.stacked, boolean(v))),
    ("nrows", |o, v| set(&mut o.nrows, whole(v))),
    ("num_rows", |o, v| set(&mut o.nrows, whole(v))),
    ("byte_range", |o, v| match list(v).map(Vec::as_slice) {
        Some([start, length]) => set(&mut o.byte_range, Ok((whole(start)?, whole(length)?))),
        _ => Err(format!("got {}, expected [start, length]", show(v))),
    }),
    ("skip_blank_lines", |o, v| set(&mut o.skip_blank_lines, boolean(v))),
    ("on_bad_lines", |o, v| {
        let bad_lines = match text(v)?.as_str() {
            "error" => BadLines::Error,
            "warn" => BadLines::Warn,
            "skip" => BadLines::Skip,
            _ => return Err(format!("got {}, expected error, warn or skip", show(v))),
        };
        set(&mut o.on_bad_lines, Ok(bad_lines))
    }),
    ("dtype", set_dtype),
    ("decimal", |o, v| {
        o.decimal = Some(character(v)?.ok_or("got \"\", expected one character")?);
        Ok(())
    }),
    ("thousands", |o, v| {
        o.thousands = Some(character(v)?.ok_or("got \"\", expected one character")?);
        Ok(())
    }),
    ("true_values", |o, v| set(&mut o.true_values, texts(v))),
    ("false_values", |o, v| set(&mut o.false_values, texts(v))),
    ("na_values", |o, v| {
        let values = match v {
            Value::Object(map) => NaValues::ByName(
                map.iter()
                    .map(|(column, values)| Ok((column.clone(), texts(values)?)))
                    .collect::<Result<_, String>>()?,
            ),
            _ => NaValues::All(texts(v)?),
        };
        set(&mut o.na_values, Ok(values))
    }),
    ("keep_default_na", |o, v| set(&mut o.keep_default_na, boolean(v))),
    ("na_filter", |o, v| set(&mut o.na_filter, boolean(v))),
    ("parse_dates", |o, v| {
        let dates = match v {
            Value::Array(_) => ParseDates::Columns(texts(v)?),
            _ => ParseDates::All(boolean(v).map_err(|_| {
                format!("got {}, expected true, false or a list of columns", show(v))
            })?),
        };
        set(&mut o.parse_dates, Ok(dates))
    }),
    ("dayfirst", |o, v| set(&mut o.dayfirst, boolean(v))),
    ("compression", |o, v| {
        let name = text(v)?;
        match name.as_str() {
            "infer" | "" => Ok(()),
            _ => match name.parse::<super::Compression>() {
                Ok(_) => set(&mut o.compression, Ok(name)),
                // Arrow clients name the codec of the record batches here, which the file says itself.
                Err(_) if matches!(name.as_str(), "lz4" | "none" | "uncompressed") => Ok(()),
                Err(problem) => Err(problem),
            },
        }
    }),
    ("orient", |o, v| set(&mut o.orient, text(v))),
    ("lines", |o, v| set(&mut o.lines, boolean(v))),
    ("record_path", |o, v| {
        let path = match v {
            Value::String(pointer) if pointer.starts_with('/') => pointer_keys(pointer),
            _ => texts(v)?,
        };
        match path.is_empty() {
            true => Err("got [], expected a key, a list of keys or a JSON pointer".into()),
            false => set(&mut o.record_path, Ok(path)),
        }
    }),
    ("sheet_name", |o, v| set(&mut o.sheet_name, texts(v).map(Sheets::Some))),
    ("range", |o, v| {
        let ranges = texts(v)?;
        if ranges.is_empty() {
            return Err("got [], expected at least one range such as \"B3:F20\"".into());
        }
        set(&mut o.range, ranges.iter().map(|range| range.parse()).collect())
    }),
    ("table_name", |o, v| set(&mut o.table_name, texts(v))),
    ("row_groups", |o, v| set(&mut o.row_groups, wholes(v))),
    ("stripes", |o, v| set(&mut o.stripes, wholes(v))),
];

impl ParserOptions {
    /// The options of a JSON object. `null` means absent; an unknown name is kept for a warning;
    /// all impossible values are reported at once.
    ///
    /// ```
    /// use tablemill::ParserOptions;
    /// let json = serde_json::json!({"sep": ";", "nrows": "10", "hedaer": 0});
    /// let options = ParserOptions::from_json(json.as_object().unwrap()).unwrap();
    /// assert_eq!(options.nrows, Some(10));
    /// assert_eq!(options.unknown()[0].nearest, Some("header"));
    /// ```
    pub fn from_json(map: &Map<String, Value>) -> Result<Self, Vec<OptionProblem>> {
        let mut options = ParserOptions::default();
        let mut problems = Vec::new();
        for (name, value) in map {
            if let Err(problem) = options.set(name, value) {
                problems.push(problem);
            }
        }
        if problems.is_empty() { Ok(options) } else { Err(problems) }
    }

    /// Sets one option from a JSON value, as [`from_json`](Self::from_json) does.
    pub fn set(&mut self, name: &str, value: &Value) -> Result<(), OptionProblem> {
        if value.is_null() {
            return Ok(());
        }
        match OPTIONS.iter().find(|(known, _)| *known == name) {
            Some((known, setter)) => {
                setter(self, value)
                    .map_err(|problem| OptionProblem { name: name.into(), problem })?;
                self.given.insert((*known).into(), value.clone());
            }
            None => self.unknown.push(UnknownOption {
                name: name.into(),
                nearest: match name {
                    "separator" | "delim" | "seperator" => Some("sep"),
                    _ => nearest(name, ParserOptions::names()),
                },
            }),
        }
        Ok(())
    }

    /// The names of all options.
    pub fn names() -> impl Iterator<Item = &'static str> {
        OPTIONS.iter().map(|(name, _)| *name)
    }

    /// Whether `name` is an option.
    pub fn is_known(name: &str) -> bool {
        ParserOptions::names().any(|known| known == name)
    }

    /// The options that were given, as they were given.
    pub fn given(&self) -> &Map<String, Value> {
        &self.given
    }

    /// The options that were given but that nobody knows.
    pub fn unknown(&self) -> &[UnknownOption] {
        &self.unknown
    }
}

fn set<T>(field: &mut Option<T>, value: Result<T, String>) -> Result<(), String> {
    *field = Some(value?);
    Ok(())
}

fn wholes(value: &Value) -> Result<Vec<u64>, String> {
    match list(value) {
        Some(items) => items.iter().map(whole).collect(),
        None => Ok(vec![whole(value)?]),
    }
}

/// The keys of a JSON pointer (RFC 6901).
fn pointer_keys(pointer: &str) -> Vec<String> {
    pointer[1..].split('/').map(|key| key.replace("~1", "/").replace("~0", "~")).collect()
}

fn set_sep(options: &mut ParserOptions, value: &Value) -> Result<(), String> {
    let sep = text(value)?;
    if sep.is_empty() {
        return Err("got \"\", expected at least one character".into());
    }
    if sep.chars().count() > 1 {
        regex::Regex::new(&sep).map_err(|_| format!("{sep:?} is no regular expression"))?;
    }
    options.sep = Some(sep);
    Ok(())
}

fn set_header(options: &mut ParserOptions, value: &Value) -> Result<(), String> {
    options.header = match value {
        Value::String(word) if word == "infer" => None,
        Value::String(word) if word.eq_ignore_ascii_case("none") => Some(Header::None),
        Value::Bool(false) => Some(Header::None),
        Value::Bool(true) => Some(Header::Rows(vec![0])),
        Value::Number(number) if number.as_i64() == Some(-1) => Some(Header::None),
        _ => match wholes(value) {
            Ok(mut rows) if !rows.is_empty() => {
                rows.sort_unstable();
                rows.dedup();
                Some(Header::Rows(rows))
            }
            _ => {
                return Err(format!(
                    "got {}, expected a row number from 0, a list of them, \"infer\" or \"none\"",
                    show(value)
                ));
            }
        },
    };
    Ok(())
}

fn set_skiprows(options: &mut ParserOptions, value: &Value) -> Result<(), String> {
    options.skiprows = Some(match list(value) {
        Some(_) => {
            let mut lines = wholes(value)?;
            lines.sort_unstable();
            lines.dedup();
            SkipRows::Lines(lines)
        }
        None => SkipRows::First(whole(value).map_err(|got| got + ", or a list of rows")?),
    });
    Ok(())
}

fn set_dtype(options: &mut ParserOptions, value: &Value) -> Result<(), String> {
    let one = |value: &Value| {
        let name = scalar_text(value)?;
        parse_dtype(&name).ok_or_else(|| {
            format!(
                "got {name:?}, expected a type such as int64, float64, bool, str, datetime64[us]"
            )
        })
    };
    options.dtype = match value {
        Value::Bool(false) => Some(Dtypes::AsIs),
        Value::Bool(true) => None,
        Value::Object(map) => Some(Dtypes::ByName(
            map.iter()
                .map(|(column, value)| {
                    one(value)
                        .map(|data_type| (column.clone(), data_type))
                        .map_err(|problem| format!("{column}: {problem}"))
                })
                .collect::<Result<_, String>>()?,
        )),
        Value::Array(items) => {
            Some(Dtypes::ByPosition(items.iter().map(one).collect::<Result<_, _>>()?))
        }
        _ => Some(Dtypes::All(one(value)?)),
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse(value: Value) -> Result<ParserOptions, Vec<OptionProblem>> {
        ParserOptions::from_json(value.as_object().unwrap())
    }

    #[test]
    fn lenient_values() {
        let options = parse(json!({
            "sep": "\t", "header": 0, "nrows": "5", "skip_blank_lines": "True",
            "usecols": ["a", 2], "dtype": {"a": "int32"}, "na_values": "-", "encoding": "cp1252",
            "comment": null
        }))
        .unwrap();
        assert_eq!(options.sep.as_deref(), Some("\t"));
        assert_eq!(options.header, Some(Header::Rows(vec![0])));
        assert_eq!(options.nrows, Some(5));
        assert_eq!(options.skip_blank_lines, Some(true));
        assert_eq!(options.usecols, Some(vec!["a".into(), "2".into()]));
        assert_eq!(options.comment, None);
        assert!(!options.given().contains_key("comment"));
    }

    #[test]
    fn paths_to_rows() {
        let path = |value: Value| parse(json!({"record_path": value})).map(|o| o.record_path);
        let keys = |keys: &[&str]| Ok(Some(keys.iter().map(|key| (*key).to_owned()).collect()));
        assert_eq!(path(json!("data")), keys(&["data"]));
        assert_eq!(path(json!(["response", "docs"])), keys(&["response", "docs"]));
        assert_eq!(path(json!("/a~1b/c~0d")), keys(&["a/b", "c~d"]));
        assert!(path(json!([])).is_err() && path(json!({"a": 1})).is_err());
    }

    #[test]
    fn all_problems_at_once() {
        let problems = parse(json!({"sep": 3, "quoting": 9, "dtype": {"v": "int65"}})).unwrap_err();
        let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(texts[0], "sep: got 3, expected a string");
        assert_eq!(texts[1], "quoting: got 9, expected 0 to 3");
        assert!(texts[2].starts_with("dtype: v: got \"int65\", expected a type"), "{}", texts[2]);
    }
}

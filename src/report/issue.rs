//! One thing that was wrong, guessed, repaired or ignored: what, where, and what to do about it.

use serde::{Deserialize, Serialize};

/// How bad an [`Issue`] is. A file with an error has no faithful table; a warning leaves it valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// No faithful table can be made.
    Error,
    /// Something was repaired, guessed or ignored without losing data.
    Warning,
}

/// The stage of the pipeline that raised an [`Issue`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Opening and reading the bytes.
    Source,
    /// Unwrapping gzip, bz2, xz, zstd and zip.
    Decompress,
    /// Telling what the bytes are.
    Detect,
    /// Reading tables and inferring types.
    Parse,
    /// Running SQL.
    Transform,
    /// A bound of [`Limits`](crate::Limits) was passed.
    Limits,
}

impl Stage {
    /// The name used in reports: `decompress`, `parse`, …
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Source => "source",
            Stage::Decompress => "decompress",
            Stage::Detect => "detect",
            Stage::Parse => "parse",
            Stage::Transform => "transform",
            Stage::Limits => "limits",
        }
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)*) => {
        /// What kind of thing an [`Issue`] is about. The texts are stable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[$doc])* #[serde(rename = $text)] $variant,)*
        }

        impl Code {
            /// Every code, in the order of the documentation.
            pub const ALL: &[Code] = &[$(Code::$variant,)*];

            /// The stable snake_case text of this code.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $text,)* }
            }
        }
    };
}

codes! {
    /// The file could not be opened or read.
    Io = "io",
    /// The bytes are not in the declared compression.
    CompressionMismatch = "compression_mismatch",
    /// A compression that is recognised but not read.
    UnsupportedCompression = "unsupported_compression",
    /// The data ends before it should.
    Truncated = "truncated",
    /// The data is damaged.
    Corrupt = "corrupt",
    /// The data is behind a password.
    Encrypted = "encrypted",
    /// An archive without a usable member.
    NoMembers = "no_members",
    /// More layers of compression than allowed.
    NestedTooDeep = "nested_too_deep",
    /// The bytes are not of the declared type.
    TypeMismatch = "type_mismatch",
    /// The bytes are of no type we know.
    UnknownFormat = "unknown_format",
    /// A browser form was sent instead of the file's bytes.
    MultipartBody = "multipart_body",
    /// Nothing there.
    Empty = "empty",
    /// The text breaks the rules of its format.
    Syntax = "syntax",
    /// A value does not fit the type that was asked for.
    BadValue = "bad_value",
    /// Bytes that are no text in the encoding used.
    BadEncoding = "bad_encoding",
    /// An option has an impossible value.
    BadOption = "bad_option",
    /// A column that is not there was named.
    UnknownColumn = "unknown_column",
    /// A sheet that is not there was named.
    UnknownSheet = "unknown_sheet",
    /// A feature of the format that we do not read.
    UnsupportedFeature = "unsupported_feature",
    /// SQL that does not parse.
    SqlSyntax = "sql_syntax",
    /// SQL that is not exactly one query.
    NotOneQuery = "not_one_query",
    /// SQL that would reach outside the file's tables.
    Forbidden = "forbidden",
    /// SQL that names a table that is not there.
    UnknownTable = "unknown_table",
    /// SQL that failed while planned or run.
    SqlError = "sql_error",
    /// More bytes than allowed came in.
    UploadTooLarge = "upload_too_large",
    /// More bytes than allowed came out of a compression.
    InflatedTooLarge = "inflated_too_large",
    /// More rows than allowed.
    TooManyRows = "too_many_rows",
    /// More columns than allowed.
    TooManyColumns = "too_many_columns",
    /// More tables than allowed.
    TooManyTables = "too_many_tables",
    /// A value longer, or a sheet with more cells, than allowed.
    ValueTooLarge = "value_too_large",
    /// More cells, empty ones in between included, than allowed.
    TooManyCells = "too_many_cells",
    /// Nesting deeper than allowed.
    TooDeep = "too_deep",
    /// The memory allowed was used up.
    OutOfMemory = "out_of_memory",
    /// The time allowed was used up.
    Timeout = "timeout",
    /// A row with fewer cells than the table has columns; padded with nulls.
    ShortRow = "short_row",
    /// A row with more cells than the header; the surplus went to extra columns.
    LongRow = "long_row",
    /// A row left out because `on_bad_lines` says so.
    SkippedRow = "skipped_row",
    /// A quote that is never closed.
    UnclosedQuote = "unclosed_quote",
    /// Text after a closing quote.
    StrayQuote = "stray_quote",
    /// A NUL byte in a text; it stays in its cell.
    NulByte = "nul_byte",
    /// The encoding was guessed.
    GuessedEncoding = "guessed_encoding",
    /// An option nobody knows.
    UnknownOption = "unknown_option",
    /// An option that has no effect here.
    OptionIgnored = "option_ignored",
    /// Column names that were there twice, and were renamed.
    DuplicateColumn = "duplicate_column",
    /// Names with a NUL, which Arrow's C interface cannot hold; a sign stands for it.
    RenamedColumn = "renamed_column",
    /// A key that is there twice in one object; the last one counts.
    DuplicateKey = "duplicate_key",
    /// Lines above the table that were left out.
    SkippedLines = "skipped_lines",
    /// A key that describes the file and is no column.
    SkippedKey = "skipped_key",
    /// An archive member that was left out.
    SkippedMember = "skipped_member",
    /// A sheet without cells.
    EmptySheet = "empty_sheet",
    /// A sheet that is hidden in the workbook; it is read all the same.
    HiddenSheet = "hidden_sheet",
    /// Cells of a sheet that are part of no table.
    StrayCells = "stray_cells",
    /// Cells merged into one, whose value counts for the first or for each.
    MergedCells = "merged_cells",
    /// A spreadsheet cell that holds an error such as `#DIV/0!`.
    CellError = "cell_error",
    /// Bytes after the end of the data.
    TrailingData = "trailing_data",
    /// Values of several kinds in one column, kept as text.
    MixedTypes = "mixed_types",
    /// Numbers with more digits than a float holds.
    FloatPrecision = "float_precision",
    /// Times that could not be read to the last digit, or may be off.
    TimePrecision = "time_precision",
    /// What a file's metadata says of its rows and values is not so.
    WrongStatistics = "wrong_statistics",
    /// Days and months that could be read either way.
    AmbiguousDate = "ambiguous_date",
    /// Marks in numbers that could set off thousands or decimals.
    AmbiguousNumber = "ambiguous_number",
}

/// One thing that was wrong, guessed, repaired or ignored.
///
/// `row` counts data rows from 1 without headers; `line` counts physical lines from 1 in the
/// decompressed text; `byte_offset` counts from 0 in the decompressed bytes (for the stage
/// `decompress` in the bytes as they came; for `transform` in the SQL text).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Issue {
    /// How bad it is.
    pub severity: Severity,
    /// Who found it.
    pub stage: Stage,
    /// What kind of thing it is.
    pub code: Code,
    /// One line: what was got, what was expected.
    pub message: String,
    /// The table or archive member concerned.
    pub table: Option<String>,
    /// Data row, from 1.
    pub row: Option<u64>,
    /// Physical line, from 1.
    pub line: Option<u64>,
    /// Column name.
    pub column: Option<String>,
    /// Byte offset, from 0.
    pub byte_offset: Option<u64>,
    /// The raw text concerned, escaped, at most [`RAW_CHARACTERS`] characters, `…` where cut.
    pub raw: Option<String>,
    /// What to do next.
    pub hint: Option<String>,
    /// SQL step, from 0.
    pub step: Option<u64>,
}

/// At most so many characters of raw text are quoted in an issue.
pub const RAW_CHARACTERS: usize = 200;

impl Issue {
    fn new(severity: Severity, stage: Stage, code: Code, message: String) -> Self {
        Issue {
            severity,
            stage,
            code,
            message: short(message),
            table: None,
            row: None,
            line: None,
            column: None,
            byte_offset: None,
            raw: None,
            hint: None,
            step: None,
        }
    }

    /// An issue that makes the file invalid.
    pub fn error(stage: Stage, code: Code, message: impl Into<String>) -> Self {
        Issue::new(Severity::Error, stage, code, message.into())
    }

    /// An issue that leaves the file valid.
    pub fn warning(stage: Stage, code: Code, message: impl Into<String>) -> Self {
        Issue::new(Severity::Warning, stage, code, message.into())
    }

    /// A bound of [`Limits`](crate::Limits) that was passed; `option` is the bound's name there.
    pub fn limit(code: Code, message: impl Into<String>, option: &str) -> Self {
        Issue::error(Stage::Limits, code, message).hint(format!("the limit is `{option}`"))
    }

    /// The name of the bound that was passed, where one was.
    pub fn limit_name(&self) -> Option<&str> {
        let hint = self.hint.as_deref().filter(|_| self.kind_is_limit())?;
        hint.split_once("the limit is `")?.1.split('`').next()
    }

    fn kind_is_limit(&self) -> bool {
        self.stage == Stage::Limits || self.code == Code::NestedTooDeep
    }

    /// Names the table or archive member concerned.
    pub fn table(mut self, table: impl Into<String>) -> Self {
        self.table = Some(short(table.into()));
        self
    }

    /// Gives the data row, from 1.
    pub fn row(mut self, row: u64) -> Self {
        self.row = Some(row);
        self
    }

    /// Gives the physical line, from 1.
    pub fn line(mut self, line: u64) -> Self {
        self.line = Some(line);
        self
    }

    /// Names the column concerned.
    pub fn column(mut self, column: impl Into<String>) -> Self {
        self.column = Some(short(column.into()));
        self
    }

    /// Gives the byte offset, from 0.
    pub fn byte_offset(mut self, offset: u64) -> Self {
        self.byte_offset = Some(offset);
        self
    }

    /// Quotes the raw text, escaped and capped.
    pub fn raw(mut self, raw: &[u8]) -> Self {
        self.raw = Some(quote(raw));
        self
    }

    /// Says what to do next.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(short(hint.into()));
        self
    }

    /// Gives the SQL step, from 0.
    pub fn step(mut self, step: u64) -> Self {
        self.step = Some(step);
        self
    }
}

/// Bytes of a message, hint or name in an issue. A column's name may be as long as any value, and each
/// of a thousand issues may name it.
const MOST_BYTES: usize = 4096;

/// At most so many bytes, `…` where cut.
fn short(mut text: String) -> String {
    if text.len() > MOST_BYTES {
        text.truncate(text.floor_char_boundary(MOST_BYTES));
        text.push('…');
        text.shrink_to_fit();
    }
    text
}

/// Raw text made fit for a message: control characters escaped, bytes that are no UTF-8 as `\xff`,
/// at most [`RAW_CHARACTERS`] characters, `…` where it was cut.
pub fn quote(raw: &[u8]) -> String {
    // Four bytes a character at most; a character that the cut halves is beyond the cap anyway.
    let cut = &raw[..raw.len().min((RAW_CHARACTERS + 1) * 4)];
    let mut text = String::new();
    let mut shown = 0;
    for chunk in cut.utf8_chunks() {
        let characters = chunk.valid().chars().map(escape);
        let bytes = chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}"));
        for piece in characters.chain(bytes) {
            if shown == RAW_CHARACTERS {
                text.push('…');
                return text;
            }
            shown += 1;
            text.push_str(&piece);
        }
    }
    text
}

fn escape(character: char) -> String {
    match character {
        '\n' => "\\n".into(),
        '\r' => "\\r".into(),
        '\t' => "\\t".into(),
        c if c.is_control() => format!("\\u{{{:x}}}", c as u32),
        c => c.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_messages_are_cut() {
        let long = "ä".repeat(1 << 20);
        let issue = Issue::warning(Stage::Parse, Code::BadValue, &long).column(&long).table(&long);
        let issue = issue.hint(&long);
        for text in [Some(issue.message), issue.column, issue.table, issue.hint] {
            let text = text.unwrap();
            assert!(text.ends_with('…') && text.len() < 5_000 && text.len() > 4_000);
        }
    }

    #[test]
    fn quoted_text_is_escaped_and_cut() {
        assert_eq!(quote(b"a\tb\xff\n"), "a\\tb\\xff\\n");
        let long = quote("é".repeat(500).as_bytes());
        assert_eq!(long.chars().count(), RAW_CHARACTERS + 1);
        assert!(long.ends_with('…'));
    }
}

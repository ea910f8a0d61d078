//! What a caller may ask for: the declared type and compression, pandas' parser options, SQL steps.

mod cell_range;
mod dtype;
mod kinds;
mod parser;
mod transforms;
mod values;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::progress::Progress;

pub use cell_range::CellRange;
pub(crate) use cell_range::columns_of;
pub use dtype::{dtype_name, parse_dtype};
pub use kinds::{
    BadLines, Columns, Dtypes, EncodingErrors, Header, NaValues, OptionProblem, ParseDates, Sheets,
    SkipRows, UnknownOption,
};
pub use parser::ParserOptions;
pub use transforms::{ShapeError, Step, Transforms};
pub(crate) use values::python_encoding;
pub use values::{nearest, option_from_text, value_from_text};

/// Everything a caller may say about a file. The default says nothing, and all is found out.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The file's name, for its extension and the tables' names. Default: that of the source.
    pub name: Option<String>,
    /// The declared type; bytes that contradict it are an error.
    pub file_type: Option<FileType>,
    /// The declared compression; bytes that contradict it are an error.
    pub compression: Option<Compression>,
    /// Pandas' parser options.
    pub parser: ParserOptions,
    /// SQL to run over the tables.
    pub transforms: Transforms,
    /// How tables without a name of their own are called.
    pub table_names: TableNames,
    /// Where to say how far the work is.
    pub progress: Option<Arc<Progress>>,
    /// A csv file for every row and value of a csv that was repaired, left out or refused, and for
    /// every broken line of an ndjson; a report lists only the first of them.
    pub rejects: Option<PathBuf>,
    /// Leave the rows of a large csv or of JSON rows in their file: they are read a first time for the
    /// report and the types, and again by `Table::each_batch`. Memory stays small whatever the size
    /// of the file. Without effect where there is SQL to run.
    pub leave_rows: bool,
    /// Decode all of a Parquet, ORC or Arrow file also where `leave_rows` would read its metadata only,
    /// so that damage is found and nulls are counted.
    pub verify: bool,
    /// How the work is shared out; it changes nothing in the result.
    pub parallelism: Parallelism,
}

/// How work is shared out among threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parallelism {
    /// Threads; 0 for as many as the machine runs at once.
    pub threads: usize,
    /// Bytes of text that a thread takes at a time; 0 for what suits most files.
    pub chunk_bytes: usize,
}

impl Parallelism {
    pub(crate) fn threads(self) -> usize {
        match self.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        }
    }

    pub(crate) fn chunk_bytes(self) -> usize {
        match self.chunk_bytes {
            0 => 4 << 20,
            bytes => bytes,
        }
    }

    /// So much of a text is looked at before its rows are read while the rest is still inflated.
    pub(crate) fn head_bytes(self) -> usize {
        self.chunk_bytes().min(1 << 20)
    }
}

/// How a table is called that has no sheet's or archive member's name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TableNames {
    /// After the file, without its extensions: `orders.csv.gz` gives `orders`.
    #[default]
    Stem,
    /// `Untitled 0`, `Untitled 1`, … by position, as the v2 HTTP flow has it.
    Untitled,
}

macro_rules! choices {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal $(| $also:literal)*,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$variant_doc])* #[serde(rename = $text)] $variant,)* }

        impl $name {
            /// Every choice.
            pub const ALL: &[$name] = &[$($name::$variant,)*];

            /// Its name in options and reports.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text,)* }
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($text $(| $also)* => Ok($name::$variant),)*
                    _ => Err(format!(
                        "got {text:?}, expected one of {}",
                        $name::ALL.iter().map(|c| c.as_str()).collect::<Vec<_>>().join(", ")
                    )),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

choices! {
    /// What a file is.
    FileType {
        /// Delimited text, tabs included.
        Csv = "csv" | "tsv" | "txt",
        /// JSON in any layout, newline-delimited included.
        Json = "json" | "ndjson" | "jsonl",
        /// Arrow IPC, file (Feather v2) or stream.
        Arrow = "arrow" | "feather" | "ipc",
        /// Apache Parquet.
        Parquet = "parquet",
        /// Apache ORC.
        Orc = "orc",
        /// Excel 97–2003.
        Xls = "xls",
        /// Excel 2007 and later.
        Xlsx = "xlsx" | "xlsm",
        /// Excel's binary workbook.
        Xlsb = "xlsb",
        /// OpenDocument spreadsheet.
        Ods = "ods",
    }
}

choices! {
    /// What a file is wrapped in.
    Compression {
        /// gzip, all members of the stream.
        Gzip = "gzip" | "gz",
        /// bzip2, all streams.
        Bz2 = "bz2" | "bzip2",
        /// xz, all streams.
        Xz = "xz",
        /// Zstandard, all frames.
        Zstd = "zstd" | "zst",
        /// A zip archive of one or several files.
        Zip = "zip",
        /// A tar archive, bare or in one of the streams.
        Tar = "tar",
    }
}

impl FileType {
    /// Whether this is a workbook: the bytes decide which kind, whatever was declared.
    pub fn is_workbook(self) -> bool {
        matches!(self, FileType::Xls | FileType::Xlsx | FileType::Xlsb | FileType::Ods)
    }

    /// Whether bytes of type `found` are what was declared.
    pub fn accepts(self, found: FileType) -> bool {
        self == found || self.is_workbook() && found.is_workbook()
    }
}

//! Any table-shaped file in, typed Arrow tables and a report out.
//!
//! ```text
//! bytes ─▶ source ─▶ decompress ─▶ detect ─▶ format (dialect ∙ infer) ─▶ table ─▶ transform ─▶ report
//! ```
//!
//! [`ingest`] is the whole of it; see `ARCHITECTURE.md` for where things are.
//!
//! ```
//! use tablemill::{Limits, Options, Source, ingest};
//!
//! let source = Source::bytes(r#"[{"city": "Ulm", "people": 128928}]"#).named("cities.json");
//! let ingest = ingest(source, &Options::default(), &Limits::default())?;
//! assert_eq!(ingest.tables[0].name(), "cities");
//! assert_eq!(ingest.report.tables[0].columns[1].dtype, "int64");
//! # Ok::<(), tablemill::Error>(())
//! ```

pub mod boundary;
#[cfg(feature = "cli")]
pub mod cli;
mod context;
mod decompress;
mod detect;
mod error;
pub mod format;
mod guard;
#[cfg(feature = "server")]
pub mod http;
mod infer;
mod limits;
mod naming;
pub mod options;
mod pipeline;
mod progress;
pub mod report;
mod source;
#[cfg(feature = "server")]
pub mod store;
mod table;
mod transform;
mod worker;

pub use error::{Error, ErrorKind, Result};
pub use guard::quiet_guarded_panics;
pub use limits::Limits;
pub use options::{
    Compression, FileType, Options, Parallelism, ParserOptions, TableNames, Transforms,
};
pub use pipeline::{Ingest, ingest};
pub use progress::Progress;
pub use report::{Code, Issue, Report, Severity, Stage};
pub use source::Source;
pub use table::Table;
#[cfg(feature = "sql")]
pub use transform::query;
pub use worker::{Stream, Worked, Worker, serve_worker};

//! ORC, through the pure Rust reader.
//!
//! Takes a file; gives its columns in Arrow's types. Refuses what orc-rust does not read, by name.

mod blocks;
mod bounds;
mod plan;
mod runs;
mod streams;
mod times;
mod zones;

use std::collections::BTreeMap;
use std::sync::Arc;

use orc_rust::error::OrcError;
use orc_rust::schema::TimestampPrecision;

use self::plan::Plan;
use super::columnar::{self, Bounds, arrow_error};
use super::{FormatReader, Input, RawTable};
use crate::context::Context;
use crate::detect::{Confidence, Signature};
use crate::error::{Error, Result};
use crate::options::FileType;
use crate::report::{Code, Issue, Stage};

const MAGIC: &[u8] = b"ORC";
/// What is said of times that 64 bits of nanoseconds do not reach.
const FAR_TIME: &str = "time beyond those that can be read";
/// What writers put into files of a draft of ORC 2.
const UNRELEASED_VERSION: &str = "1.9999";

/// The reader of ORC.
#[derive(Debug)]
pub struct Orc;

impl Signature for Orc {
    fn file_type(&self) -> FileType {
        FileType::Orc
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["orc"]
    }

    fn recognise(&self, bytes: &[u8]) -> Confidence {
        // Three letters may begin a text; the postscript at the end has them again.
        let ends_so = ends_so(bytes);
        let is_binary = !crate::detect::looks_like_text(bytes);
        match bytes.starts_with(MAGIC) {
            true if is_binary || ends_so => Confidence::Certain,
            // Cut before its end, unless it is a text: the name tells.
            true => Confidence::Weak,
            _ => Confidence::No,
        }
    }
}

/// Whether the magic number is there again at the end, where the postscript has it.
fn ends_so(bytes: &[u8]) -> bool {
    let body = bytes.get(MAGIC.len()..).unwrap_or_default();
    memchr::memmem::find(&body[body.len().saturating_sub(300)..], MAGIC).is_some()
}

impl FormatReader for Orc {
    fn options(&self) -> &'static [&'static str] {
        &["columns", "usecols", "stripes", "skiprows", "skip_rows", "nrows", "num_rows"]
    }

    fn read(&self, input: &Input, context: &mut Context<'_>) -> Result<Vec<RawTable>> {
        let bounds = Bounds {
            limits: context.limits.clone(),
            threads: context.options.parallelism.threads(),
            input: input.bytes.len() as u64,
            format: "orc",
        };
        let (source, codec) = bounds::checked(&input.bytes, &bounds)?;
        let plan = Plan::new(source, codec, bounds.clone(), context)?;
        let table = read(plan, &bounds, context)?;
        super::note_options(context);
        Ok(vec![table])
    }
}

/// The rows as the options want them: in memory, left in the file, or looked at and left there.
fn read(mut plan: Plan, bounds: &Bounds, context: &mut Context<'_>) -> Result<RawTable> {
    let options = context.options;
    let leaves = options.leave_rows && options.transforms.is_empty();
    // However the rows are asked for, their type is the same.
    if plan.has_far_times()? {
        in_microseconds(&mut plan, context);
    }
    if leaves && !options.verify {
        let nulls = plan.null_counts();
        return Ok(left(plan, nulls));
    }
    let mut wrong = BTreeMap::new();
    let mut batches = Vec::new();
    if !leaves {
        let mut note = |span: &columnar::Span, rows| {
            if rows != span.rows as u64 {
                wrong.insert(span.unit, (span.clone(), rows));
            }
        };
        batches = match columnar::read_all(&plan, bounds, &mut note) {
            // Statistics that are wrong said there are no such times.
            Err(error) if is_far(&error) => {
                in_microseconds(&mut plan, context);
                columnar::read_all(&plan, bounds, &mut note)?
            }
            read => read?,
        };
    }
    for (span, rows) in wrong.values() {
        context.reporter.push(columnar::wrong_rows(span, *rows, bounds.format));
    }
    let mut nulls = Vec::new();
    if options.verify {
        let found = match columnar::verify(&plan, bounds) {
            Err(error) if is_far(&error) => {
                in_microseconds(&mut plan, context);
                columnar::verify(&plan, bounds)?
            }
            found => found?,
        };
        found.issues.into_iter().for_each(|issue| context.reporter.push(issue));
        nulls = found.nulls.into_iter().map(Some).collect();
    }
    if leaves {
        return Ok(left(plan, nulls));
    }
    Ok(RawTable::new(None, columnar::Units::schema(&plan).clone(), batches))
}

fn left(plan: Plan, nulls: Vec<Option<u64>>) -> RawTable {
    let mut table = RawTable::new(None, columnar::Units::schema(&plan).clone(), Vec::new());
    table.in_file = Some(Arc::new(plan.in_file(nulls)));
    table
}

/// Whether a time was met that the unit read in does not reach.
fn is_far(error: &Error) -> bool {
    error.issue().message.contains(FAR_TIME)
}

fn in_microseconds(plan: &mut Plan, context: &mut Context<'_>) {
    let message = "times beyond 1677 to 2262 are read in microseconds, finer digits are cut";
    context.reporter.push(Issue::warning(Stage::Parse, Code::TimePrecision, message));
    plan.set_precision(TimestampPrecision::Microsecond);
}

fn unread(what: &str) -> Error {
    let message = format!("ORC files {what} are not read");
    Issue::error(Stage::Parse, Code::UnsupportedFeature, message).into()
}

fn orc_error(error: OrcError) -> Error {
    let message = error.to_string();
    if message.contains("precision cannot be 0") {
        return unread("with decimals without a precision (Hive 0.11)");
    }
    if let OrcError::DecodeTimestamp { seconds, .. } = &error {
        let message = format!("{FAR_TIME}: {seconds} seconds from 1970");
        return Issue::error(Stage::Parse, Code::Corrupt, message).into();
    }
    let code = match &error {
        OrcError::UnsupportedTypeVariant { .. } => Code::UnsupportedFeature,
        OrcError::Arrow { .. } => return arrow_error(error.into()),
        _ if super::names_unsupported(&message.to_lowercase()) => Code::UnsupportedFeature,
        _ => Code::Corrupt,
    };
    Issue::error(Stage::Parse, code, message).into()
}

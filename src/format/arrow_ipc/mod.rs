//! Arrow IPC: the file (Feather v2) and the stream, also the framing before version 0.15.
//!
//! Takes either framing, either byte order, lz4 and zstd bodies included; gives the batches as they
//! are, over the bytes of the file where these are not compressed. Refuses Feather v1, tensors and
//! metadata from before Arrow 0.8, by name.

mod arrays;
mod dictionaries;
mod header;
mod messages;
mod plan;
mod room;
mod schema;
mod swap;
mod texts;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{FieldRef, Schema, SchemaRef};

use self::arrays::Miscounted;
use self::messages::Layout;
use self::plan::{Asked, Plan};
use self::schema::Columns;
use super::{FormatReader, Input, RawTable};
use crate::context::Context;
use crate::detect::{Confidence, Signature};
use crate::error::Result;
use crate::options::{FileType, SkipRows};
use crate::report::{Code, Issue, Stage};
use crate::table::Rows;

const FILE_MAGIC: &[u8] = b"ARROW1";
const FEATHER_1_MAGIC: &[u8] = b"FEA1";
const CONTINUATION: [u8; 4] = [0xff; 4];

/// The reader of Arrow IPC.
#[derive(Debug)]
pub struct ArrowIpc;

impl Signature for ArrowIpc {
    fn file_type(&self) -> FileType {
        FileType::Arrow
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["arrow", "feather", "ipc", "arrows", "arrow_file", "stream"]
    }

    fn recognise(&self, bytes: &[u8]) -> Confidence {
        let is_magic = bytes.starts_with(FILE_MAGIC) || bytes.starts_with(FEATHER_1_MAGIC);
        if is_magic || bytes.starts_with(&CONTINUATION) || is_old_stream(bytes) {
            Confidence::Certain
        } else {
            Confidence::No
        }
    }
}

/// Before 0.15 a stream began with the length of its schema message.
fn is_old_stream(bytes: &[u8]) -> bool {
    let Some((length, rest)) = bytes.split_first_chunk::<4>() else { return false };
    let length = u32::from_le_bytes(*length) as usize;
    if length < 16 || !length.is_multiple_of(4) {
        return false;
    }
    let message = rest.get(..length).map(arrow::ipc::root_as_message);
    matches!(message, Some(Ok(message)) if message.header_as_schema().is_some())
}

impl FormatReader for ArrowIpc {
    fn options(&self) -> &'static [&'static str] {
        &["columns", "usecols", "skiprows", "skip_rows", "nrows", "num_rows"]
    }

    fn read(&self, input: &Input, context: &mut Context<'_>) -> Result<Vec<RawTable>> {
        if input.bytes.starts_with(FEATHER_1_MAGIC) {
            let message = "the file is Feather version 1, which is not read";
            return Err(Issue::error(Stage::Parse, Code::UnsupportedFeature, message)
                .byte_offset(0)
                .hint("write it again as Feather 2: pyarrow.feather.write_feather(table, path)")
                .into());
        }
        let framing = if input.bytes.starts_with(FILE_MAGIC) { "file" } else { "stream" };
        context.reporter.file().framing.get_or_insert(framing.into());
        let layout = Layout::of(&input.bytes)?;
        let columns = Columns::of(layout.schema(&input.bytes)?, context.limits.json_depth)?;
        if let Some(damage) = &layout.cut {
            let batches = layout.places.iter().filter(|place| !place.is_dictionary).count();
            let message = format!("{}; the {batches} batches before it are read", damage.message);
            context.reporter.push(Issue { message, ..damage.clone() });
        }
        if let Some(surplus) = layout.surplus {
            let bytes = input.bytes.len() - surplus;
            let issue = if Layout::of(&input.bytes.slice(surplus..)).is_ok() {
                let message = format!("another Arrow stream of {bytes} bytes, which is not read");
                Issue::error(Stage::Parse, Code::TrailingData, message)
                    .hint("split it there: each is a file of its own")
            } else {
                let message = format!("{bytes} bytes behind the end of the stream");
                Issue::warning(Stage::Parse, Code::TrailingData, message)
            };
            context.reporter.push(issue.byte_offset(surplus as u64));
        }
        super::note_options(context);
        // No batches: what is wanted is settled before anything is read.
        let empty = RawTable::new(None, Arc::new(columns.schema()), Vec::new());
        let schema = super::select::select(empty, context)?.schema;
        let asked = asked(&columns, context)?;
        let plan = Plan::new(input.bytes.clone(), layout, columns, asked, context.limits)?;
        let schema = nullable(schema, &plan.surprising, context);
        let options = context.options;
        if options.leave_rows && !options.verify && options.transforms.is_empty() {
            let in_file = Some(Arc::new(plan) as Arc<dyn Rows>);
            return Ok(vec![RawTable { name: None, schema, batches: Vec::new(), in_file }]);
        }
        let batches = all(&plan, &schema, context)?;
        Ok(vec![RawTable::new(None, schema, batches)])
    }
}

/// The schema, put right where it denies nulls that the messages count.
fn nullable(schema: SchemaRef, surprising: &[usize], context: &mut Context<'_>) -> SchemaRef {
    if surprising.is_empty() {
        return schema;
    }
    let mut fields: Vec<FieldRef> = schema.fields().iter().cloned().collect();
    for column in surprising {
        let name = fields[*column].name();
        let message = format!("the schema says that column {name:?} has no nulls, but it has");
        let warning = Issue::warning(Stage::Parse, Code::WrongStatistics, message).column(name);
        context.reporter.push(warning);
        fields[*column] = Arc::new(fields[*column].as_ref().clone().with_nullable(true));
    }
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}

fn asked(columns: &Columns, context: &Context<'_>) -> Result<Asked> {
    let names = columns.columns.iter().map(|column| column.field.name().clone());
    let names: Vec<String> = names.collect();
    let mut wanted: Vec<usize> = match super::select::wanted_columns(&names, context)? {
        Some(wanted) => wanted.into_iter().collect(),
        None => (0..names.len()).collect(),
    };
    wanted.sort_unstable();
    let parser = context.parser();
    let skip = match &parser.skiprows {
        Some(SkipRows::First(rows)) => *rows,
        _ => 0,
    };
    let most = parser.nrows.unwrap_or(u64::MAX);
    let threads = context.options.parallelism.threads();
    Ok(Asked { columns: wanted, skip, most, threads })
}

/// All rows, with a word on columns of which the nulls are miscounted.
fn all(plan: &Plan, schema: &SchemaRef, context: &mut Context<'_>) -> Result<Vec<RecordBatch>> {
    let mut batches = Vec::new();
    let mut miscounted: BTreeMap<usize, Miscounted> = BTreeMap::new();
    let mut note = |column: usize, (said, found): Miscounted| {
        let sums = miscounted.entry(column).or_default();
        *sums = (sums.0 + said, sums.1 + found);
    };
    plan.each_batch(schema, false, &mut note, &mut |batch, done| {
        context.progress().done(done as u64);
        batches.push(batch);
        Ok(true)
    })?;
    for (column, (said, found)) in miscounted {
        let name = schema.field(column).name();
        let message = format!("the messages count {said} nulls, but {found} values are null");
        context.reporter.push(
            Issue::warning(Stage::Parse, Code::WrongStatistics, message)
                .column(name)
                .hint("the values count"),
        );
    }
    Ok(batches)
}

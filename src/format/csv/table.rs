//! A table out of a text: names, the plan of the scan, its passes, the types, the report.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use bytes::Bytes;

use super::Place;
use super::ahead::Ahead;
use super::dialect::{CsvDialect, Delimiter};
use super::events::Events;
use super::in_file::{self, InFile};
use super::notes::{self, BadValues, Columns};
use super::plan::Plan;
use super::scan::{Chunk, Kernel, Piece, Scan, ScanColumn};
use super::stack::MOST_GAPS;
use super::structure::Frame;
use crate::context::Context;
use crate::error::Result;
use crate::format::RawTable;
use crate::infer::{Habits, Inferred, Rules, Seen, TextColumn};
use crate::naming::unique_columns;
use crate::options::Header;
use crate::report::{Code, Issue, Stage};
use crate::table::FORMAT_KEY;

/// A table, and what was found out on the way that the report wants.
pub(super) struct Found {
    pub table: RawTable,
    /// Where blank lines and rows of nothing but delimiters begin, in order, and no more of them
    /// than [`stack::MOST_GAPS`].
    pub gaps: Vec<usize>,
    /// Where the rows begin.
    pub start: usize,
}

/// Reads the table that the text holds.
pub(super) fn read(
    place: &Place<'_>,
    text: Bytes,
    dialect: &CsvDialect,
    frame: &Frame,
    ahead: Option<Ahead>,
    context: &mut Context<'_>,
) -> Result<Found> {
    let Plan { mut names, wanted, mut scan, sampled } = Plan::of(&text, dialect, frame, context)?;
    let start = scan.start;
    if let Some(rows) = context.parser().nrows {
        let end = scan.first_rows(rows);
        scan.text = scan.text.slice(..end);
    }
    let stays =
        context.options.leave_rows && context.options.transforms.is_empty() && scan.is_large();
    let mut pieces = Pieces { stays, ..Pieces::default() };
    let mut gaps = Vec::new();
    let mut events = Events::new(place, scan.named);
    let ahead = ahead.map(|ahead| ahead.chunks(&scan, &names, stays)).unwrap_or_default();
    let broken = scan.first_pass(ahead, |scan, _, chunk| {
        context.progress().done(chunk.end as u64);
        events.take(scan, &chunk, context)?;
        let room = MOST_GAPS - gaps.len();
        gaps.extend(chunk.gaps.iter().take(room));
        pieces.add(chunk, |_| true);
        Ok(true)
    })?;
    let width = events.finish(context)?;
    if wanted.is_none() {
        names.resize(width.max(names.len()), String::new());
    }
    widen(&mut scan, &names, &broken, &mut pieces, context)?;
    settle_together(&mut scan, &sampled, &mut pieces)?;
    // `|` at the start of all lines draws a box; there is no column before it.
    let is_boxed = matches!(&dialect.delimiter, Delimiter::Bytes(bytes) if bytes == b"|")
        && matches!(frame.header, Header::Rows(_))
        && context.parser().names.is_none()
        && names.len() > 1
        && names[0].is_empty()
        && scan.columns[0].inferred.data_type == DataType::Null;
    let is_kept = |index: &usize| match wanted {
        Some(_) => scan.columns[*index].kernel != Kernel::Skip,
        None => *index > 0 || !is_boxed,
    };
    let kept: Vec<usize> = (0..names.len()).filter(is_kept).collect();
    let schema = schema(&scan, &names, &kept);
    let unnamed: Vec<bool> = names.iter().map(String::is_empty).collect();
    let shown = shown_names(&names, &kept);
    let columns = Columns {
        names: &shown,
        unnamed: &unnamed,
        seen: &pieces.seen,
        long_floats: &pieces.long_floats,
    };
    notes::columns(&scan, &columns, place, context);
    let table = if stays {
        in_file::check(&scan, &shown, place, context)?;
        let rows = InFile::new(scan, kept, &pieces.nulls, &pieces.seen);
        RawTable { name: None, schema, batches: Vec::new(), in_file: Some(Arc::new(rows)) }
    } else {
        let batches = batches(&scan, &shown, &kept, &schema, pieces, place, context)?;
        RawTable::new(None, schema, batches)
    };
    Ok(Found { table, gaps, start })
}

/// The names that the table will have, for messages.
fn shown_names(names: &[String], kept: &[usize]) -> Vec<String> {
    let wanted: Vec<&str> = kept.iter().map(|index| names[*index].as_str()).collect();
    let mut shown = names.to_vec();
    for (index, name) in kept.iter().zip(unique_columns(&wanted).0) {
        shown[*index] = name;
    }
    shown
}

/// The pieces of each column, chunk by chunk, and what is known of all its values.
#[derive(Default)]
struct Pieces {
    /// Rows stay in the file: only what is known of them is kept.
    stays: bool,
    columns: Vec<Vec<Piece>>,
    seen: Vec<Option<Seen>>,
    nulls: Vec<u64>,
    long_floats: Vec<u64>,
}

impl Pieces {
    fn resize(&mut self, columns: usize) {
        self.columns.resize_with(columns, Vec::new);
        self.seen.resize(columns, None);
        self.nulls.resize(columns, 0);
        self.long_floats.resize(columns, 0);
    }

    fn forget(&mut self, column: usize) {
        self.columns[column].clear();
        self.seen[column] = None;
        self.nulls[column] = 0;
        self.long_floats[column] = 0;
    }

    fn add(&mut self, chunk: Chunk, is_new: impl Fn(usize) -> bool) {
        self.resize(chunk.pieces.len());
        let columns = chunk.pieces.into_iter().zip(chunk.seen).zip(chunk.long_floats).enumerate();
        for (column, ((piece, seen), long)) in columns.filter(|(column, _)| is_new(*column)) {
            match (&mut self.seen[column], seen) {
                (Some(all), Some(seen)) => all.merge(&seen),
                (all, seen) => *all = seen,
            }
            self.nulls[column] += match &piece {
                Piece::Array(array) => array.logical_null_count() as u64,
                Piece::Nulls(nulls) => *nulls,
                _ => 0,
            };
            self.long_floats[column] += long;
            if !self.stays {
                self.columns[column].push(piece);
            }
        }
    }
}

/// Columns that broke, and those that only long rows have, are gathered from the bytes they came
/// from; then every gathered column gets its type from all its values.
fn widen(
    scan: &mut Scan,
    names: &[String],
    broken: &[bool],
    pieces: &mut Pieces,
    context: &mut Context<'_>,
) -> Result<()> {
    let rules = Rules::for_text(context.parser(), names);
    for (index, name) in names.iter().enumerate().skip(scan.columns.len()) {
        let rules = rules.column(name, index);
        scan.columns.push(ScanColumn { rules, kernel: Kernel::Gather, inferred: Inferred::text() });
    }
    pieces.resize(scan.columns.len());
    let again = |index: usize| broken.get(index).is_none_or(|broken| *broken);
    gather(scan, pieces, again)?;
    conclude(scan, pieces);
    Ok(())
}

/// Each gathered column gets its type from all its values.
fn conclude(scan: &mut Scan, pieces: &Pieces) {
    for (column, seen) in scan.columns.iter_mut().zip(&pieces.seen) {
        if let Some(seen) = seen {
            column.inferred = seen.conclude(&column.rules);
        }
    }
}

/// Reads columns anew, as text, whatever they were read as.
fn gather(scan: &mut Scan, pieces: &mut Pieces, again: impl Fn(usize) -> bool) -> Result<()> {
    let kernel = |index| if again(index) { Kernel::Gather } else { Kernel::Skip };
    let kernels: Vec<Kernel> = (0..scan.columns.len()).map(kernel).collect();
    if !kernels.contains(&Kernel::Gather) {
        return Ok(());
    }
    for index in (0..kernels.len()).filter(|index| again(*index)) {
        pieces.forget(index);
        scan.columns[index].kernel = Kernel::Gather;
    }
    scan.pass(&kernels, |_, chunk| {
        pieces.add(chunk, &again);
        Ok(true)
    })
}

/// What columns leave open is read as the others are written. `sampled` is what the first rows show:
/// in a column that was read fast nothing that follows changes it, and of one that nobody wants it is
/// all that is known.
fn settle_together(scan: &mut Scan, sampled: &[Seen], pieces: &mut Pieces) -> Result<()> {
    let habits = |scan: &Scan, pieces: &Pieces| {
        let mut habits = Habits::default();
        for (index, column) in scan.columns.iter().enumerate() {
            if let Some(seen) = pieces.seen[index].as_ref().or(sampled.get(index)) {
                habits.note(seen, &column.rules);
            }
        }
        habits
    };
    let first = habits(scan, pieces);
    if first.matter_to_open_marks() {
        // Read as floats with a point, these were not looked at for their marks.
        let is_open = |index: usize| {
            scan.columns[index].kernel == Kernel::Float64
                && sampled.get(index).is_some_and(Seen::has_open_marks)
        };
        let open: Vec<bool> = (0..scan.columns.len()).map(is_open).collect();
        gather(scan, pieces, |index| open[index])?;
        conclude(scan, pieces);
    }
    let habits = habits(scan, pieces);
    for (column, seen) in scan.columns.iter_mut().zip(&pieces.seen) {
        if let Some(seen) = seen {
            habits.settle(&mut column.inferred, seen, &column.rules);
        }
    }
    Ok(())
}

fn schema(scan: &Scan, names: &[String], kept: &[usize]) -> SchemaRef {
    let fields: Vec<Field> = kept
        .iter()
        .map(|index| {
            let inferred = &scan.columns[*index].inferred;
            let field = Field::new(&names[*index], inferred.data_type.clone(), true);
            match inferred.format() {
                Some(format) => field.with_metadata([(FORMAT_KEY.to_owned(), format)].into()),
                None => field,
            }
        })
        .collect();
    Arc::new(Schema::new(fields))
}

/// The rows in memory.
fn batches(
    scan: &Scan,
    names: &[String],
    kept: &[usize],
    schema: &SchemaRef,
    pieces: Pieces,
    place: &Place<'_>,
    context: &mut Context<'_>,
) -> Result<Vec<RecordBatch>> {
    let chunks = scan.starts.len() - 1;
    let mut arrays: Vec<Vec<Option<ArrayRef>>> = vec![vec![None; chunks]; names.len()];
    let mut gathered: Vec<(usize, Vec<TextColumn>)> = Vec::new();
    for (index, column) in pieces.columns.into_iter().enumerate() {
        let mut texts = Vec::new();
        for (chunk, piece) in column.into_iter().enumerate() {
            match piece {
                Piece::Array(array) => arrays[index][chunk] = Some(array),
                Piece::Gathered(column) => texts.push(column),
                Piece::Skip | Piece::Broken | Piece::Nulls(_) => {}
            }
        }
        if !texts.is_empty() {
            gathered.push((index, texts));
        }
    }
    let mut bad_values = BadValues::default();
    scan.convert(&gathered, |column, chunk, array, bad| {
        arrays[column][chunk] = Some(array);
        bad_values.note(scan, (column, &names[column]), chunk, bad, place, context)
    })?;
    bad_values.raise(context)?;
    let mut batches = Vec::with_capacity(chunks);
    for (chunk, ends) in scan.rows.windows(2).enumerate() {
        let rows = (ends[1] - ends[0]) as usize;
        if rows > 0 {
            let columns = kept.iter().map(|index| arrays[*index][chunk].take());
            batches.push(batch(schema, columns.collect(), rows)?);
        }
    }
    Ok(batches)
}

/// A batch; a column that was not read has only nulls.
pub(super) fn batch(
    schema: &SchemaRef,
    columns: Vec<Option<ArrayRef>>,
    rows: usize,
) -> Result<RecordBatch> {
    let columns = columns.into_iter().zip(schema.fields());
    let columns = columns
        .map(|(array, field)| array.unwrap_or_else(|| new_null_array(field.data_type(), rows)))
        .collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(schema.clone(), columns, &options)
        .map_err(|error| Issue::error(Stage::Parse, Code::Corrupt, error.to_string()).into())
}

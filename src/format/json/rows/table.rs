//! The passes over the chunks, and the table that comes out of them.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::error::ArrowError;

use super::Rows;
use super::asked::{self, Asked};
use super::chunk::Notes;
use super::in_file::InFile;
use super::node::Struct;
use super::notes::Found;
use super::piece::{Fields, Piece, Summary, finish};
use super::plan::{Plan, root};
use super::read::Mode;
use crate::context::Context;
use crate::detect::encoding::Text;
use crate::error::{Error, Result};
use crate::format::RawTable;
use crate::format::chunks::{Rest, ordered};
use crate::report::{Code, Issue, Stage};
use crate::source::release;

/// So many finished chunks may wait for their turn.
const AHEAD: usize = 4;
/// A text of fewer chunks than this is read into memory in any case.
const MANY_CHUNKS: usize = 8;

/// The key of a feature's geometry, which is kept as JSON text: geometries are nested in many ways.
const GEOMETRY: &str = "\0member:geometry";

/// A chunk that was read.
pub(super) struct Chunk {
    pub rows: usize,
    pub pieces: Vec<(Box<str>, Piece)>,
}

/// The table of rows.
pub(in super::super) fn table(
    rows: Rows,
    text: &Text,
    context: &mut Context<'_>,
) -> Result<RawTable> {
    let starts = rows.starts()?;
    let leave = context.options.leave_rows
        && starts.len() > MANY_CHUNKS
        && context.options.transforms.is_empty()
        && context.parser().nrows.is_none()
        && context.parser().skiprows.is_none();
    let mut found = Found::new(&rows, text);
    let mut fields = Fields::default();
    let (mut chunks, mut places) = (Vec::new(), Vec::new());
    rows.first_pass(&starts, !leave, |index, notes, seen, chunk| {
        let (start, end) = (starts[index], starts[index + 1]);
        places.push(Stretch { start, end, careful: notes.mode.careful });
        found.take(&notes, context)?;
        fields.merge(seen, found.rows - notes.rows, usize::MAX);
        check_fields(&mut fields, &rows, context)?;
        chunks.push(chunk);
        context.progress().done(starts[index + 1] as u64);
        Ok(true)
    })?;
    found.finish()?;
    check_sparse(&fields, rows.end - rows.start, context)?;
    let fields = with_named(fields, rows.names.len());
    let names = shown_names(&fields, &rows);
    crate::format::select::check_named_columns(&names, context)?;
    let plans = fields.plans();
    let mut columns: Vec<Column> = names
        .iter()
        .zip(plans)
        .map(|(name, (key, plan))| {
            let is_geometry = rows.features && *key == *GEOMETRY && plan != Plan::Nothing;
            let plan = if is_geometry { Plan::Raw } else { plan };
            Column { name: name.clone(), key, plan, asked: None }
        })
        .collect();
    super::notes::columns(&found, &fields, &columns, context);
    asked::settle(&rows, &places, &mut columns, &fields, context)?;
    let scan = Scan { rows, places, columns };
    let counts: Vec<usize> = chunks.iter().map(|chunk: &Chunk| chunk.rows).collect();
    if leave {
        let kept = crate::format::select::wanted_columns(&names, context)?;
        let kept = (0..names.len()).filter(|index| kept.as_ref().is_none_or(|k| k.contains(index)));
        let rows = InFile::new(scan, kept.collect(), counts, &fields, &found, context)?;
        let schema = rows.schema();
        return Ok(RawTable {
            name: None,
            schema,
            batches: Vec::new(),
            in_file: Some(Arc::new(rows)),
        });
    }
    scan.in_memory(chunks, &found, context)
}

/// Where a chunk is, and whether it has to be read with care.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    pub start: usize,
    pub end: usize,
    pub careful: bool,
}

/// Nulls may take so many bytes for each byte of text, and some more.
const ROOM_A_BYTE: u64 = 32;
const FREE_ROOM: u64 = 256 << 20;

/// A column of the table.
#[derive(Clone, Debug)]
pub(super) struct Column {
    /// As it is called, and as it is found in the rows.
    pub name: String,
    pub key: Box<str>,
    pub plan: Plan,
    /// Made of texts, because options ask for it.
    pub asked: Option<Asked>,
}

/// Rows and how they are read.
#[derive(Clone, Debug)]
pub(super) struct Scan {
    pub rows: Rows,
    pub places: Vec<Stretch>,
    pub columns: Vec<Column>,
}

impl Rows {
    /// Reads all chunks as they are.
    fn first_pass(
        &self,
        starts: &[usize],
        keeps: bool,
        mut take: impl FnMut(usize, Notes, Fields, Chunk) -> Result<bool>,
    ) -> Result<()> {
        let job = |(worker, rest): &mut (Struct, Rest), index: usize| {
            let place = (starts[index], starts[index + 1]);
            worker.room = self.most_columns.saturating_add(1);
            worker.again();
            let notes = self.chunk(worker, place, Mode::default());
            release(&self.text[place.0..place.1]);
            let rows = notes.rows as usize;
            let (fields, pieces) = finish(worker, rows, keeps && !notes.mode.types_only, rest)?;
            Ok((notes, fields, Chunk { rows, pieces }))
        };
        ordered(
            self.threads,
            starts.len() - 1,
            AHEAD,
            Default::default,
            job,
            |index, done: Result<_, ArrowError>| {
                let (notes, fields, chunk) = done.map_err(corrupt)?;
                take(index, notes, fields, chunk)
            },
        )
    }

    /// Reads some chunks again, with all columns in order, each as it is known to be or passed over.
    pub(super) fn again<'p>(
        &self,
        places: &[Stretch],
        chunks: &[usize],
        columns: impl Fn(usize) -> Vec<(&'p str, &'p Plan)> + Sync,
        mut take: impl FnMut(usize, Chunk) -> Result<bool>,
    ) -> Result<()> {
        let job = |rest: &mut Rest, index: usize| {
            let Stretch { start, end, careful } = places[chunks[index]];
            let columns = columns(chunks[index]);
            let mut root = root(columns.iter().copied());
            let mode = Mode { careful, types_only: false };
            let notes = self.chunk(&mut root, (start, end), mode);
            release(&self.text[start..end]);
            if notes.failed.is_some() {
                return Err(changed(start));
            }
            let rows = notes.rows as usize;
            let (_, pieces) = finish(&mut root, rows, true, rest).map_err(corrupt)?;
            let wanted =
                pieces.into_iter().zip(&columns).filter(|(_, (_, plan))| **plan != Plan::Skip);
            Ok(Chunk { rows, pieces: wanted.map(|(piece, _)| piece).collect() })
        };
        ordered(self.threads, chunks.len(), AHEAD, Rest::default, job, |index, done: Result<_>| {
            take(chunks[index], done?)
        })
    }
}

impl Scan {
    /// All columns, those that are wanted as they are read, the others passed over.
    pub fn plans(&self, wanted: impl Fn(&Column) -> bool) -> Vec<(&str, &Plan)> {
        self.columns.iter().map(|column| column.read_if(wanted(column))).collect()
    }

    pub fn schema(&self) -> SchemaRef {
        let field = |column: &Column| Field::new(&column.name, column.data_type(), true);
        Arc::new(Schema::new(self.columns.iter().map(field).collect::<Vec<_>>()))
    }

    /// The arrays of a chunk, as far as it has them in the right type.
    pub fn arrays(&self, chunk: &Chunk) -> Result<Vec<Option<ArrayRef>>> {
        let known: std::collections::HashMap<&str, &Piece> =
            chunk.pieces.iter().map(|(name, piece)| (&**name, piece)).collect();
        let array = |column: &Column| match (&column.asked, known.get(&*column.key)) {
            (Some(asked), Some(piece)) => Ok(asked.array(piece)),
            (_, None) => Ok(Some(new_null_array(&column.data_type(), chunk.rows))),
            (None, Some(piece)) => piece.array(&column.plan).map_err(corrupt),
        };
        self.columns.iter().map(array).collect()
    }

    fn in_memory(
        self,
        chunks: Vec<Chunk>,
        found: &Found<'_>,
        context: &mut Context<'_>,
    ) -> Result<RawTable> {
        let schema = self.schema();
        let mut counts = Vec::with_capacity(chunks.len());
        let mut arrays: Vec<Vec<Option<ArrayRef>>> = Vec::with_capacity(chunks.len());
        for chunk in chunks {
            arrays.push(self.arrays(&chunk)?);
            counts.push(chunk.rows);
        }
        let missing: Vec<Vec<bool>> =
            arrays.iter().map(|arrays| arrays.iter().map(Option::is_none).collect()).collect();
        let chunks: Vec<usize> =
            (0..arrays.len()).filter(|chunk| missing[*chunk].contains(&true)).collect();
        let columns = |chunk: usize| {
            let columns = self.columns.iter().zip(&missing[chunk]);
            columns.map(|(column, missing)| column.read_if(*missing)).collect()
        };
        let mut asked = asked::BadValues::default();
        self.rows.again(&self.places, &chunks, columns, |chunk, read| {
            check_rows(&read, counts[chunk], self.places[chunk].start)?;
            let read_again = self.arrays(&read)?.into_iter().zip(&missing[chunk]).enumerate();
            for (index, (array, _)) in read_again.filter(|(_, (_, missing))| **missing) {
                arrays[chunk][index] = array;
            }
            asked.take(&self, &read, counts[..chunk].iter().sum());
            Ok(true)
        })?;
        asked.raise(found, context)?;
        let mut batches = Vec::with_capacity(counts.len());
        for (chunk, (arrays, rows)) in arrays.into_iter().zip(&counts).enumerate() {
            if *rows > 0 {
                batches.push(batch(&schema, arrays, *rows, self.places[chunk].start)?);
            }
        }
        Ok(RawTable::new(None, schema, batches))
    }
}

/// The rows of a chunk are as many each time.
pub(super) fn check_rows(chunk: &Chunk, rows: usize, start: usize) -> Result<()> {
    if chunk.rows == rows { Ok(()) } else { Err(changed(start)) }
}

/// A batch of all columns.
pub(super) fn batch(
    schema: &SchemaRef,
    arrays: Vec<Option<ArrayRef>>,
    rows: usize,
    start: usize,
) -> Result<RecordBatch> {
    let arrays: Option<Vec<ArrayRef>> = arrays.into_iter().collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let arrays = arrays.ok_or_else(|| changed(start))?;
    let batch = RecordBatch::try_new_with_options(schema.clone(), arrays, &options);
    batch.map_err(corrupt)
}

/// Every value was of its column's type when the text was read before.
pub(super) fn changed(offset: usize) -> Error {
    let message = "the file changed while it was read";
    let issue = Issue::error(Stage::Parse, Code::Corrupt, message).byte_offset(offset as u64);
    issue.hint("read a copy that nobody writes to").into()
}

pub(super) fn corrupt(error: ArrowError) -> Error {
    Issue::error(Stage::Parse, Code::Corrupt, error.to_string()).into()
}

impl Column {
    pub fn data_type(&self) -> arrow::datatypes::DataType {
        match &self.asked {
            Some(asked) => asked.inferred.data_type.clone(),
            None => self.plan.data_type(),
        }
    }

    /// Its key, and how it is read from the text if it is wanted.
    fn read_if(&self, wanted: bool) -> (&str, &Plan) {
        let plan = match (wanted, &self.asked) {
            (false, _) => &Plan::Skip,
            (true, Some(_)) => &Plan::Gather,
            (true, None) => &self.plan,
        };
        (&self.key, plan)
    }
}

/// What columns are called: as their keys are, or as was said for their positions. A property of a
/// feature that is called as a member is gets a prefix.
fn shown_names(fields: &Fields, rows: &Rows) -> Vec<String> {
    let is_member = |name: &str| {
        let key = format!("{}{name}", super::MEMBER);
        rows.features && fields.index.contains_key(&*key)
    };
    let mut shown: Vec<String> = Vec::with_capacity(fields.all.len());
    for (index, (key, _)) in fields.all.iter().enumerate() {
        let mut name = match key.strip_prefix(super::MEMBER) {
            Some(member) if rows.features => member.to_owned(),
            _ if is_member(key) => format!("properties.{key}"),
            _ => rows.names.get(index).map_or_else(|| key.to_string(), String::clone),
        };
        while index >= rows.names.len() && !rows.names.is_empty() && rows.names.contains(&name) {
            name.push('_');
        }
        shown.push(name);
    }
    shown
}

/// Columns that have names come first, also those that no row has.
fn with_named(fields: Fields, names: usize) -> Fields {
    if names == 0 {
        return fields;
    }
    let mut all: Vec<(Box<str>, Summary)> = Vec::with_capacity(fields.all.len());
    let mut index = std::collections::HashMap::new();
    let named = (0..names).map(|position| (position.to_string().into(), Summary::default()));
    for (key, summary) in named.chain(fields.all) {
        match index.get(&key) {
            Some(known) => {
                let known: &mut (Box<str>, Summary) = &mut all[*known];
                known.1 = summary;
            }
            None => {
                index.insert(key.clone(), all.len());
                all.push((key, summary));
            }
        }
    }
    Fields { all, index, ..fields }
}

fn check_fields(fields: &mut Fields, rows: &Rows, context: &Context<'_>) -> Result<()> {
    let allowed = rows.most_columns;
    if fields.all.len() > allowed || fields.bound(rows.most_fields()) > rows.most_fields() {
        return Err(too_many_keys(context).into());
    }
    Ok(())
}

fn too_many_keys(context: &Context<'_>) -> Issue {
    let message = format!("more than {} different keys", context.limits.columns);
    Issue::limit(Code::TooManyColumns, message, "columns")
}

fn check_sparse(fields: &Fields, text: usize, context: &Context<'_>) -> Result<()> {
    let (missing, present) = fields.sparse();
    // Nulls take room as well: much of it may be made of little text.
    let room = text as u64 * ROOM_A_BYTE + FREE_ROOM;
    let too_many = missing > context.limits.sheet_cells || missing.saturating_mul(8) > room;
    if too_many && missing > present.saturating_mul(4) {
        let message = format!(
            "{} rows with {} different keys are mostly nothing: {present} values for {} cells",
            fields.objects,
            fields.all.len(),
            missing.saturating_add(present)
        );
        let issue = Issue::limit(Code::TooManyCells, message, "sheet_cells");
        let hint = "put the keys that differ into one object: such objects are kept as JSON text";
        return Err(issue.hint(hint).into());
    }
    Ok(())
}

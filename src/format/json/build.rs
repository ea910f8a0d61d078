//! Columns of nodes to Arrow arrays.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Decimal128Array, DurationMicrosecondArray, DurationNanosecondArray,
    ListArray, NullArray, RecordBatch, RecordBatchOptions, StringBuilder, StructArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};

use super::durations;
use super::gather::{Columns, Told};
use super::notes;
use super::rows::MOST_FIELDS;
use super::shape::{Record, Shape, Why};
use super::tape::{Document, Kind};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::format::RawTable;
use crate::format::csv::bad_value;
use crate::infer::{ColumnRules, Inferred, Rules, TextColumn, convert, infer};
use crate::report::{Code, Issue, Stage};

/// A batch holds at most so many rows.
const BATCH_ROWS: u32 = 64 << 10;
/// And at most so many bytes of one column, as its offsets are of 32 bits.
const BATCH_BYTES: u64 = 1 << 30;

/// The typed table.
pub(super) fn table(
    document: &Document<'_>,
    columns: Columns,
    context: &mut Context<'_>,
) -> Result<RawTable> {
    crate::format::select::check_named_columns(&columns.names, context)?;
    let rules = Rules::for_strings(context.parser(), &columns.names);
    let mut kinds = Vec::with_capacity(columns.names.len());
    let mut doubled = columns.doubled;
    for (index, (name, values)) in columns.names.iter().zip(&columns.values).enumerate() {
        let nodes = values.iter().map(|(_, node)| *node);
        let (shape, inside) = match columns.told[index] {
            Told::Json => (Shape::Json(Why::Asked), Default::default()),
            _ => Shape::of(document, nodes, context.limits.columns.min(MOST_FIELDS)),
        };
        doubled.add_all(inside);
        notes::column(document, name, &shape, values, context);
        let told = &columns.told[index];
        let kind = kind(document, shape, rules.column(name, index), values, told);
        if let (Told::Type(declared), false) = (told, kind.is_as_declared(told)) {
            notes::undeclared(name, declared, &kind.data_type(), context);
        }
        kinds.push(kind);
    }
    notes::doubled(document, doubled, context);
    let fields: Vec<Field> = columns
        .names
        .iter()
        .zip(&kinds)
        .map(|(name, kind)| Field::new(name, kind.data_type(), true))
        .collect();
    let schema = Arc::new(Schema::new(fields));
    let value_bytes = context.limits.value_bytes;
    let mut builder = Builder { document, budget: context.limits.sheet_cells, value_bytes };
    let mut batches = Vec::new();
    let mut cursors = vec![0usize; columns.names.len()];
    let mut start = 0;
    while start < columns.rows {
        let end = batch_end(document, &columns, &cursors, start, BATCH_BYTES)?;
        let mut arrays = Vec::with_capacity(kinds.len());
        for (index, kind) in kinds.iter().enumerate() {
            let values = &columns.values[index];
            let mut nodes: Vec<Option<u32>> = vec![None; (end - start) as usize];
            while let Some((row, node)) = values.get(cursors[index]).filter(|(row, _)| *row < end) {
                nodes[(row - start) as usize] =
                    Some(*node).filter(|node| document.node(*node).kind != Kind::Null);
                cursors[index] += 1;
            }
            let first_row = u64::from(start);
            arrays.push(builder.column(kind, &nodes, &columns.names[index], first_row)?);
        }
        let options = RecordBatchOptions::new().with_row_count(Some((end - start) as usize));
        let batch = RecordBatch::try_new_with_options(schema.clone(), arrays, &options);
        batches.push(batch.map_err(|e| Issue::error(Stage::Parse, Code::Corrupt, e.to_string()))?);
        start = end;
    }
    Ok(RawTable::new(None, schema, batches))
}

/// Where the batch ends that begins at `start`, if a column may have `most` bytes.
fn batch_end(
    document: &Document<'_>,
    columns: &Columns,
    cursors: &[usize],
    start: u32,
    most: u64,
) -> Result<u32> {
    let mut end = columns.rows.min(start + BATCH_ROWS);
    for (values, cursor) in columns.values.iter().zip(cursors) {
        let mut bytes = 0;
        for (row, node) in values[*cursor..].iter().take_while(|(row, _)| *row < end) {
            let length = document.raw(*node).len() as u64;
            if length > i32::MAX as u64 {
                return Err(too_long(document, *node));
            }
            bytes += length;
            if bytes > most && *row > start {
                end = *row;
                break;
            }
        }
    }
    Ok(end)
}

fn too_long(document: &Document<'_>, node: u32) -> Error {
    let at = document.node(node).start as usize;
    let line = crate::detect::position(document.text, at).0;
    let issue = Issue::limit(Code::ValueTooLarge, "a value too long", "value_bytes");
    issue.line(line).byte_offset(at as u64 + document.shift).into()
}

/// How a column is made.
enum ColumnKind {
    /// As its values are.
    Shaped(Shape),
    /// From its values' texts, because an option asks for it.
    FromText(Inferred, ColumnRules),
    /// From durations, as the schema declares them.
    Durations(TimeUnit),
    /// Nulls of a declared type.
    Nulls(DataType),
}

impl ColumnKind {
    fn data_type(&self) -> DataType {
        match self {
            ColumnKind::Shaped(shape) => shape.data_type(),
            ColumnKind::FromText(inferred, _) => inferred.data_type.clone(),
            ColumnKind::Durations(unit) => DataType::Duration(*unit),
            ColumnKind::Nulls(data_type) => data_type.clone(),
        }
    }

    /// Whether the type is what a schema declares, as far as JSON has not settled it.
    fn is_as_declared(&self, told: &Told) -> bool {
        let data_type = self.data_type();
        match told {
            Told::Type(declared) => match declared.as_str() {
                "datetime" => data_type.is_temporal() || data_type == DataType::Null,
                "duration" => matches!(data_type, DataType::Duration(_) | DataType::Null),
                "integer" => data_type.is_integer() || data_type.is_null() || !is_scalar(self),
                "number" => data_type.is_numeric() || data_type.is_null() || !is_scalar(self),
                "boolean" => matches!(data_type, DataType::Boolean | DataType::Null),
                _ => true,
            },
            _ => true,
        }
    }
}

/// Whether an option had no hand in the type.
fn is_scalar(kind: &ColumnKind) -> bool {
    matches!(kind, ColumnKind::Shaped(_))
}

/// `dtype` and `parse_dates` work on scalars: numbers by any dtype, texts by dates too. A schema in
/// the document counts where they say nothing, and where all values fit it.
fn kind(
    document: &Document<'_>,
    shape: Shape,
    mut rules: ColumnRules,
    values: &[(u32, u32)],
    told: &Told,
) -> ColumnKind {
    let declared = match told {
        Told::Type(declared) if rules.forced.is_none() => declared.as_str(),
        _ => "",
    };
    if shape == Shape::Nothing
        && let Some(data_type) = declared_type(declared)
    {
        return ColumnKind::Nulls(data_type);
    }
    if shape == Shape::Text
        && declared == "duration"
        && let Some(unit) = unit(document, values)
    {
        return ColumnKind::Durations(unit);
    }
    if declared == "datetime" && !rules.wants_dates() {
        let mut options = crate::options::ParserOptions::default();
        options.parse_dates = Some(crate::options::ParseDates::All(true));
        rules = Rules::for_strings(&options, &[]).column("", 0);
    }
    let wants_text = rules.forced.is_some() || rules.has_null_texts();
    let is_dates = shape == Shape::Text && rules.wants_dates();
    let container =
        matches!(shape, Shape::List(_) | Shape::Struct(_) | Shape::Json(_) | Shape::Nothing);
    if container && rules.forced.is_none() || !wants_text && !is_dates {
        return ColumnKind::Shaped(shape);
    }
    let nodes: Vec<Option<u32>> = values.iter().map(|(_, node)| Some(*node)).collect();
    let texts = texts(document, &nodes);
    let mut inferred = infer([&texts], &rules);
    // Texts that merely look like numbers stay text: JSON has numbers of its own.
    let is_temporal = inferred.data_type.is_temporal();
    let is_text = matches!(shape, Shape::Text | Shape::Mixed);
    if rules.forced.is_none() && is_text && !is_temporal {
        if !rules.has_null_texts() {
            return ColumnKind::Shaped(shape);
        }
        inferred = Inferred::text();
    }
    ColumnKind::FromText(inferred, rules)
}

/// The type of a column of nulls by its declaration.
fn declared_type(declared: &str) -> Option<DataType> {
    Some(match declared {
        "integer" => DataType::Int64,
        "number" => DataType::Float64,
        "boolean" => DataType::Boolean,
        "string" => DataType::Utf8,
        "datetime" => DataType::Timestamp(TimeUnit::Microsecond, None),
        "duration" => DataType::Duration(TimeUnit::Microsecond),
        _ => return None,
    })
}

/// The unit in which all durations are whole; nothing if a text is no duration.
fn unit(document: &Document<'_>, values: &[(u32, u32)]) -> Option<TimeUnit> {
    let mut unit = TimeUnit::Microsecond;
    for (_, node) in values {
        let text = document.scalar_text(*node);
        // Pandas writes a missing duration so.
        if document.node(*node).kind == Kind::Null || text == "NaT" {
            continue;
        }
        if durations::nanoseconds(&text)? % 1000 != 0 {
            unit = TimeUnit::Nanosecond;
        }
    }
    Some(unit)
}

fn texts(document: &Document<'_>, nodes: &[Option<u32>]) -> TextColumn {
    let mut column = TextColumn::default();
    for (row, node) in nodes.iter().enumerate() {
        match node.map(|node| (node, document.node(node).kind)) {
            None | Some((_, Kind::Null)) => column.pad_to(row + 1),
            Some((node, Kind::Array | Kind::Object)) => column.push(document.raw(node), true),
            Some((node, _)) => column.push(document.scalar_text(node).as_bytes(), true),
        }
    }
    column
}

struct Builder<'d, 'a> {
    document: &'d Document<'a>,
    /// Cells that may still be made of nothing.
    budget: u64,
    /// The most bytes of a value.
    value_bytes: u64,
}

impl Builder<'_, '_> {
    fn column(
        &mut self,
        kind: &ColumnKind,
        nodes: &[Option<u32>],
        name: &str,
        first_row: u64,
    ) -> Result<ArrayRef> {
        let (inferred, rules) = match kind {
            ColumnKind::Shaped(shape) => return self.array(shape, nodes),
            ColumnKind::FromText(inferred, rules) => (inferred, rules),
            ColumnKind::Durations(unit) => return Ok(self.durations(*unit, nodes)),
            ColumnKind::Nulls(data_type) => {
                return Ok(arrow::array::new_null_array(data_type, nodes.len()));
            }
        };
        let texts = texts(self.document, nodes);
        let mut first_bad: Option<Error> = None;
        let array = convert(&texts, inferred, rules, &mut |bad| {
            first_bad.get_or_insert_with(|| {
                let row = first_row + bad.row as u64 + 1;
                let issue = bad_value(name, &inferred.data_type, row, &bad.text);
                let at = nodes[bad.row].map_or(0, |node| self.document.node(node).start as usize);
                issue
                    .line(crate::detect::position(self.document.text, at).0)
                    .byte_offset(at as u64 + self.document.shift)
                    .into()
            });
        });
        first_bad.map_or(Ok(array), Err)
    }

    /// Takes cells of nothing off the budget.
    fn charge(&mut self, cells: u64) -> Result<()> {
        let Some(left) = self.budget.checked_sub(cells) else {
            let message = "sparse nested objects would make a table of mostly nothing";
            return Err(Issue::limit(Code::TooManyCells, message, "sheet_cells").into());
        };
        self.budget = left;
        Ok(())
    }

    fn array(&mut self, shape: &Shape, nodes: &[Option<u32>]) -> Result<ArrayRef> {
        let document = self.document;
        Ok(match shape {
            Shape::Nothing => Arc::new(NullArray::new(nodes.len())),
            Shape::Bool => {
                let mut builder = BooleanBuilder::with_capacity(nodes.len());
                let is_true = |node: u32| document.node(node).kind == Kind::True;
                nodes.iter().for_each(|node| builder.append_option(node.map(is_true)));
                Arc::new(builder.finish())
            }
            Shape::Number(_) => self.numbers(shape, nodes),
            Shape::Text | Shape::Mixed => self.texts(nodes),
            Shape::Struct(record) if record.children.is_empty() => self.raw(nodes)?,
            Shape::Json(_) => self.raw(nodes)?,
            Shape::List(element) => {
                let mut inner = Vec::new();
                let lengths = nodes.iter().map(|node| {
                    let before = inner.len();
                    let elements = node.map(|node| document.elements(node)).into_iter().flatten();
                    inner.extend(
                        elements.map(|e| Some(e).filter(|e| document.node(*e).kind != Kind::Null)),
                    );
                    inner.len() - before
                });
                let offsets = OffsetBuffer::from_lengths(lengths.collect::<Vec<_>>());
                let values = self.array(element, &inner)?;
                let field = Arc::new(Field::new("item", element.data_type(), true));
                Arc::new(ListArray::new(field, offsets, values, nulls(nodes)))
            }
            Shape::Struct(record) => self.structs(record, nodes)?,
        })
    }

    fn structs(&mut self, record: &Record, nodes: &[Option<u32>]) -> Result<ArrayRef> {
        let document = self.document;
        let children = &record.children;
        // Room for every field of every row is made at once: asked for before it is taken, and only
        // where objects are there at all.
        let objects = nodes.iter().flatten().count();
        let cells = (nodes.len() as u64).saturating_mul(children.len() as u64);
        let present: u64 = nodes.iter().flatten().map(|n| u64::from(document.node(*n).count)).sum();
        self.charge(cells.saturating_sub(present))?;
        if objects == 0 {
            let data_type = DataType::Struct(record.fields());
            return Ok(arrow::array::new_null_array(&data_type, nodes.len()));
        }
        let index: HashMap<&str, usize> =
            children.iter().enumerate().map(|(i, (name, _))| (name.as_str(), i)).collect();
        let mut fields: Vec<Vec<Option<u32>>> = vec![vec![None; nodes.len()]; children.len()];
        for (row, node) in nodes.iter().enumerate() {
            for (key, value) in node.map(|node| document.pairs(node)).into_iter().flatten() {
                if let Some(position) = index.get(&*document.scalar_text(key)) {
                    fields[*position][row] =
                        Some(value).filter(|value| document.node(*value).kind != Kind::Null);
                }
            }
        }
        let mut arrays = Vec::with_capacity(children.len());
        for ((_, shape), nodes) in children.iter().zip(&fields) {
            arrays.push(self.array(shape, nodes)?);
        }
        Ok(Arc::new(StructArray::new(record.fields(), arrays, nulls(nodes))))
    }

    fn numbers(&self, shape: &Shape, nodes: &[Option<u32>]) -> ArrayRef {
        if let DataType::Decimal128(_, scale @ 1..) = shape.data_type() {
            return self.decimals(scale, nodes);
        }
        // The values were all seen when the type was chosen, so every one fits.
        let inferred = Inferred { data_type: shape.data_type(), ..Inferred::text() };
        let options = crate::options::ParserOptions::default();
        let rules = Rules::for_strings(&options, &[]).column("", 0);
        convert(&texts(self.document, nodes), &inferred, &rules, &mut |_| {})
    }

    fn texts(&self, nodes: &[Option<u32>]) -> ArrayRef {
        let mut builder = StringBuilder::new();
        let text = |node: u32| self.document.scalar_text(node);
        nodes.iter().for_each(|node| builder.append_option(node.map(text)));
        Arc::new(builder.finish())
    }

    fn raw(&self, nodes: &[Option<u32>]) -> Result<ArrayRef> {
        let mut builder = StringBuilder::new();
        for node in nodes {
            let text = node.map(|node| self.document.raw(node));
            if let (Some(text), Some(node)) = (text, node)
                && text.len() as u64 > self.value_bytes
            {
                return Err(too_long(self.document, *node));
            }
            builder.append_option(text.map(String::from_utf8_lossy));
        }
        Ok(Arc::new(builder.finish()))
    }

    fn durations(&self, unit: TimeUnit, nodes: &[Option<u32>]) -> ArrayRef {
        let text = |node: u32| durations::nanoseconds(&self.document.scalar_text(node));
        let values = nodes.iter().map(|node| node.and_then(text));
        match unit {
            TimeUnit::Nanosecond => Arc::new(values.collect::<DurationNanosecondArray>()),
            _ => {
                let micros = values.map(|value| value.map(|value| value / 1000));
                Arc::new(micros.collect::<DurationMicrosecondArray>())
            }
        }
    }

    /// Plain decimals, which all fit.
    fn decimals(&self, scale: i8, nodes: &[Option<u32>]) -> ArrayRef {
        let value = |node: u32| {
            let text = self.document.raw(node);
            let mut behind = None;
            let mut value = 0i128;
            for byte in text.iter().filter(|byte| **byte != b'-') {
                match byte {
                    b'.' => behind = Some(0),
                    digit => {
                        value = value * 10 + i128::from(digit - b'0');
                        behind = behind.map(|behind| behind + 1);
                    }
                }
            }
            let missing = (scale as u32).saturating_sub(behind.unwrap_or(0));
            let value = value * 10i128.pow(missing);
            if text.starts_with(b"-") { -value } else { value }
        };
        let values: Decimal128Array = nodes.iter().map(|node| node.map(value)).collect();
        let data_type = DataType::Decimal128(38, scale);
        Arc::new(values.with_data_type(data_type))
    }
}

fn nulls(nodes: &[Option<u32>]) -> Option<NullBuffer> {
    let valid: NullBuffer = nodes.iter().map(Option::is_some).collect();
    (valid.null_count() > 0).then_some(valid)
}

#[cfg(test)]
mod tests {
    use super::super::frame::Between;
    use super::super::{gather, layout::Layout, parse};
    use super::*;
    use crate::limits::Limits;
    use crate::options::Options;

    #[test]
    fn batches_end_before_a_column_is_too_long() {
        let (options, limits) = (Options::default(), Limits::default());
        let mut context = Context::new(&options, &limits);
        let text = br#"[{"v": "aaaa"}, {"v": "bbbb", "w": 1}, {"v": "cccccccccccc"}, {"w": 2}]"#;
        let tape = parse::parse(text, 0..text.len(), &Between::Nothing, 0, &mut context).unwrap();
        let columns = gather::whole(&tape, &Layout::Records, &mut context).unwrap();
        let end = |cursors: [usize; 2], start, most| {
            batch_end(&tape, &columns, &cursors, start, most).unwrap()
        };
        assert_eq!(end([0, 0], 0, 100), 4);
        assert_eq!(end([0, 0], 0, 12), 2);
        assert_eq!(end([0, 0], 0, 1), 1);
        // One value that is too long for a batch is one by itself.
        assert_eq!(end([2, 1], 2, 3), 4);
    }
}

//! Columns of nodes to Arrow arrays.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, ListArray, NullArray, RecordBatch, RecordBatchOptions, StringBuilder,
    StructArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Schema};

use super::layout::Columns;
use super::parse::{Document, Kind};
use super::shape::Shape;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::format::RawTable;
use crate::format::csv::bad_value;
use crate::infer::{ColumnRules, Inferred, Rules, TextColumn, convert, infer};
use crate::report::{Code, Issue, Stage};

/// A batch holds at most so many rows.
const BATCH_ROWS: u32 = 64 << 10;

/// The typed table.
pub(super) fn table(
    document: &Document<'_>,
    columns: Columns,
    context: &mut Context<'_>,
) -> Result<RawTable> {
    crate::format::select::check_named_columns(&columns.names, context)?;
    let rules = Rules::for_strings(context.parser(), &columns.names);
    let mut kinds = Vec::with_capacity(columns.names.len());
    for (index, (name, values)) in columns.names.iter().zip(&columns.values).enumerate() {
        let shape = Shape::of(document, values.iter().map(|(_, node)| *node));
        note_conflict(document, name, &shape, values, context);
        kinds.push(kind(document, shape, rules.column(name, index), values));
    }
    let fields: Vec<Field> = columns
        .names
        .iter()
        .zip(&kinds)
        .map(|(name, kind)| Field::new(name, kind.data_type(), true))
        .collect();
    let schema = Arc::new(Schema::new(fields));
    let mut builder = Builder { document, budget: context.limits.sheet_cells };
    let mut batches = Vec::new();
    let mut cursors = vec![0usize; columns.names.len()];
    let mut start = 0;
    while start < columns.rows {
        let end = columns.rows.min(start + BATCH_ROWS);
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

/// How a column is made.
enum ColumnKind {
    /// As its values are.
    Shaped(Shape),
    /// From its values' texts, because an option asks for it.
    FromText(Inferred, ColumnRules),
}

impl ColumnKind {
    fn data_type(&self) -> DataType {
        match self {
            ColumnKind::Shaped(shape) => shape.data_type(),
            ColumnKind::FromText(inferred, _) => inferred.data_type.clone(),
        }
    }
}

/// `dtype` and `parse_dates` work on scalars: numbers by any dtype, texts by dates too.
fn kind(
    document: &Document<'_>,
    shape: Shape,
    rules: ColumnRules,
    values: &[(u32, u32)],
) -> ColumnKind {
    let wants_text = rules.forced.is_some() || rules.has_null_texts();
    let is_dates = shape == Shape::Text && rules.wants_dates();
    let container =
        matches!(shape, Shape::List(_) | Shape::Struct(_) | Shape::Json | Shape::Nothing);
    if container && rules.forced.is_none() || !wants_text && !is_dates {
        return ColumnKind::Shaped(shape);
    }
    let nodes: Vec<Option<u32>> = values.iter().map(|(_, node)| Some(*node)).collect();
    let texts = texts(document, &nodes);
    let mut inferred = infer([&texts], &rules);
    // Texts that merely look like numbers stay text: JSON has numbers of its own.
    let is_temporal = inferred.data_type.is_temporal();
    if rules.forced.is_none() && shape == Shape::Text && !is_temporal {
        if !rules.has_null_texts() {
            return ColumnKind::Shaped(shape);
        }
        inferred = Inferred::text();
    }
    ColumnKind::FromText(inferred, rules)
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

/// A column whose values are of several kinds is worth a word.
fn note_conflict(
    document: &Document<'_>,
    name: &str,
    shape: &Shape,
    values: &[(u32, u32)],
    context: &mut Context<'_>,
) {
    let is_text = |kind: Kind| matches!(kind, Kind::Text | Kind::EscapedText | Kind::Null);
    let other = match shape {
        Shape::Text => values.iter().find(|(_, node)| !is_text(document.node(*node).kind)),
        Shape::Json => values.first(),
        _ => None,
    };
    let Some((row, node)) = other else { return };
    let kept = if *shape == Shape::Json { "JSON text" } else { "text" };
    let message = format!("column {name:?} has values of several kinds and is kept as {kept}");
    let at = document.node(*node).start as usize;
    context.reporter.push(
        Issue::warning(Stage::Parse, Code::MixedTypes, message)
            .column(name)
            .row(u64::from(*row) + 1)
            .line(crate::detect::position(document.text, at).0)
            .byte_offset(at as u64 + document.shift)
            .raw(document.raw(*node)),
    );
}

struct Builder<'d, 'a> {
    document: &'d Document<'a>,
    /// Cells that may still be made of nothing.
    budget: u64,
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
            Shape::Text => self.texts(nodes),
            Shape::Struct(children) if children.is_empty() => self.raw(nodes),
            Shape::Json => self.raw(nodes),
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
            Shape::Struct(children) => self.structs(children, nodes)?,
        })
    }

    fn structs(&mut self, children: &[(String, Shape)], nodes: &[Option<u32>]) -> Result<ArrayRef> {
        let document = self.document;
        // Room for every field of every row is made at once: asked for before it is taken, and only
        // where objects are there at all.
        let objects = nodes.iter().flatten().count();
        let cells = (nodes.len() as u64).saturating_mul(children.len() as u64);
        let present: u64 = nodes.iter().flatten().map(|n| u64::from(document.node(*n).count)).sum();
        self.charge(cells.saturating_sub(present))?;
        if objects == 0 {
            let data_type = Shape::Struct(children.to_vec()).data_type();
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
        let fields = children.iter().map(|(name, s)| Field::new(name, s.data_type(), true));
        Ok(Arc::new(StructArray::new(fields.collect(), arrays, nulls(nodes))))
    }

    fn numbers(&self, shape: &Shape, nodes: &[Option<u32>]) -> ArrayRef {
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

    fn raw(&self, nodes: &[Option<u32>]) -> ArrayRef {
        let mut builder = StringBuilder::new();
        let text = |node: u32| String::from_utf8_lossy(self.document.raw(node));
        nodes.iter().for_each(|node| builder.append_option(node.map(text)));
        Arc::new(builder.finish())
    }
}

fn nulls(nodes: &[Option<u32>]) -> Option<NullBuffer> {
    let valid: NullBuffer = nodes.iter().map(Option::is_some).collect();
    (valid.null_count() > 0).then_some(valid)
}

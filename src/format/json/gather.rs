//! A tape cut into columns: for each its values, by row.

use std::collections::{HashMap, HashSet};

#[cfg(test)]
use super::frame::RowFrame;
use super::layout::{Layout, is_agent};
use super::parse::fail;
use super::tape::{Document, Kind};
use crate::context::Context;
use crate::detect::position;
use crate::error::Result;
use crate::report::{Code, Issue, Stage};

/// The columns of a table. Rows without a value are left out.
#[derive(Default)]
pub(super) struct Columns {
    pub names: Vec<String>,
    /// `(row, node)` in rising order of rows.
    pub values: Vec<Vec<(u32, u32)>>,
    /// What is known of a column beside its values.
    pub told: Vec<Told>,
    pub rows: u32,
    pub doubled: Doubled,
}

/// What the document says of a column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Told {
    #[default]
    Nothing,
    /// To be kept as JSON text, because its values are of many shapes: a geometry.
    Json,
    /// The type that a schema declares, in Frictionless' words: `datetime`, `duration`, `integer`, …
    Type(String),
}

/// Keys that stand twice in their object: how many, and where the first is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Doubled {
    pub count: u64,
    pub first: Option<u32>,
}

impl Doubled {
    /// Notes one whose value stands there.
    pub(super) fn add(&mut self, place: u32) {
        self.count += 1;
        self.first.get_or_insert(place);
    }

    /// Adds those of another part.
    pub(super) fn add_all(&mut self, other: Doubled) {
        self.count += other.count;
        self.first = match (self.first, other.first) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        };
    }
}

/// The columns of rows that follow each other: what the reader of rows is held to.
#[cfg(test)]
pub(super) fn rows(
    document: &Document<'_>,
    frame: &RowFrame,
    context: &mut Context<'_>,
) -> Result<Columns> {
    let mut gather = Gather::new(document, context);
    gather.name_columns(frame.names.iter().flatten().cloned())?;
    gather.rows(document.roots.iter().copied(), frame.features)?;
    gather.finish()
}

/// The columns of any other document.
pub(super) fn whole(
    document: &Document<'_>,
    layout: &Layout,
    context: &mut Context<'_>,
) -> Result<Columns> {
    let mut gather = Gather::new(document, context);
    let root = document.roots[0];
    match layout {
        // Arrays one after the other, each on lines of its own.
        _ if document.roots.len() > 1 => gather.rows(document.roots.iter().copied(), false)?,
        Layout::Records => gather.rows(document.elements(root), false)?,
        Layout::Row | Layout::Scalar => gather.rows([root], false)?,
        Layout::Columnar => gather.columnar(root)?,
        Layout::Split(names, rows) => gather.split(root, names, rows)?,
        Layout::Index => {
            gather.rows(document.pairs(root).map(|(_, row)| row), false)?;
            gather.labels(document.pairs(root).map(|(label, _)| label).collect());
        }
        Layout::Columns => gather.by_column(root)?,
        Layout::Table => gather.table(root)?,
    }
    gather.finish()
}

struct Gather<'d, 'a, 'c, 'o> {
    document: &'d Document<'a>,
    context: &'c mut Context<'o>,
    /// By name, and whether it is a property of a feature.
    index: HashMap<(bool, String), usize>,
    /// Whether a column is of properties.
    of_properties: Vec<bool>,
    columns: Columns,
    /// So many columns have names of their own where rows are arrays.
    named: usize,
    /// Rows that are longer, and where the first is.
    long_rows: Doubled,
}

impl<'d, 'a, 'c, 'o> Gather<'d, 'a, 'c, 'o> {
    fn new(document: &'d Document<'a>, context: &'c mut Context<'o>) -> Self {
        Gather {
            document,
            context,
            index: HashMap::new(),
            of_properties: Vec::new(),
            columns: Columns::default(),
            named: 0,
            long_rows: Doubled::default(),
        }
    }

    /// Rows that are objects give columns by key; arrays by position; scalars are column `0`.
    fn rows(&mut self, rows: impl IntoIterator<Item = u32>, features: bool) -> Result<()> {
        let document = self.document;
        for row in rows {
            match document.node(row).kind {
                Kind::Object if features => self.feature(row)?,
                Kind::Object => {
                    for (key, value) in document.pairs(row) {
                        self.put(false, &document.scalar_text(key), value)?;
                    }
                }
                Kind::Array => self.array(row)?,
                Kind::Null => {}
                _ => self.put(false, "0", row)?,
            }
            self.columns.rows += 1;
        }
        Ok(())
    }

    fn array(&mut self, row: u32) -> Result<()> {
        let document = self.document;
        for (position, value) in document.elements(row).enumerate() {
            if position < self.named {
                self.columns.values[position].push((self.columns.rows, value));
                continue;
            }
            let mut name = position.to_string();
            if self.named > 0 {
                if position == self.named {
                    self.long_rows.add(document.node(row).start);
                }
                while self.index.get(&(false, name.clone())).is_some_and(|at| *at < self.named) {
                    name.push('_');
                }
            }
            self.put(false, &name, value)?;
        }
        Ok(())
    }

    /// A feature of GeoJSON: its properties are columns, as are its other members but `type`.
    fn feature(&mut self, row: u32) -> Result<()> {
        let document = self.document;
        for (key, value) in document.pairs(row) {
            let name = document.scalar_text(key);
            match (&*name, document.node(value).kind) {
                ("type", Kind::Text) if document.scalar_text(value) == "Feature" => {}
                ("properties", Kind::Null) => {}
                ("properties", Kind::Object) => {
                    for (key, value) in document.pairs(value) {
                        self.put(true, &document.scalar_text(key), value)?;
                    }
                }
                _ => {
                    self.put(false, &name, value)?;
                    if name == "geometry" {
                        let column = self.column(false, &name)?;
                        self.columns.told[column] = Told::Json;
                    }
                }
            }
        }
        Ok(())
    }

    /// Columns for rows that are arrays. Names that stand twice are two columns.
    fn name_columns(&mut self, names: impl IntoIterator<Item = String>) -> Result<()> {
        for name in names {
            self.add_column(false, &name)?;
        }
        self.named = self.columns.names.len();
        Ok(())
    }

    /// The column of this name; it is made where it is new.
    fn column(&mut self, of_properties: bool, name: &str) -> Result<usize> {
        match self.index.get(&(of_properties, name.to_owned())) {
            Some(column) => Ok(*column),
            None => self.add_column(of_properties, name),
        }
    }

    fn add_column(&mut self, of_properties: bool, name: &str) -> Result<usize> {
        let column = self.columns.names.len();
        let allowed = self.context.limits.columns;
        if column == allowed {
            let message = format!("more than {allowed} different keys");
            return Err(Issue::limit(Code::TooManyColumns, message, "columns").into());
        }
        self.index.entry((of_properties, name.to_owned())).or_insert(column);
        self.of_properties.push(of_properties);
        self.columns.names.push(name.to_owned());
        self.columns.values.push(Vec::new());
        self.columns.told.push(Told::Nothing);
        Ok(column)
    }

    fn put(&mut self, of_properties: bool, name: &str, node: u32) -> Result<()> {
        let column = self.column(of_properties, name)?;
        let row = self.columns.rows;
        let values = &mut self.columns.values[column];
        match values.last_mut() {
            Some((last_row, last)) if *last_row == row => {
                *last = node;
                self.columns.doubled.add(self.document.node(node).start);
            }
            _ => values.push((row, node)),
        }
        Ok(())
    }

    /// Object of arrays; scalars are repeated down the column.
    fn columnar(&mut self, root: u32) -> Result<()> {
        let document = self.document;
        let mut rows: Option<(u32, String)> = None;
        let mut scalars: Vec<(String, u32)> = Vec::new();
        for (key, value) in document.pairs(root) {
            let name = document.scalar_text(key).into_owned();
            let node = document.node(value);
            let is_doubled = self.index.contains_key(&(false, name.clone()))
                || scalars.iter().any(|(scalar, _)| *scalar == name);
            if is_doubled {
                self.columns.doubled.add(node.start);
            }
            scalars.retain(|(scalar, _)| *scalar != name);
            if node.kind != Kind::Array {
                scalars.push((name, value));
                continue;
            }
            match &rows {
                Some((count, first)) if *count != node.count => {
                    let message = format!(
                        "column {name:?} has {} values, column {first:?} has {count}",
                        node.count
                    );
                    return Err(fail(document.text, document.shift, node.start as usize, message)
                        .map_issue(|issue| {
                            issue.column(&name).hint("columns of one table are equally long")
                        }));
                }
                _ => rows = Some((node.count, name.clone())),
            }
            let column = self.column(false, &name)?;
            self.columns.values[column] =
                document.elements(value).enumerate().map(|(row, v)| (row as u32, v)).collect();
        }
        self.columns.rows = rows.map_or(1, |(count, _)| count);
        self.check_repeats(&scalars)?;
        for (name, value) in scalars {
            if is_agent(&name) {
                self.context.reporter.agent(&name, &document.scalar_text(value));
                let message = format!("the key {name:?} describes the sender and is no column");
                let issue = Issue::warning(Stage::Parse, Code::SkippedKey, message);
                self.context.reporter.push(issue.column(name).raw(document.raw(value)));
                continue;
            }
            let column = self.column(false, &name)?;
            self.columns.values[column] = (0..self.columns.rows).map(|row| (row, value)).collect();
        }
        Ok(())
    }

    /// A long text repeated down a long column is much out of little.
    fn check_repeats(&self, scalars: &[(String, u32)]) -> Result<()> {
        let bytes: u64 =
            scalars.iter().map(|(_, value)| self.document.raw(*value).len().max(8) as u64).sum();
        let repeated = bytes.saturating_mul(self.columns.rows.into());
        // Eight bytes a cell, as many cells as a sheet may have.
        let allowed = self.context.limits.sheet_cells.saturating_mul(8);
        if repeated > allowed {
            let message = format!(
                "{} scalars repeated down {} rows make {repeated} bytes, allowed are {allowed}",
                scalars.len(),
                self.columns.rows
            );
            return Err(Issue::limit(Code::TooManyCells, message, "sheet_cells").into());
        }
        Ok(())
    }

    /// `{"columns": […], "index": […], "data": [[…], …]}`.
    fn split(&mut self, root: u32, names: &str, rows: &str) -> Result<()> {
        let document = self.document;
        let list = |key: &str| document.get(root, key).map(|node| document.elements(node));
        self.name_columns(list(names).into_iter().flatten().map(|name| name_of(document, name)))?;
        self.rows(list(rows).into_iter().flatten(), false)?;
        let labels: Vec<u32> = list("index").into_iter().flatten().collect();
        if labels.len() == self.columns.rows as usize {
            self.labels(labels);
        }
        Ok(())
    }

    /// `{column: {label: value}}`: rows are the labels in order of first appearance.
    fn by_column(&mut self, root: u32) -> Result<()> {
        let document = self.document;
        let mut rows: HashMap<String, u32> = HashMap::new();
        let mut labels = Vec::new();
        for (key, cells) in document.pairs(root) {
            let name = document.scalar_text(key);
            if self.index.contains_key(&(false, name.to_string())) {
                self.columns.doubled.add(document.node(cells).start);
            }
            let column = self.column(false, &name)?;
            let mut values: Vec<(u32, u32)> = Vec::new();
            for (label, value) in document.pairs(cells) {
                let next = rows.len() as u32;
                let row = *rows.entry(document.scalar_text(label).into_owned()).or_insert(next);
                if row == next {
                    labels.push(label);
                }
                values.push((row, value));
            }
            // A stable sort keeps the last of doubled labels last.
            values.sort_by_key(|(row, _)| *row);
            values.reverse();
            let doubled = &mut self.columns.doubled;
            values.dedup_by(|earlier, later| {
                let is_doubled = earlier.0 == later.0;
                if is_doubled {
                    doubled.add(document.node(later.1).start);
                }
                is_doubled
            });
            values.reverse();
            self.columns.values[column] = values;
        }
        self.columns.rows = rows.len() as u32;
        self.labels(labels);
        Ok(())
    }

    /// `{"schema": {"fields": […]}, "data": […]}`.
    fn table(&mut self, root: u32) -> Result<()> {
        let document = self.document;
        let list = |object: u32, key: &str| document.get(object, key).map(|n| document.elements(n));
        let schema = document.get(root, "schema");
        for field in schema.and_then(|schema| list(schema, "fields")).into_iter().flatten() {
            if document.node(field).kind != Kind::Object {
                continue;
            }
            let Some(name) = document.get(field, "name") else { continue };
            let name = name_of(document, name);
            let column = self.column(false, &name)?;
            if let Some(declared) = document.get(field, "type") {
                let declared = document.scalar_text(declared).into_owned();
                self.columns.told[column] = Told::Type(declared);
            }
        }
        self.rows(list(root, "data").into_iter().flatten(), false)
    }

    /// Labels of rows are the first column, unless they only count the rows.
    fn labels(&mut self, labels: Vec<u32>) {
        let document = self.document;
        let counts = |(row, label): (usize, &u32)| document.scalar_text(*label) == row.to_string();
        if labels.iter().enumerate().all(counts) {
            return;
        }
        let mut name = "index".to_owned();
        let mut level = 0;
        while self.columns.names.contains(&name) {
            name = format!("level_{level}");
            level += 1;
        }
        let values = labels.into_iter().enumerate().map(|(row, label)| (row as u32, label));
        self.columns.names.insert(0, name);
        self.columns.values.insert(0, values.collect());
        self.columns.told.insert(0, Told::Nothing);
        self.of_properties.insert(0, false);
    }

    fn finish(self) -> Result<Columns> {
        let Gather { document, context, mut columns, of_properties, long_rows, named, .. } = self;
        if let Some(first) = long_rows.first {
            let rows = match long_rows.count {
                1 => "1 row has".to_owned(),
                count => format!("{count} rows have"),
            };
            let message = format!(
                "{rows} more values than there are names ({named}); further columns are called by \
                 position"
            );
            context.reporter.push(
                Issue::warning(Stage::Parse, Code::LongRow, message)
                    .line(position(document.text, first as usize).0)
                    .byte_offset(u64::from(first) + document.shift),
            );
        }
        let members: HashSet<String> = columns
            .names
            .iter()
            .zip(&of_properties)
            .filter(|(_, of_properties)| !**of_properties)
            .map(|(name, _)| name.clone())
            .collect();
        for (name, of_properties) in columns.names.iter_mut().zip(of_properties) {
            if of_properties && members.contains(name) {
                *name = format!("properties.{name}");
            }
        }
        let present: u64 = columns.values.iter().map(|values| values.len() as u64).sum();
        let cells = u64::from(columns.rows) * columns.names.len() as u64;
        if cells.saturating_sub(present) > context.limits.sheet_cells && cells > present * 5 {
            let message = format!(
                "{} rows with {} different keys are mostly nothing: {present} values for {cells} \
                 cells",
                columns.rows,
                columns.names.len()
            );
            return Err(Issue::limit(Code::TooManyCells, message, "sheet_cells").into());
        }
        Ok(columns)
    }
}

/// A column's name where it stands as a value: a text, a number, or an array of several levels.
pub(super) fn name_of(document: &Document<'_>, node: u32) -> String {
    match document.node(node).kind {
        Kind::Array | Kind::Object => String::from_utf8_lossy(document.raw(node)).into_owned(),
        _ => document.scalar_text(node).into_owned(),
    }
}

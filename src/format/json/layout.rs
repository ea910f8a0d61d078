//! Where the rows and columns are in a document: the layouts that pandas writes and people send.

use std::collections::HashMap;

use super::parse::{Document, Kind, fail};
use crate::context::Context;
use crate::error::Result;
use crate::report::{Code, Issue, Stage};

/// The columns of a table: for each its values, by row. Rows without a value are left out.
pub(super) struct Columns {
    pub names: Vec<String>,
    /// `(row, node)` in rising order of rows.
    pub values: Vec<Vec<(u32, u32)>>,
    pub rows: u32,
}

/// A layout, by pandas' name for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    Lines,
    Records,
    Columnar,
    Split,
    Index,
    Columns,
    Values,
    Table,
    Row,
    Scalar,
}

impl Layout {
    fn name(self) -> &'static str {
        match self {
            Layout::Lines => "lines",
            Layout::Records => "records",
            Layout::Columnar => "columnar",
            Layout::Split => "split",
            Layout::Index => "index",
            Layout::Columns => "columns",
            Layout::Values => "values",
            Layout::Table => "table",
            Layout::Row => "row",
            Layout::Scalar => "scalar",
        }
    }
}

/// Finds the layout and cuts the document into columns.
pub(super) fn columns(document: &Document<'_>, context: &mut Context<'_>) -> Result<Columns> {
    let layout = settle(document, context);
    let reporter = &mut context.reporter;
    reporter.file().framing.get_or_insert(layout.name().to_owned());
    match layout {
        Layout::Lines => reporter.option("lines", true),
        Layout::Row | Layout::Scalar => {}
        _ => reporter.option("orient", layout.name()),
    }
    let root = document.roots[0];
    let mut gather = Gather::new(document, context);
    match layout {
        Layout::Lines => gather.rows(document.roots.iter().copied())?,
        Layout::Records | Layout::Values => gather.rows(document.elements(root))?,
        Layout::Row | Layout::Scalar => gather.rows([root])?,
        Layout::Columnar => return gather.columnar(root),
        Layout::Split => return gather.split(root),
        Layout::Index => gather.rows(document.pairs(root).map(|(_, row)| row))?,
        Layout::Columns => return gather.by_column(root),
        Layout::Table => {
            let data = document.get(root, "data").unwrap_or(root);
            gather.rows(document.elements(data))?;
        }
    }
    gather.finish()
}

/// What the options ask for, if the document is laid out so; else what it shows.
fn settle(document: &Document<'_>, context: &mut Context<'_>) -> Layout {
    let shown = shown(document);
    let parser = context.parser();
    let asked = match (parser.lines, parser.orient.as_deref()) {
        (Some(true), _) => Some(Layout::Lines),
        (_, Some("records")) => Some(Layout::Records),
        // Pandas calls both an object of objects and an object of arrays so.
        (_, Some("columns" | "columnar" | "list")) => Some(match shown {
            Layout::Columns => Layout::Columns,
            _ => Layout::Columnar,
        }),
        (_, Some("split")) => Some(Layout::Split),
        (_, Some("index")) => Some(Layout::Index),
        (_, Some("values")) => Some(Layout::Values),
        (_, Some("table")) => Some(Layout::Table),
        (_, Some(other)) => {
            warn(
                context,
                format!("orient={other:?} is no layout we know; read as {}", shown.name()),
            );
            None
        }
        (_, None) => None,
    };
    let Some(asked) = asked else { return shown };
    if asked == shown || fits(document, asked) {
        return asked;
    }
    warn(context, format!("the document is laid out as {}, not as {}", shown.name(), asked.name()));
    shown
}

fn warn(context: &mut Context<'_>, message: String) {
    let issue = Issue::warning(Stage::Parse, Code::OptionIgnored, message);
    context.reporter.push(issue.hint("leave orient and lines out to have the layout found out"));
}

/// Whether the document can be read in a layout that it does not show by itself.
fn fits(document: &Document<'_>, layout: Layout) -> bool {
    let root = document.roots[0];
    let kind = document.node(root).kind;
    let all = |wanted: Kind| document.pairs(root).all(|(_, v)| document.node(v).kind == wanted);
    match layout {
        Layout::Lines => document.roots.len() > 1 || kind == Kind::Object,
        Layout::Index => kind == Kind::Object && all(Kind::Object),
        Layout::Records | Layout::Values => document.roots.len() == 1 && kind == Kind::Array,
        Layout::Columnar => kind == Kind::Object && document.roots.len() == 1,
        Layout::Columns | Layout::Split | Layout::Table | Layout::Row | Layout::Scalar => false,
    }
}

/// The layout that the document shows by itself.
fn shown(document: &Document<'_>) -> Layout {
    if document.roots.len() > 1 {
        return Layout::Lines;
    }
    let root = document.roots[0];
    let kind_of = |node: u32| document.node(node).kind;
    match kind_of(root) {
        Kind::Array => {
            let is_values = document.elements(root).any(|row| kind_of(row) == Kind::Array);
            if is_values { Layout::Values } else { Layout::Records }
        }
        Kind::Object => {
            let value = |key: &str| document.get(root, key).map(kind_of);
            if value("data") == Some(Kind::Array) {
                if value("schema") == Some(Kind::Object) {
                    return Layout::Table;
                }
                if value("columns") == Some(Kind::Array) {
                    return Layout::Split;
                }
            }
            let (mut arrays, mut objects, mut scalars) = (0, 0, 0);
            for (_, value) in document.pairs(root) {
                match kind_of(value) {
                    Kind::Array => arrays += 1,
                    Kind::Object => objects += 1,
                    _ => scalars += 1,
                }
            }
            match (arrays, objects, scalars) {
                (1.., 0, _) => Layout::Columnar,
                (0, 1.., 0) => Layout::Columns,
                _ => Layout::Row,
            }
        }
        _ => Layout::Scalar,
    }
}

struct Gather<'d, 'a, 'c, 'o> {
    document: &'d Document<'a>,
    context: &'c mut Context<'o>,
    index: HashMap<String, usize>,
    columns: Columns,
    doubled_keys: u64,
}

impl<'d, 'a, 'c, 'o> Gather<'d, 'a, 'c, 'o> {
    fn new(document: &'d Document<'a>, context: &'c mut Context<'o>) -> Self {
        let columns = Columns { names: Vec::new(), values: Vec::new(), rows: 0 };
        Gather { document, context, index: HashMap::new(), columns, doubled_keys: 0 }
    }

    /// Rows that are objects give columns by key; arrays by position; scalars are column `0`.
    fn rows(&mut self, rows: impl IntoIterator<Item = u32>) -> Result<()> {
        let document = self.document;
        for row in rows {
            match document.node(row).kind {
                Kind::Object => {
                    for (key, value) in document.pairs(row) {
                        self.put(&document.scalar_text(key), value)?;
                    }
                }
                Kind::Array => {
                    for (position, value) in document.elements(row).enumerate() {
                        self.put(&position.to_string(), value)?;
                    }
                }
                Kind::Null => {}
                _ => self.put("0", row)?,
            }
            self.columns.rows += 1;
        }
        Ok(())
    }

    /// The column of this name; it is made where it is new.
    fn column(&mut self, name: &str) -> Result<usize> {
        if let Some(column) = self.index.get(name) {
            return Ok(*column);
        }
        let column = self.columns.names.len();
        let allowed = self.context.limits.columns;
        if column == allowed {
            let message = format!("more than {allowed} different keys");
            return Err(Issue::limit(Code::TooManyColumns, message, "columns").into());
        }
        self.index.insert(name.to_owned(), column);
        self.columns.names.push(name.to_owned());
        self.columns.values.push(Vec::new());
        Ok(column)
    }

    fn put(&mut self, name: &str, node: u32) -> Result<()> {
        let column = self.column(name)?;
        let row = self.columns.rows;
        let values = &mut self.columns.values[column];
        match values.last_mut() {
            Some((last_row, last)) if *last_row == row => {
                *last = node;
                self.doubled_keys += 1;
            }
            _ => values.push((row, node)),
        }
        Ok(())
    }

    /// Object of arrays; scalars are repeated down the column.
    fn columnar(mut self, root: u32) -> Result<Columns> {
        let document = self.document;
        let mut rows: Option<(u32, String)> = None;
        let mut scalars = Vec::new();
        for (key, value) in document.pairs(root) {
            let name = document.scalar_text(key).into_owned();
            let node = document.node(value);
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
            let column = self.column(&name)?;
            self.columns.values[column] =
                document.elements(value).enumerate().map(|(row, v)| (row as u32, v)).collect();
        }
        self.columns.rows = rows.map_or(1, |(count, _)| count);
        self.check_repeats(&scalars)?;
        for (name, value) in scalars {
            if matches!(name.as_str(), "agent_name" | "agent_version") {
                self.context.reporter.agent(&name, &document.scalar_text(value));
                let message = format!("the key {name:?} describes the sender and is no column");
                let issue = Issue::warning(Stage::Parse, Code::SkippedKey, message);
                self.context.reporter.push(issue.column(name).raw(document.raw(value)));
                continue;
            }
            let column = self.column(&name)?;
            self.columns.values[column] = (0..self.columns.rows).map(|row| (row, value)).collect();
        }
        self.finish()
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

    /// `{"columns": […], "data": [[…], …]}`.
    fn split(mut self, root: u32) -> Result<Columns> {
        let document = self.document;
        let list = |key: &str| document.get(root, key).map(|node| document.elements(node));
        for name in list("columns").into_iter().flatten() {
            let text = match document.node(name).kind {
                Kind::Array | Kind::Object => String::from_utf8_lossy(document.raw(name)),
                _ => document.scalar_text(name),
            };
            self.column(&text)?;
        }
        for row in list("data").into_iter().flatten() {
            let names = self.columns.names.len();
            for (position, value) in document.elements(row).enumerate() {
                if document.node(row).kind != Kind::Array || position >= names {
                    let message = format!("a row of \"data\" does not fit its {names} columns");
                    let at = document.node(row).start as usize;
                    return Err(fail(document.text, document.shift, at, message));
                }
                self.columns.values[position].push((self.columns.rows, value));
            }
            self.columns.rows += 1;
        }
        self.finish()
    }

    /// `{column: {index: value}}`: rows are the index keys in order of first appearance.
    fn by_column(mut self, root: u32) -> Result<Columns> {
        let document = self.document;
        let mut rows: HashMap<String, u32> = HashMap::new();
        for (key, cells) in document.pairs(root) {
            let column = self.column(&document.scalar_text(key))?;
            let mut values: Vec<(u32, u32)> = Vec::new();
            for (label, value) in document.pairs(cells) {
                let next = rows.len() as u32;
                let row = *rows.entry(document.scalar_text(label).into_owned()).or_insert(next);
                values.push((row, value));
            }
            // A stable sort keeps the last of doubled labels last.
            values.sort_by_key(|(row, _)| *row);
            values.reverse();
            values.dedup_by_key(|(row, _)| *row);
            values.reverse();
            self.columns.values[column] = values;
        }
        self.columns.rows = rows.len() as u32;
        self.finish()
    }

    fn finish(self) -> Result<Columns> {
        let Gather { context, columns, doubled_keys, .. } = self;
        if doubled_keys > 0 {
            let message =
                format!("{doubled_keys} keys stand twice in their object; the last counts");
            context.reporter.push(Issue::warning(Stage::Parse, Code::DuplicateKey, message));
        }
        let present: u64 = columns.values.iter().map(|values| values.len() as u64).sum();
        let cells = u64::from(columns.rows) * columns.names.len() as u64;
        if cells - present > context.limits.sheet_cells && cells > present * 5 {
            let message = format!(
                "{} rows with {} different keys are mostly nothing: {present} values for {cells} cells",
                columns.rows,
                columns.names.len()
            );
            return Err(Issue::limit(Code::TooManyCells, message, "sheet_cells").into());
        }
        Ok(columns)
    }
}

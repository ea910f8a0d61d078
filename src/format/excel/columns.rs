//! Columns of cells to Arrow arrays: one type for all rows of a column, several columns at a time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Field, Schema};

use super::allowance::Allowance;
use super::arrays::{BATCH_ROWS, Runs, Typed, text_at};
use super::census::{Census, Kind, Mixture};
use super::grid::{Grid, Grids};
use super::header::MOST_NAME;
use super::merged::{Merges, fill_down};
use super::notes;
use super::sheet::{Area, Cell, CellColumn, Sheet};
use super::values::{Value, value, write_text};
use crate::context::Context;
use crate::error::Result;
use crate::format::RawTable;
use crate::format::csv::bad_value;
use crate::guard::guarded;
use crate::infer::{ColumnRules, Rules, convert, infer};
use crate::naming::unique_columns;
use crate::options::columns_of;
use crate::report::{Code, Issue, Stage, quote};
use crate::table::{HIDDEN_KEY, RANGE_KEY};

/// Below so many cells threads are not worth their start.
const SHARED_CELLS: u64 = 50_000;

/// The sheet's columns, each let go once the last table that needs it has been made.
pub(super) struct Columns<'a> {
    sheet: &'a Sheet,
    slots: Vec<Mutex<CellColumn>>,
    /// The last table that needs each column.
    last_use: Vec<usize>,
    /// Rows that options left out, which those below have moved up for.
    removed: &'a [u32],
    allowance: &'a Allowance,
}

/// One column of a table, typed.
struct Done {
    /// In runs of rows, each with its first row counted from 0.
    runs: Runs,
    data_type: DataType,
    errors: Vec<Cell>,
    more_errors: u64,
    mixture: Option<Mixture>,
    filled: Vec<Area>,
    first_only: Vec<Area>,
}

impl<'a> Columns<'a> {
    /// `columns` are those of the sheet, taken out of it.
    pub fn new(
        sheet: &'a Sheet,
        columns: Vec<CellColumn>,
        grids: &'a Grids,
        allowance: &'a Allowance,
    ) -> Self {
        let mut last_use = vec![0; columns.len()];
        for (index, grid) in grids.grids.iter().enumerate() {
            let used = last_use.iter_mut().take(grid.area.right as usize + 1);
            used.skip(grid.area.left as usize).for_each(|last| *last = index);
        }
        let slots = columns.into_iter().map(Mutex::new).collect();
        Columns { sheet, slots, last_use, removed: &grids.removed, allowance }
    }

    /// The typed table of the grid at this position among those of the sheet; an issue where it has
    /// not the columns that `usecols` asks for.
    pub fn table(
        &self,
        index: usize,
        grid: &Grid,
        context: &mut Context<'_>,
    ) -> Result<std::result::Result<RawTable, Box<Issue>>> {
        let wanted = match wanted(grid, context) {
            Ok(wanted) => wanted,
            Err(refused) => return Ok(Err(Box::new(refused.table(&grid.table)))),
        };
        // Names are copied into the schema, the report and each message.
        let names: u64 = grid.names.iter().map(|name| name.len() as u64 * 4).sum();
        self.allowance.spend_texts(names)?;
        if let Some(long) = grid.names.iter().position(|name| name.len() + 4 > MOST_NAME) {
            let place = grid.area.left + long as u32;
            let message = format!(
                "the name of the column at {} was cut at {MOST_NAME} bytes",
                notes::cell_of(self.sheet, grid.area.top, place)
            );
            let issue = Issue::warning(Stage::Parse, Code::ValueTooLarge, message);
            context.reporter.push(issue.table(&grid.table));
        }
        let shown = unique_columns(&grid.names).0;
        let rules = Rules::for_strings(context.parser(), &grid.names);
        let merges = Merges::new(self.sheet, grid);
        let job = |column: usize| -> Result<Done> {
            let place = Place { columns: self, grid, index: column, name: &shown[column] };
            let rules = rules.column(&grid.names[column], column);
            let sheet_column = grid.area.left as usize + column;
            let Some(slot) = self.slots.get(sheet_column) else {
                return place.column(&CellColumn::default(), &merges, &rules);
            };
            let mut cells = slot.lock().unwrap_or_else(PoisonError::into_inner);
            let done = place.column(&cells, &merges, &rules);
            if self.last_use[sheet_column] == index {
                *cells = CellColumn::default();
            }
            done
        };
        let cells = u64::from(grid.rows) * wanted.len() as u64;
        let threads = if cells < SHARED_CELLS { 1 } else { context.options.parallelism.threads() };
        let mut done = Vec::with_capacity(wanted.len());
        let job = |column: usize| guarded(Stage::Parse, "workbook", || job(column));
        for (column, result) in wanted.iter().zip(in_parallel(threads, &wanted, job)) {
            let column_done = result?;
            let place = Place { columns: self, grid, index: *column, name: &shown[*column] };
            place.note(&column_done, context);
            done.push(column_done);
        }
        let areas = |of: fn(&Done) -> &[Area]| -> Vec<Area> {
            done.iter().flat_map(|done| of(done).iter().copied()).collect()
        };
        let (filled, first) = (areas(|done| &done.filled), areas(|done| &done.first_only));
        notes::merged(self.sheet, &grid.table, &filled, &first, context);
        let fields: Vec<Field> = wanted
            .iter()
            .zip(&done)
            .map(|(column, done)| Field::new(&grid.names[*column], done.data_type.clone(), true))
            .collect();
        let mut metadata = std::collections::HashMap::new();
        let range = notes::area_name(self.sheet, self.in_sheet(grid.area));
        metadata.insert(RANGE_KEY.to_owned(), range);
        if self.sheet.hidden {
            metadata.insert(HIDDEN_KEY.to_owned(), "true".to_owned());
        }
        let schema = Arc::new(Schema::new_with_metadata(fields, metadata));
        let batches = batches(&schema, &done, grid.rows)?;
        Ok(Ok(RawTable::new(Some(grid.table.clone()), schema, batches)))
    }
}

impl Columns<'_> {
    /// The row as the sheet counts it, those left out included.
    fn sheet_row(&self, row: u32) -> u32 {
        let mut row = row;
        for removed in self.removed {
            if *removed > row {
                break;
            }
            row += 1;
        }
        row
    }

    /// The area as the sheet has it.
    pub fn in_sheet(&self, area: Area) -> Area {
        Area { top: self.sheet_row(area.top), bottom: self.sheet_row(area.bottom), ..area }
    }
}

/// Runs the job for each of these, in any order, and gives the results in theirs.
fn in_parallel<T: Send>(
    threads: usize,
    items: &[usize],
    job: impl Fn(usize) -> T + Sync,
) -> Vec<T> {
    if threads <= 1 || items.len() <= 1 {
        return items.iter().map(|item| job(*item)).collect();
    }
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<(usize, T)>> = Mutex::new(Vec::with_capacity(items.len()));
    std::thread::scope(|scope| {
        for _ in 0..threads.min(items.len()) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(at) else { return };
                    let result = job(*item);
                    results.lock().unwrap_or_else(PoisonError::into_inner).push((at, result));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}

/// The positions of the columns that `usecols` asks for; the issue of those that are not here.
fn wanted(grid: &Grid, context: &Context<'_>) -> std::result::Result<Vec<usize>, Box<Issue>> {
    let all = || (0..grid.names.len()).collect();
    if let Some([text]) = context.parser().usecols.as_deref()
        && !grid.names.contains(text)
        && let Some(letters) = is_one_text(context).then(|| columns_of(text)).flatten()
    {
        let is_wanted = |column: &usize| letters.contains(&(grid.area.left + *column as u32));
        let wanted: Vec<usize> = (0..grid.names.len()).filter(is_wanted).collect();
        if wanted.is_empty() {
            let message = format!("usecols names columns {text:?}, none of which is there");
            return Err(Box::new(Issue::error(Stage::Parse, Code::UnknownColumn, message)));
        }
        return Ok(wanted);
    }
    let wanted = crate::format::select::wanted_columns(&grid.names, context);
    Ok(match wanted.map_err(|error| Box::new(error.issue().clone()))? {
        Some(wanted) => {
            let mut wanted: Vec<usize> = wanted.into_iter().collect();
            wanted.sort_unstable();
            wanted
        }
        None => all(),
    })
}

/// Whether `usecols` was given as a text, which is columns by letters as in pandas, not as a list.
fn is_one_text(context: &Context<'_>) -> bool {
    let given = context.parser().given();
    ["usecols", "columns"].iter().any(|name| given.get(*name).is_some_and(|v| v.is_string()))
}

/// The columns' runs of rows as batches. A run of a column that is shorter cuts the others too.
fn batches(schema: &Arc<Schema>, done: &[Done], rows: u32) -> Result<Vec<RecordBatch>> {
    let mut starts: Vec<u32> = (0..rows.max(1)).step_by(BATCH_ROWS as usize).collect();
    starts.extend(done.iter().flat_map(|done| done.runs.iter().map(|(start, _)| *start)));
    starts.sort_unstable();
    starts.dedup();
    let ends = starts.iter().skip(1).copied().chain([rows]);
    let batch = |(start, end): (&u32, u32)| {
        let length = (end - start) as usize;
        let part = |done: &Done| {
            let at = done.runs.partition_point(|(first, _)| first <= start);
            let (first, array) = &done.runs[at.saturating_sub(1)];
            array.slice((start - first) as usize, length)
        };
        let options = RecordBatchOptions::new().with_row_count(Some(length));
        RecordBatch::try_new_with_options(schema.clone(), done.iter().map(part).collect(), &options)
    };
    let batches: std::result::Result<Vec<RecordBatch>, _> =
        starts.iter().zip(ends).map(batch).collect();
    let corrupt = |error: arrow::error::ArrowError| {
        Issue::error(Stage::Parse, Code::Corrupt, error.to_string()).into()
    };
    batches.map_err(corrupt)
}

/// A column of a table.
struct Place<'a> {
    columns: &'a Columns<'a>,
    grid: &'a Grid,
    index: usize,
    name: &'a str,
}

impl Place<'_> {
    fn sheet(&self) -> &Sheet {
        self.columns.sheet
    }

    /// The cell as Excel names it: `Sheet1!C7`.
    fn cell(&self, row: u32) -> String {
        let row = self.columns.sheet_row(row);
        notes::cell_of(self.sheet(), row, self.grid.area.left + self.index as u32)
    }

    /// Data row, from 1.
    fn row(&self, row: u32) -> u64 {
        u64::from(row.saturating_sub(self.grid.first_row)) + 1
    }

    fn column(&self, cells: &CellColumn, merges: &Merges, rules: &ColumnRules) -> Result<Done> {
        let (first, rows) = (self.grid.first_row, self.grid.rows);
        let end = first.saturating_add(rows);
        let mut census = Census::of(cells, cells.between(first, end), self.sheet(), rules);
        let (filled, first_only) = merges.of(self.grid.area.left + self.index as u32, &census);
        let with_merged;
        let cells = if filled.is_empty() {
            cells
        } else {
            with_merged = fill_down(cells, &filled, first, end);
            census = Census::of(&with_merged, with_merged.between(first, end), self.sheet(), rules);
            &with_merged
        };
        let kind = census.kind();
        let from_text = rules.forced.is_some()
            || kind == Kind::Text && (rules.wants_dates() || rules.has_boolean_texts());
        if from_text || kind == Kind::Text {
            self.columns.allowance.spend_texts(census.text_bytes)?;
        }
        let typed = Typed { sheet: self.sheet(), cells, first, rows, rules };
        let mut mixture = None;
        let (data_type, runs) = if from_text {
            self.through_text(&typed, census.is_text())?
        } else {
            mixture = census.mixture();
            typed.runs(kind)
        };
        let (errors, more_errors) = (std::mem::take(&mut census.errors), census.more_errors);
        Ok(Done { runs, data_type, errors, more_errors, mixture, filled, first_only })
    }

    /// Through text, because an option asks for a type, for dates or for words that mean true.
    fn through_text(&self, typed: &Typed<'_>, is_text: bool) -> Result<(DataType, Runs)> {
        let parts = typed.texts();
        let mut inferred = infer(parts.iter().map(|(_, texts)| texts), typed.rules);
        let keeps = inferred.data_type.is_temporal() || inferred.data_type == DataType::Boolean;
        if typed.rules.forced.is_none() && is_text && !keeps {
            // Text cells that merely look like numbers stay text.
            inferred.data_type = DataType::Utf8;
            inferred.na_is_null = false;
        }
        let mut runs = Vec::new();
        for (start, texts) in parts {
            let mut first_bad = None;
            let array = convert(&texts, &inferred, typed.rules, &mut |bad| {
                first_bad.get_or_insert(bad);
            });
            if let Some(bad) = first_bad {
                let row = start + bad.row as u32;
                let issue =
                    bad_value(self.name, &inferred.data_type, u64::from(row) + 1, &bad.text);
                let cell = self.cell(self.grid.first_row + row);
                let message = format!("{} (cell {cell})", issue.message);
                return Err(Issue { message, ..issue }.table(&self.grid.table).into());
            }
            runs.push((start, array));
        }
        Ok((inferred.data_type, runs))
    }

    fn note(&self, done: &Done, context: &mut Context<'_>) {
        context.reporter.count(Code::CellError, done.more_errors);
        for cell in &done.errors {
            if !context.reporter.has_room() {
                context.reporter.count(Code::CellError, 1);
                continue;
            }
            let mut text = String::new();
            write_text(*cell, self.sheet(), &mut text);
            let name = self.cell(cell.row);
            let message = match value(*cell, self.sheet()) {
                Value::Error => {
                    format!("cell {name} holds the error {}, read as null", quote(text.as_bytes()))
                }
                _ => format!(
                    "cell {name} is shown as a date, but {text} is the number of no day, read as null"
                ),
            };
            context.reporter.push(
                Issue::warning(Stage::Parse, Code::CellError, message)
                    .table(&self.grid.table)
                    .row(self.row(cell.row))
                    .column(self.name)
                    .raw(text.as_bytes()),
            );
        }
        let Some(mixture) = &done.mixture else { return };
        let issue = self.mixed(mixture, &done.runs);
        context
            .reporter
            .push(issue.table(&self.grid.table).row(self.row(mixture.row)).column(self.name));
    }

    /// The issue of a column that is text because its values are of several kinds.
    fn mixed(&self, mixture: &Mixture, runs: &Runs) -> Issue {
        let row = mixture.row.saturating_sub(self.grid.first_row);
        let text = text_at(runs, row);
        let (name, shown, cell) = (self.name, quote(text.as_bytes()), self.cell(mixture.row));
        let issue = if mixture.words.is_empty() {
            let message = format!(
                "column {name:?} is kept as text: {shown} in cell {cell} would not survive as a float64"
            );
            Issue::warning(Stage::Parse, Code::FloatPrecision, message)
                .hint(format!("dtype={{{name:?}: \"float64\"}} takes the nearest float"))
        } else {
            let message = format!(
                "column {name:?} is kept as text: {}; the first {} is {:?} in cell {cell}",
                mixture.words, mixture.odd, shown
            );
            let issue = Issue::warning(Stage::Parse, Code::MixedTypes, message);
            match mixture.is_text {
                true if text.trim().parse::<f64>().is_ok() => issue.hint(format!(
                    "dtype={{{name:?}: \"float64\"}} reads texts that are numbers as numbers"
                )),
                true => issue.hint(format!("if the text means null: na_values=[{shown:?}]")),
                false => issue,
            }
        };
        issue.raw(text.as_bytes())
    }
}

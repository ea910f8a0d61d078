//! The table inside a sheet: where it begins, its header, its columns of cells.

use calamine::Data;

use super::Cell;
use crate::context::Context;
use crate::error::Result;
use crate::options::{Header, SkipRows};
use crate::report::{Code, Issue, Stage};

/// A sheet's cells by column, and the names of the columns.
pub(super) struct Grid {
    pub names: Vec<String>,
    /// For each column its cells: data row from 0, value.
    pub columns: Vec<Vec<(u32, Data)>>,
    pub rows: u32,
    /// Sheet row of the first data row, from 0.
    pub first_row: u32,
    /// Sheet column of the first column, from 0.
    pub first_column: u32,
}

impl Grid {
    /// Finds the table; `None` in a sheet without cells.
    pub(super) fn new(
        sheet: &str,
        cells: Vec<Cell>,
        context: &mut Context<'_>,
    ) -> Result<Option<Self>> {
        let parser = context.parser();
        let skip = match &parser.skiprows {
            Some(SkipRows::First(rows)) => u32::try_from(*rows).unwrap_or(u32::MAX),
            _ => 0,
        };
        let listed: &[u64] = match &parser.skiprows {
            Some(SkipRows::Lines(lines)) => lines,
            _ => &[],
        };
        let mut cells: Vec<Cell> = cells
            .into_iter()
            .filter(|(row, _, _)| *row >= skip && !listed.contains(&u64::from(*row)))
            // Rows that are left out leave no gap.
            .map(|(row, column, value)| {
                let above = listed.iter().take_while(|listed| **listed < u64::from(row)).count();
                (row - above as u32, column, value)
            })
            .collect();
        let Some((first, _, _)) = cells.first() else { return Ok(None) };
        let mut top = if parser.skiprows.is_some() { skip.max(*first) } else { *first };
        if parser.header.is_none() && parser.skiprows.is_none() {
            let titles = title_rows(&cells);
            if let Some(start) = titles {
                note_titles(sheet, &cells, start, context);
                cells.retain(|(row, _, _)| *row >= start);
                top = start;
            }
        }
        let left = cells.iter().map(|(_, column, _)| *column).min().unwrap_or_default();
        let right = cells.iter().map(|(_, column, _)| *column).max().unwrap_or_default();
        let bottom = cells.last().map_or(top, |(row, _, _)| *row);
        let (width, height) = (right - left + 1, bottom - top + 1);
        check_size(sheet, width, height, cells.len() as u64, context)?;
        let header = parser.header.clone().unwrap_or_else(|| {
            if parser.names.is_some() || !looks_like_header(&cells, top) {
                Header::None
            } else {
                Header::Rows(vec![0])
            }
        });
        let (mut names, data_top) = names(&header, &cells, top, left, width, context);
        context.reporter.option(
            "header",
            match &header {
                Header::None => serde_json::Value::from("none"),
                Header::Rows(rows) => rows.last().copied().into(),
            },
        );
        let mut rows = bottom.saturating_add(1).saturating_sub(data_top);
        rows = rows.saturating_sub(parser.skipfooter.unwrap_or(0).min(u64::from(u32::MAX)) as u32);
        if let Some(wanted) = parser.nrows {
            rows = rows.min(wanted.min(u64::from(u32::MAX)) as u32);
        }
        let mut columns: Vec<Vec<(u32, Data)>> = vec![Vec::new(); width as usize];
        for (row, column, value) in cells {
            if row >= data_top && row - data_top < rows {
                columns[(column - left) as usize].push((row - data_top, value));
            }
        }
        if let Some(given) = &parser.names {
            names.iter_mut().zip(given).for_each(|(name, given)| name.clone_from(given));
        }
        Ok(Some(Grid { names, columns, rows, first_row: data_top, first_column: left }))
    }
}

/// Corners far apart span a table of mostly nothing, which would not fit into memory.
fn check_size(
    sheet: &str,
    width: u32,
    height: u32,
    cells: u64,
    context: &Context<'_>,
) -> Result<()> {
    let spanned = u64::from(width) * u64::from(height);
    if spanned > context.limits.sheet_cells {
        let message = format!(
            "{cells} cells of the sheet {sheet:?} span {height} rows and {width} columns: {spanned} \
             cells, allowed are {}",
            context.limits.sheet_cells
        );
        let issue = Issue::limit(Code::TooManyCells, message, "sheet_cells").table(sheet);
        return Err(issue.hint("remove the stray cells far from the table").into());
    }
    Ok(())
}

/// The row where the table begins, if rows of one cell each stand above it.
fn title_rows(cells: &[Cell]) -> Option<u32> {
    let mut rows = cells.chunk_by(|a, b| a.0 == b.0);
    let mut titles = 0;
    let start = loop {
        let row = rows.next()?;
        if row.len() > 1 {
            break row[0].0;
        }
        titles += 1;
        if titles > 20 {
            return None;
        }
    };
    let next = rows.next()?;
    (titles > 0 && next.len() > 1).then_some(start)
}

fn note_titles(sheet: &str, cells: &[Cell], start: u32, context: &mut Context<'_>) {
    let titles = cells.iter().take_while(|(row, _, _)| *row < start);
    let text: Vec<String> = titles.map(|(_, _, value)| value.to_string()).collect();
    let message = format!("{} rows above the table of sheet {sheet:?} were left out", text.len());
    context.reporter.push(
        Issue::warning(Stage::Parse, Code::SkippedLines, message)
            .table(sheet)
            .raw(text.join(" / ").as_bytes())
            .hint("set skiprows=0 to read them as rows"),
    );
}

/// A header is all text, or years, and stands above something.
fn looks_like_header(cells: &[Cell], top: u32) -> bool {
    cells.iter().take_while(|(row, _, _)| *row <= top).all(|(_, _, value)| match value {
        Data::String(_) => true,
        Data::Float(number) => (1900.0..=2100.0).contains(number) && number.fract() == 0.0,
        Data::Int(number) => (1900..=2100).contains(number),
        _ => false,
    })
}

/// The column names and the row where data begins.
fn names(
    header: &Header,
    cells: &[Cell],
    top: u32,
    left: u32,
    width: u32,
    context: &Context<'_>,
) -> (Vec<String>, u32) {
    let Header::Rows(rows) = header else {
        let prefix = context.parser().prefix.clone().unwrap_or_default();
        return ((0..width).map(|index| format!("{prefix}{index}")).collect(), top);
    };
    let mut names = vec![String::new(); width as usize];
    let last = rows.last().copied().unwrap_or_default().min(u64::from(u32::MAX - 1 - top)) as u32;
    for (row, column, value) in cells.iter().take_while(|(row, _, _)| *row <= top + last) {
        if rows.contains(&u64::from(row - top)) {
            let name = &mut names[(column - left) as usize];
            if !name.is_empty() {
                name.push(' ');
            }
            name.push_str(&super::columns::text_of(value));
        }
    }
    (names, top + last + 1)
}

//! The plan of a table: its names, where its rows begin, and what the first of them say of each
//! column.

use std::collections::{HashMap, HashSet};

use arrow::datatypes::{DataType, TimeUnit};
use bytes::Bytes;

use super::dialect::{CsvDialect, Delimiter};
use super::names::{self, Records};
use super::records::{Record, RecordReader};
use super::scan::{Kernel, Scan, ScanColumn};
use super::structure::Frame;
use crate::context::Context;
use crate::error::Result;
use crate::infer::{ColumnRules, Inferred, Rules, Seen, TextColumn};
use crate::options::{BadLines, SkipRows};

/// Rows that the first guess of types is made from.
const SAMPLE_ROWS: usize = 256;
const SAMPLE_BYTES: usize = 96 << 10;

/// How a table is read.
#[derive(Debug)]
pub(super) struct Plan {
    pub names: Vec<String>,
    /// The columns that options ask for.
    pub wanted: Option<HashSet<usize>>,
    pub scan: Scan,
    /// What the first rows show of each column.
    pub sampled: Vec<Seen>,
}

impl Plan {
    /// The plan of the table that the text holds.
    pub fn of(
        text: &Bytes,
        dialect: &CsvDialect,
        frame: &Frame,
        context: &mut Context<'_>,
    ) -> Result<Plan> {
        let skipped = skipped_lines(text, context);
        let mut records = Records::new(text, dialect, &skipped);
        for _ in 0..frame.skip_rows {
            records.reader.skip_line();
        }
        let names = names::names(&mut records, text, dialect, &frame.header, context)?;
        let start = records.reader.offset();
        let end = end_of_rows(&records, frame, context).max(start);
        crate::format::select::check_named_columns(&names, context)?;
        let wanted = crate::format::select::wanted_columns(&names, context)?;
        let rules = Rules::for_text(context.parser(), &names);
        let drop_bad =
            matches!(context.parser().on_bad_lines, Some(BadLines::Skip | BadLines::Warn));
        let most = context.parser().nrows.unwrap_or(u64::MAX);
        let sample =
            Sample::of(&text[..end], start, dialect, &skipped, names.len(), drop_bad, most);
        let (columns, sampled): (Vec<ScanColumn>, Vec<Seen>) = names
            .iter()
            .enumerate()
            .map(|(index, name)| {
                let is_wanted = wanted.as_ref().is_none_or(|wanted| wanted.contains(&index));
                let (mut column, seen) = sample.column(index, rules.column(name, index), is_wanted);
                // A pattern may cut through a character, so its texts are looked at again; and a quote
                // that could be part of a number is none for the fast readers.
                let is_odd = matches!(dialect.delimiter, Delimiter::Pattern(_))
                    || dialect.quote.is_some_and(|quote| b"+-.0123456789".contains(&quote));
                if is_odd && column.kernel != Kernel::Skip {
                    column.kernel = Kernel::Gather;
                }
                (column, seen)
            })
            .unzip();
        let scan = Scan {
            text: text.slice(..end),
            dialect: dialect.clone(),
            named: names.len(),
            stride: sample.stride,
            drop_bad,
            skipped,
            start,
            row_bytes: sample.row_bytes,
            threads: context.options.parallelism.threads(),
            chunk_bytes: context.options.parallelism.chunk_bytes(),
            columns,
            starts: Vec::new(),
            rows: Vec::new(),
        };
        Ok(Plan { names, wanted, scan, sampled })
    }
}

/// Where the lines begin that `skiprows` lists.
fn skipped_lines(text: &[u8], context: &Context<'_>) -> Vec<usize> {
    let Some(SkipRows::Lines(lines)) = &context.parser().skiprows else { return Vec::new() };
    let ends = memchr::memchr2_iter(b'\n', b'\r', text);
    let ends = ends.filter(|at| text[*at] == b'\n' || text.get(at + 1) != Some(&b'\n'));
    let starts = std::iter::once(0).chain(ends.map(|at| at + 1));
    let last = lines.last().copied().unwrap_or_default();
    let numbered = (0..=last).zip(starts);
    let listed = numbered.filter(|(line, _)| lines.binary_search(line).is_ok());
    listed.map(|(_, start)| start).collect()
}

/// Where the footer begins that `skipfooter` leaves out, or the text ends.
fn end_of_rows(records: &Records<'_>, frame: &Frame, context: &Context<'_>) -> usize {
    let text = records.reader.text();
    let Some(footer) = context.parser().skipfooter else { return frame.end };
    let footer = usize::try_from(footer).unwrap_or(usize::MAX);
    if footer == 0 {
        return text.len();
    }
    let mut last = std::collections::VecDeque::new();
    let (mut ahead, mut record) = (records.clone(), Record::default());
    while ahead.read(&mut record) {
        last.push_back(record.offset);
        if last.len() > footer {
            last.pop_front();
        }
    }
    last.front().copied().unwrap_or(text.len())
}

/// What the first rows look like.
struct Sample {
    cells: Vec<TextColumn>,
    stride: usize,
    row_bytes: usize,
}

impl Sample {
    fn of(
        text: &[u8],
        start: usize,
        dialect: &CsvDialect,
        skipped: &[usize],
        named: usize,
        drop_bad: bool,
        most: u64,
    ) -> Sample {
        let mut reader = RecordReader::starting_at(text, dialect, start);
        let mut record = Record::default();
        let mut cells: Vec<TextColumn> = vec![TextColumn::default(); named];
        let (mut rows, mut bytes) = (0, 0);
        let mut strides: HashMap<usize, usize> = HashMap::new();
        while rows < SAMPLE_ROWS
            && (rows as u64) < most
            && bytes < SAMPLE_BYTES
            && reader.read(&mut record)
        {
            if skipped.binary_search(&record.offset).is_ok() {
                continue;
            }
            bytes += record.end - record.offset;
            let surplus = record.cells(text).skip(named);
            let is_empty = surplus.into_iter().all(|(cell, quoted)| cell.is_empty() && !quoted);
            if drop_bad && (record.len() < named || !is_empty) {
                continue;
            }
            rows += 1;
            if is_empty && record.len() >= named {
                *strides.entry(record.len()).or_default() += 1;
            }
            for (column, (cell, quoted)) in cells.iter_mut().zip(record.cells(text)) {
                column.push(cell, quoted);
            }
        }
        let usual = strides.into_iter().max_by_key(|(width, rows)| (*rows, *width));
        Sample {
            cells,
            stride: usual.map_or(named, |(width, _)| width),
            row_bytes: (bytes / rows.max(1)).max(1),
        }
    }

    fn column(&self, index: usize, rules: ColumnRules, wanted: bool) -> (ScanColumn, Seen) {
        let mut seen = Seen::default();
        seen.add_all(&self.cells[index], &rules);
        let mut inferred = seen.conclude(&rules);
        // Counted again with all the others.
        inferred.long_floats = 0;
        let kernel = if wanted { kernel(&rules, &inferred, &seen) } else { Kernel::Skip };
        (ScanColumn { rules, kernel, inferred }, seen)
    }
}

/// The fast way to read a column, where there is one.
pub(super) fn kernel(rules: &ColumnRules, inferred: &Inferred, seen: &Seen) -> Kernel {
    if !rules.is_plain() || inferred.format().is_some() {
        return Kernel::Gather;
    }
    match &inferred.data_type {
        DataType::Null => Kernel::Null,
        DataType::Int64 => Kernel::Int64,
        DataType::Float64 => Kernel::Float64,
        DataType::Date32 => Kernel::Date32,
        DataType::Timestamp(TimeUnit::Microsecond, None) => Kernel::Stamp,
        // Once nothing but text fits, nothing that follows can change it.
        DataType::Utf8 if !inferred.mixed && (rules.forced.is_some() || seen.is_text()) => {
            Kernel::Text
        }
        _ => Kernel::Gather,
    }
}

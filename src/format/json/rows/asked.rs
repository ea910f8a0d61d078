//! Columns of which options say something: types, dates, texts that mean nothing.
//!
//! Such a column is gathered as text and typed over all its values, as those of a csv are.

use arrow::array::{ArrayRef, new_null_array};

use super::Rows;
use super::notes::Found;
use super::piece::{Fields, Kept, Piece};
use super::plan::Plan;
use super::table::{Chunk, Column, Scan, Stretch};
use crate::context::Context;
use crate::error::Result;
use crate::format::csv::bad_value;
use crate::infer::{ColumnRules, Inferred, Rules, Seen, TextColumn, convert};
use crate::report::Issue;

/// How a column is made of texts.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub inferred: Inferred,
    rules: ColumnRules,
}

/// Gathers the columns of which options say something, and settles what they become.
pub(super) fn settle(
    rows: &Rows,
    places: &[Stretch],
    columns: &mut [Column],
    fields: &Fields,
    context: &Context<'_>,
) -> Result<()> {
    let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
    let rules = Rules::for_strings(context.parser(), &names);
    let rules: Vec<Option<ColumnRules>> = columns
        .iter()
        .enumerate()
        .map(|(index, column)| {
            let rules = rules.column(&column.name, index);
            wants_text(&column.plan, &rules).then_some(rules)
        })
        .collect();
    let wanted: Vec<usize> = (0..columns.len()).filter(|index| rules[*index].is_some()).collect();
    if wanted.is_empty() || fields.objects == 0 {
        return Ok(());
    }
    let chunks: Vec<usize> = (0..places.len()).collect();
    let plan = |index: usize| if rules[index].is_some() { &Plan::Gather } else { &Plan::Skip };
    let all = |_| {
        let columns = columns.iter().enumerate();
        columns.map(|(index, column)| (column.key.as_ref(), plan(index))).collect()
    };
    let mut seen: Vec<Seen> = vec![Seen::default(); wanted.len()];
    rows.again(places, &chunks, all, |_, chunk| {
        for (((_, piece), seen), index) in chunk.pieces.into_iter().zip(&mut seen).zip(&wanted) {
            let mut part = Seen::default();
            if let Some(rules) = &rules[*index] {
                part.add_all(&gathered(piece), rules);
            }
            seen.merge(&part);
        }
        Ok(true)
    })?;
    for (index, seen) in wanted.into_iter().zip(seen) {
        let Some(rules) = rules[index].clone() else { continue };
        let is_text = matches!(columns[index].plan, Plan::Text | Plan::Scalar);
        let mut inferred = seen.conclude(&rules);
        // Texts that merely look like numbers stay text: JSON has numbers of its own.
        if rules.forced.is_none() && is_text && !inferred.data_type.is_temporal() {
            if !rules.has_null_texts() {
                continue;
            }
            inferred = Inferred::text();
        }
        columns[index].asked = Some(Asked { inferred, rules });
    }
    Ok(())
}

/// `dtype` and `parse_dates` work on scalars: numbers by any dtype, texts by dates too.
fn wants_text(plan: &Plan, rules: &ColumnRules) -> bool {
    let is_text = matches!(plan, Plan::Text | Plan::Scalar);
    let container = matches!(plan, Plan::List(_) | Plan::Struct(_) | Plan::Raw | Plan::Nothing);
    let asked = rules.forced.is_some() || rules.has_null_texts() && !container;
    asked || is_text && rules.wants_dates()
}

fn gathered(piece: Piece) -> TextColumn {
    match piece.kept {
        Kept::Gathered(texts, _) => texts,
        _ => {
            let mut texts = TextColumn::default();
            texts.pad_to(piece.rows);
            texts
        }
    }
}

impl Asked {
    /// The column, of texts that were gathered.
    pub fn array(&self, piece: &Piece) -> Option<ArrayRef> {
        match &piece.kept {
            Kept::Gathered(texts, _) => {
                Some(convert(texts, &self.inferred, &self.rules, &mut |_| {}))
            }
            Kept::Nulls => Some(new_null_array(&self.inferred.data_type, piece.rows)),
            _ => None,
        }
    }
}

/// Values that do not fit the type that was asked for. The first is an error.
#[derive(Debug, Default)]
pub(super) struct BadValues {
    first: Option<(Issue, usize)>,
}

impl BadValues {
    /// Looks for them in a chunk that has so many rows before it.
    pub fn take(&mut self, scan: &Scan, chunk: &Chunk, before: usize) {
        if self.first.is_some() {
            return;
        }
        for (key, piece) in &chunk.pieces {
            let column = scan.columns.iter().find(|column| column.key == *key);
            let Some((column, asked)) = column.and_then(|c| Some((c, c.asked.as_ref()?))) else {
                continue;
            };
            let (Kept::Gathered(texts, places), true) = (&piece.kept, asked.rules.forced.is_some())
            else {
                continue;
            };
            convert(texts, &asked.inferred, &asked.rules, &mut |bad| {
                let offset = places.get(bad.row).copied().unwrap_or_default();
                if self.first.as_ref().is_some_and(|(_, first)| *first <= offset) {
                    return;
                }
                let row = (before + bad.row) as u64 + 1;
                let data_type = &asked.inferred.data_type;
                self.first = Some((bad_value(&column.name, data_type, row, &bad.text), offset));
            });
        }
    }

    /// The first as an error.
    pub fn raise(self, found: &Found<'_>, context: &mut Context<'_>) -> Result<()> {
        let Some((issue, offset)) = self.first else { return Ok(()) };
        let issue = issue.line(found.place.line(offset));
        let issue = issue.byte_offset(offset as u64 + found.place.shift);
        let raw = issue.raw.clone().unwrap_or_default();
        context.reject(&issue, raw.as_bytes())?;
        Err(issue.into())
    }
}

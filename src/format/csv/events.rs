//! What is reported of single rows: wrong lengths, odd quotes, cells and rows over a limit.

use super::Place;
use super::records::Oddity;
use super::scan::{Chunk, Event, Scan, What};
use crate::context::Context;
use crate::error::Result;
use crate::options::BadLines;
use crate::report::{Code, Issue, Stage};

/// Takes the events of all chunks, in order.
pub(super) struct Events<'a, 'p> {
    place: &'a Place<'p>,
    named: usize,
    /// The most cells of a row.
    width: usize,
    rows: u64,
    /// Cells that short rows lack, and those that long ones have.
    padded: u64,
}

impl<'a, 'p> Events<'a, 'p> {
    pub fn new(place: &'a Place<'p>, named: usize) -> Self {
        Events { place, named, width: named, rows: 0, padded: 0 }
    }

    pub fn take(&mut self, scan: &Scan, chunk: &Chunk, context: &mut Context<'_>) -> Result<()> {
        for event in &chunk.events {
            self.report(event, context)?;
        }
        let limits = context.limits;
        if chunk.longest as u64 > limits.value_bytes {
            self.check_cells(scan, chunk, context)?;
        }
        self.width = self.width.max(chunk.width);
        self.rows += chunk.rows as u64;
        if self.rows > limits.rows {
            let message = format!("more than {} rows", limits.rows);
            return Err(Issue::limit(Code::TooManyRows, message, "rows").into());
        }
        self.check_padding(context)
    }

    /// The number of columns.
    pub fn finish(self, context: &Context<'_>) -> Result<usize> {
        self.check_padding(context).map(|()| self.width)
    }

    fn report(&mut self, event: &Event, context: &mut Context<'_>) -> Result<()> {
        match event.what {
            What::Cells { got, .. } => self.wrong_length(event, got, context),
            What::Quote(oddity) => self.quote(event, oddity, context),
        }
    }

    fn wrong_length(&mut self, event: &Event, got: usize, context: &mut Context<'_>) -> Result<()> {
        let allowed = context.limits.columns;
        if got > allowed && event.what.is_kept() {
            let message = format!("got {got} columns, allowed are {allowed}");
            let issue = Issue::limit(Code::TooManyColumns, message, "columns");
            return Err(self.place.mark(issue, event.offset).into());
        }
        self.padded += self.named.saturating_sub(got) as u64;
        let (code, what) = if got < self.named {
            (Code::ShortRow, "the missing ones are null")
        } else {
            (Code::LongRow, "the surplus is in columns of its own")
        };
        let row = self.rows + event.row + 1;
        let cells = if got == 1 { "cell" } else { "cells" };
        let message =
            |what: &str| format!("row {row} has {got} {cells}, expected {}{what}", self.named);
        let (code, issue) = match context.parser().on_bad_lines {
            None => (code, Issue::warning(Stage::Parse, code, message(&format!("; {what}")))),
            Some(BadLines::Error) => {
                let issue = Issue::error(Stage::Parse, code, message("")).row(row);
                let issue = issue.hint("leave on_bad_lines out to have such rows repaired");
                let issue = self.place.mark(issue, event.offset);
                context.reject(&issue, self.raw(event))?;
                return Err(issue.into());
            }
            Some(BadLines::Skip) if !context.wants_rejects() => {
                context.reporter.count(Code::SkippedRow, 1);
                return Ok(());
            }
            Some(BadLines::Skip | BadLines::Warn) => {
                let code = Code::SkippedRow;
                (code, Issue::warning(Stage::Parse, code, message("; left out")))
            }
        };
        if !context.reporter.has_room() && !context.wants_rejects() {
            context.reporter.count(code, 1);
            return Ok(());
        }
        let issue = if code == Code::SkippedRow { issue } else { issue.row(row) };
        let issue = self.place.mark(issue, event.offset);
        context.reject(&issue, self.raw(event))?;
        match context.parser().on_bad_lines {
            Some(BadLines::Skip) => context.reporter.count(code, 1),
            _ => context.reporter.push(issue),
        }
        Ok(())
    }

    /// The record's text without its line end.
    fn raw(&self, event: &Event) -> &'a [u8] {
        let raw = &self.place.utf8[event.offset..event.end];
        let raw = raw.strip_suffix(b"\n").unwrap_or(raw);
        raw.strip_suffix(b"\r").unwrap_or(raw)
    }

    fn quote(&self, event: &Event, oddity: Oddity, context: &mut Context<'_>) -> Result<()> {
        let (code, message, offset) = match oddity {
            Oddity::StrayQuote(at) => {
                let message = "text after a closing quote; the cell is read with it, but without \
                               the quotes around its first part";
                (Code::StrayQuote, message, at)
            }
            Oddity::UnclosedQuote(at) => {
                (Code::UnclosedQuote, "a quote that is never closed; read as ordinary text", at)
            }
        };
        if !context.reporter.has_room() && !context.wants_rejects() {
            context.reporter.count(code, 1);
            return Ok(());
        }
        let row = self.rows + event.row + 1;
        let issue = Issue::warning(Stage::Parse, code, message).row(row);
        let issue = self.place.mark(issue, event.offset).line(self.place.line(offset));
        let issue = issue.byte_offset(offset as u64 + self.place.shift);
        context.reject(&issue, self.raw(event))?;
        context.reporter.push(issue);
        Ok(())
    }

    /// A record is longer than a cell may be: is a cell of it?
    fn check_cells(&self, scan: &Scan, chunk: &Chunk, context: &Context<'_>) -> Result<()> {
        let allowed = context.limits.value_bytes;
        match scan.longest_cell(chunk) {
            Some((bytes, offset)) if bytes as u64 > allowed => {
                let message = format!("a cell of {bytes} bytes, allowed are {allowed}");
                let issue = Issue::limit(Code::ValueTooLarge, message, "value_bytes");
                Err(self.place.mark(issue, offset).into())
            }
            _ => Ok(()),
        }
    }

    /// A few long rows among many short ones would make a table of mostly nothing.
    fn check_padding(&self, context: &Context<'_>) -> Result<()> {
        let surplus = (self.width - self.named) as u64 * self.rows;
        let padded = self.padded + surplus;
        let cells = (self.rows * self.named as u64).saturating_sub(self.padded);
        if padded > context.limits.sheet_cells && padded > cells * 4 {
            let message = format!(
                "{} rows of up to {} columns are mostly padding: {padded} cells of nothing",
                self.rows, self.width
            );
            return Err(Issue::limit(Code::TooManyCells, message, "sheet_cells").into());
        }
        Ok(())
    }
}

//! What is reported of rows and columns.

use super::super::parse;
use super::chunk::{Broken, Notes};
use super::piece::{Fields, Summary};
use super::plan::{DEEPEST, Plan};
use super::read::{Halt, Reader};
use super::seen::Kinds;
use super::table::Column;
use super::{Between, Rows};
use crate::context::Context;
use crate::detect::encoding::Text;
use crate::error::{Error, Result};
use crate::format::place::Place;
use crate::options::BadLines;
use crate::report::{Code, Issue, Stage};

/// What was found so far.
pub(super) struct Found<'a> {
    rows_in: Rows,
    pub place: Place<'a>,
    /// Rows so far, and lines that were left out.
    pub rows: u64,
    broken: u64,
    first_broken: Option<Issue>,
}

impl<'a> Found<'a> {
    pub fn new(rows: &Rows, text: &'a Text) -> Self {
        Found {
            rows_in: rows.clone(),
            place: Place::new(text, &text.utf8),
            rows: 0,
            broken: 0,
            first_broken: None,
        }
    }

    /// Takes the notes of chunks, in order.
    pub fn take(&mut self, notes: &Notes, context: &mut Context<'_>) -> Result<()> {
        for broken in &notes.broken {
            self.broken(broken, context)?;
        }
        if let Some((at, halt)) = notes.failed {
            return Err(self.failure(notes.row_start, at, halt, context));
        }
        self.rows += notes.rows;
        if self.rows > context.limits.rows {
            let message = format!("more than {} rows", context.limits.rows);
            return Err(Issue::limit(Code::TooManyRows, message, "rows").into());
        }
        Ok(())
    }

    /// A line that is left out because it is no JSON.
    fn broken(&mut self, broken: &Broken, context: &mut Context<'_>) -> Result<()> {
        self.broken += 1;
        let bad_lines = context.parser().on_bad_lines;
        let is_shown = context.reporter.has_room() && bad_lines != Some(BadLines::Skip);
        if !is_shown && !context.wants_rejects() && bad_lines != Some(BadLines::Error) {
            context.reporter.count(Code::SkippedRow, 1);
            return Ok(());
        }
        let raw = &self.place.utf8[broken.start..broken.end];
        let raw = raw.strip_suffix(b"\r").unwrap_or(raw);
        let problem = self.problem(broken.start, broken.end, context);
        let problem = problem.unwrap_or_else(|| self.unknown(broken.start));
        if bad_lines == Some(BadLines::Error) {
            context.reject(&problem, raw)?;
            return Err(problem.into());
        }
        let line = problem.line.unwrap_or_default();
        let message =
            format!("line {line} is left out, because it is no JSON: {}", problem.message);
        self.first_broken.get_or_insert_with(|| problem.clone());
        let mut issue = Issue::warning(Stage::Parse, Code::SkippedRow, message).line(line).raw(raw);
        issue.byte_offset = problem.byte_offset;
        issue.hint = problem.hint;
        context.reject(&issue, raw)?;
        match bad_lines {
            Some(BadLines::Skip) => context.reporter.count(Code::SkippedRow, 1),
            _ => context.reporter.push(issue),
        }
        Ok(())
    }

    /// Why the rest cannot be read.
    fn failure(&self, row: usize, at: usize, halt: Halt, context: &mut Context<'_>) -> Error {
        if halt == Halt::LongRow {
            let message = "a row of more than 1 GiB";
            let issue = Issue::limit(Code::ValueTooLarge, message, "value_bytes");
            return self.place.mark(issue, at).into();
        }
        // The same words wherever chunks begin.
        let Rows { start, end, .. } = self.rows_in;
        let (start, end) = match self.rows_in.between {
            Between::Lines => {
                let rest = &self.place.utf8[row..end];
                (row, row + memchr::memchr(b'\n', rest).unwrap_or(rest.len()))
            }
            _ => (start, end),
        };
        self.problem(start, end, context).unwrap_or_else(|| self.unknown(at)).into()
    }

    fn unknown(&self, at: usize) -> Issue {
        let at = at.min(self.place.utf8.len());
        self.place.mark(Issue::error(Stage::Parse, Code::Syntax, "this is no JSON"), at)
    }

    /// What the tape parser says of a stretch.
    fn problem(&self, start: usize, end: usize, context: &Context<'_>) -> Option<Issue> {
        let (at, issue) =
            parse::problem(self.place.utf8, start..end, self.rows_in.between, context)?;
        let line = self.place.line(at);
        let issue = issue.line(line).byte_offset(at as u64 + self.place.shift);
        if issue.code != Code::Syntax {
            return Some(issue);
        }
        let column = parse::column(self.place.utf8, at);
        let message = format!("{} (line {line}, column {column})", issue.message);
        Some(Issue { message, ..issue })
    }

    /// What is known when all is read.
    pub fn finish(&mut self) -> Result<()> {
        if self.rows == 0
            && self.broken > 0
            && let Some(issue) = self.first_broken.take()
        {
            return Err(issue.into());
        }
        Ok(())
    }

    /// The end of the value that begins at a place.
    fn value_end(&self, at: usize) -> usize {
        let mut reader = Reader::over(self.place.utf8, at);
        match reader.skip(self.rows_in.depth) {
            Ok(()) => reader.at,
            Err(_) => at,
        }
    }

    /// An issue about the value that begins at a place.
    fn at_value(&self, issue: Issue, at: usize, row: u64) -> Issue {
        let issue = issue.line(self.place.line(at)).byte_offset(at as u64 + self.place.shift);
        issue.row(row + 1).raw(&self.place.utf8[at..self.value_end(at)])
    }
}

/// Keys that stand twice in their object, where objects have columns; in JSON text both are kept.
fn repeated(found: &Found<'_>, fields: &Fields, plans: &[&Plan], context: &mut Context<'_>) {
    let (count, Some(at)) = repeated_in(fields, plans) else { return };
    let message = match count {
        1 => "a key stands twice in its object; the last counts".to_owned(),
        many => format!("{many} keys stand twice in their objects; the last counts"),
    };
    let issue = Issue::warning(Stage::Parse, Code::DuplicateKey, message);
    let issue = issue.line(found.place.line(at)).byte_offset(at as u64 + found.place.shift);
    context.reporter.push(issue.raw(&found.place.utf8[at..found.value_end(at)]));
}

fn repeated_in(fields: &Fields, plans: &[&Plan]) -> (u64, Option<usize>) {
    let mut all = (fields.repeated, fields.first_repeated);
    for ((_, summary), plan) in fields.all.iter().zip(plans) {
        let (mut summary, mut plan) = (summary, *plan);
        while let (Plan::List(inner), Some(element)) = (plan, &summary.element) {
            (summary, plan) = (element, inner);
        }
        let Plan::Struct(inner) = plan else { continue };
        let inner: Vec<&Plan> = inner.iter().map(|(_, plan)| plan).collect();
        let (count, first) = repeated_in(&summary.fields, &inner);
        all.0 += count;
        all.1 = all.1.into_iter().chain(first).min();
    }
    all
}

/// Rows that have more values than there are names.
fn long_rows(found: &Found<'_>, fields: &Fields, context: &mut Context<'_>) {
    let named = found.rows_in.names.len();
    let beyond = fields.all.get(named).filter(|(key, _)| named > 0 && **key == *named.to_string());
    let Some((_, summary)) = beyond else { return };
    let rows = match summary.rows - summary.nulls {
        1 => "1 row has".to_owned(),
        count => format!("{count} rows have"),
    };
    let message = format!(
        "{rows} more values than there are names ({named}); further columns are called by position"
    );
    let issue = Issue::warning(Stage::Parse, Code::LongRow, message);
    context.reporter.push(match summary.seen.first_but(None) {
        Some(first) => found.at_value(issue, first.offset, first.row),
        None => issue,
    });
}

/// Columns whose values are of several kinds, are maps, or do not survive whole.
pub(super) fn columns(
    found: &Found<'_>,
    fields: &Fields,
    columns: &[Column],
    context: &mut Context<'_>,
) {
    let plans: Vec<&Plan> = columns.iter().map(|column| &column.plan).collect();
    repeated(found, fields, &plans, context);
    long_rows(found, fields, context);
    for (column, (_, summary)) in columns.iter().zip(&fields.all) {
        note(found, &column.name, (summary, &column.plan, 1), context);
    }
}

fn note(
    found: &Found<'_>,
    name: &str,
    (summary, plan, depth): (&Summary, &Plan, usize),
    context: &mut Context<'_>,
) {
    let seen = &summary.seen;
    let warning =
        |code: Code, message: String| Issue::warning(Stage::Parse, code, message).column(name);
    let issue = match plan {
        Plan::List(inner) => {
            if let Some(element) = &summary.element {
                note(found, &format!("{name}[]"), (element, inner, depth + 1), context);
            }
            None
        }
        Plan::Struct(plans) => {
            for ((field, plan), (_, summary)) in plans.iter().zip(&summary.fields.all) {
                note(found, &format!("{name}.{field}"), (summary, plan, depth + 1), context);
            }
            None
        }
        Plan::Raw if seen.kinds.only(Kinds::OBJECT) && summary.is_map() => {
            let keys = summary.fields.all.len();
            let more = if summary.fields.overfull { "more than " } else { "" };
            let message = format!(
                "the objects in column {name:?} have {more}{keys} different keys, few of them in \
                 each: they are kept as JSON text"
            );
            seen.first_but(None).map(|first| (warning(Code::MixedTypes, message), first))
        }
        Plan::Raw if seen.kinds.is_one() => {
            let is_deep = summary.element.is_some() || !summary.fields.all.is_empty();
            let message = format!(
                "column {name:?} is nested deeper than {DEEPEST} levels; what is deeper is kept as \
                 JSON text"
            );
            let first = seen.first_but(None).filter(|_| is_deep && depth > DEEPEST);
            first.map(|first| (warning(Code::MixedTypes, message), first))
        }
        Plan::Raw | Plan::Scalar if !seen.kinds.is_one() => {
            let kept = if *plan == Plan::Raw { "JSON text" } else { "text" };
            let (mixture, first) = seen.mixture();
            let message = format!(
                "column {name:?} has values of several kinds ({mixture}) and is kept as {kept}"
            );
            first.map(|first| (warning(Code::MixedTypes, message), first))
        }
        Plan::Scalar => {
            let why = match seen.numbers.exponents {
                true => "a float64 does not hold all of its numbers, and some have exponents",
                false => "its numbers fit neither a float64 nor a decimal of 38 digits",
            };
            let message = format!("column {name:?} is kept as text: {why}");
            let hint = format!("dtype={{{name:?}: \"float64\"}} takes the nearest float");
            let first = seen.first_but(None);
            first.map(|first| (warning(Code::FloatPrecision, message).hint(hint), first))
        }
        Plan::Float64 if seen.numbers.long > 0 => {
            let (count, have) = match seen.numbers.long {
                1 => ("1 number".to_owned(), "has"),
                long => (format!("{long} numbers"), "have"),
            };
            let message = format!(
                "{count} in column {name:?} {have} more than 17 digits; a float64 holds the nearest"
            );
            let hint = format!("dtype={{{name:?}: \"str\"}} keeps every digit");
            context.reporter.push(warning(Code::FloatPrecision, message).hint(hint));
            None
        }
        _ => None,
    };
    if let Some((issue, first)) = issue {
        context.reporter.push(found.at_value(issue, first.offset, first.row));
    }
}

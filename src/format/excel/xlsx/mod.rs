//! Workbooks of the Open XML kind: xlsx, xlsm and templates.
//!
//! Takes the zip; finds its parts by their relationships; gives each sheet as its cells. A sheet's
//! XML goes from the inflater to the cells' columns block by block, so it is never whole in memory;
//! another thread inflates, and several sheets are read at a time. What the file says of sizes is
//! never believed: what comes out is counted.

pub(super) mod feed;
mod formats;
pub(super) mod package;
mod strings;
mod styles;
mod swift;
mod text;
mod value;
mod worksheet;
pub(super) mod xml;

#[cfg(test)]
mod cases;
#[cfg(test)]
mod differential;
#[cfg(test)]
mod round_trip;
#[cfg(test)]
pub(super) mod written;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;

use self::feed::Limited;
use self::worksheet::Findings;
use super::cells::SheetInfo;
use super::place::name_of;
use super::sheet::{Sheet, Tag, Texts};
use crate::context::Context;
use crate::decompress::{Budget, Parts};
use crate::error::{Error, Result};
use crate::format::chunks::ordered;
use crate::guard::guarded;
use crate::limits::Limits;
use crate::report::{Code, Issue, Stage};

/// An open workbook.
pub(super) struct Xlsx {
    parts: Parts,
    main: package::Main,
    /// Bytes of the file, and those that came out of it so far.
    input: u64,
    given: u64,
}

/// A sheet that has been read, but for its shared texts.
struct Read {
    sheet: Sheet,
    findings: Findings,
    given: u64,
}

impl Xlsx {
    /// Reads the list of sheets.
    pub(super) fn open(bytes: &Bytes, limits: &Limits) -> Result<Self> {
        let parts = Parts::open(bytes, limits)?;
        let limited = Limited::new(&parts, limits);
        let main = package::main(&limited)?;
        let given = limited.given();
        Ok(Xlsx { parts, main, input: bytes.len() as u64, given })
    }

    pub(super) fn sheets(&self) -> Vec<SheetInfo> {
        self.main.sheets.iter().map(|(info, _)| info.clone()).collect()
    }

    /// Reads sheets and hands them over in the order in which they are wanted.
    pub(super) fn read(
        &mut self,
        wanted: &[usize],
        context: &mut Context<'_>,
        take: &mut dyn FnMut(usize, Sheet, &mut Context<'_>) -> Result<()>,
    ) -> Result<()> {
        let limits = context.limits;
        let threads = context.options.parallelism.threads();
        if let Some(name) = self.parts.doubled() {
            context.reporter.push(doubled(name));
        }
        let mut budget = Budget::new(self.input, limits);
        budget.spend(self.given)?;
        let limited = Limited::new(&self.parts, limits);
        let styles = match &self.main.styles {
            Some(part) if limited.has(part) => styles::styles(&limited, part)?,
            Some(part) => {
                let message = format!(
                    "the workbook's part {part} is missing: dates cannot be told from numbers"
                );
                context.reporter.push(Issue::warning(Stage::Parse, Code::Corrupt, message));
                Vec::new()
            }
            None => Vec::new(),
        };
        budget.spend(limited.given())?;
        let stop = AtomicBool::new(false);
        let this = &*self;
        let strings = || guarded(Stage::Parse, "xlsx", || this.strings(limits, &stop));
        std::thread::scope(|scope| {
            let _stop = Stop(&stop);
            // Cells have only the numbers of shared texts, so both can be read at once.
            let mut waiting = (threads > 1).then(|| scope.spawn(strings));
            let mut shared: Option<Arc<Texts>> = None;
            let mut left = limits.sheet_cells;
            ordered(
                threads,
                wanted.len(),
                threads,
                || (),
                |(), position| {
                    guarded(Stage::Parse, "xlsx", || {
                        this.sheet(wanted[position], threads > 1, &styles, limits, &stop)
                    })
                },
                |position, read| {
                    let texts = match &shared {
                        Some(texts) => texts.clone(),
                        None => {
                            let read = match waiting.take() {
                                Some(thread) => thread
                                    .join()
                                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
                                None => strings(),
                            };
                            let (texts, given) = read?;
                            budget.spend(given)?;
                            shared.insert(Arc::new(texts)).clone()
                        }
                    };
                    let Read { mut sheet, findings, given } = read?;
                    budget.spend(given)?;
                    check(&sheet, &findings, &texts, &mut left)?;
                    for issue in findings.issues(&sheet.name) {
                        context.reporter.push(issue);
                    }
                    sheet.shared = texts;
                    take(wanted[position], sheet, context)?;
                    Ok(true)
                },
            )
        })
    }

    fn strings(&self, limits: &Limits, stop: &AtomicBool) -> Result<(Texts, u64)> {
        let limited = Limited::new(&self.parts, limits).until(stop);
        // Cells that name a text of a part that is missing are found later.
        let texts = match self.main.strings.as_ref().filter(|part| limited.has(part)) {
            Some(part) => strings::strings(&limited, part)?,
            None => Texts::default(),
        };
        Ok((texts, limited.given()))
    }

    fn sheet(
        &self,
        index: usize,
        overlap: bool,
        styles: &[Tag],
        limits: &Limits,
        stop: &AtomicBool,
    ) -> Result<Read> {
        let limited = Limited::new(&self.parts, limits).until(stop);
        let Some((info, part)) = self.main.sheets.get(index) else {
            let message = format!("the workbook has no sheet {index}");
            return Err(Issue::error(Stage::Parse, Code::UnknownSheet, message).into());
        };
        let mut sheet = Sheet {
            name: info.name.clone(),
            hidden: info.hidden,
            from_1904: self.main.from_1904,
            ..Sheet::default()
        };
        let mut findings = Findings::default();
        let mut fill = || {
            let Some(part) = part.as_ref().filter(|part| limited.has(part)) else {
                let part = part.as_deref().unwrap_or("that is named nowhere");
                let message =
                    format!("the workbook is damaged: the sheet's part {part} is missing");
                return Err(Issue::error(Stage::Parse, Code::Corrupt, message).into());
            };
            let left = limits.sheet_cells;
            findings = worksheet::worksheet(&limited, part, overlap, styles, &mut sheet, left)?;
            sheet.tables = package::tables(&limited, part)?;
            Ok(())
        };
        if info.worksheet {
            fill().map_err(|error: Error| error.map_issue(|issue| issue.table(&info.name)))?;
        }
        sheet.settle();
        Ok(Read { sheet, findings, given: limited.given() })
    }
}

/// What can be said of a sheet only once the shared texts and the sheets before it are known.
fn check(sheet: &Sheet, findings: &Findings, texts: &Texts, left: &mut u64) -> Result<()> {
    if let Some((index, (row, column))) = findings.largest
        && index >= texts.len() as u64
    {
        let message = format!(
            "the workbook is damaged: cell {}!{} has the shared text {index}, but there are {}",
            sheet.name,
            name_of(row, column),
            texts.len()
        );
        return Err(Issue::error(Stage::Parse, Code::Corrupt, message).table(&sheet.name).into());
    }
    let cells: u64 = sheet.columns.iter().map(|column| column.len() as u64).sum();
    *left = left.checked_sub(cells).ok_or_else(|| {
        let message = "more cells than allowed in one workbook";
        Issue::limit(Code::TooManyCells, message, "sheet_cells").table(&sheet.name)
    })?;
    Ok(())
}

fn doubled(name: &str) -> Issue {
    let named = if name.is_empty() { String::new() } else { format!(", {name:?}") };
    let message = format!("two parts of the workbook have one name{named}; the last is read");
    Issue::warning(Stage::Parse, Code::SkippedMember, message)
}

struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

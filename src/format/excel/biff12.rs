//! What calamine leaves out of an xlsb: formulas whose result is an error, and merged cells.
//!
//! Takes the parts; walks the records of the workbook and of a sheet. A walk that meets what it does
//! not understand ends there: the cells are calamine's business.

use super::place::{COLUMNS, ROWS};
use super::sheet::{Area, Sheet, Tag};
use super::xlsx::feed::Limited;
use super::xlsx::package;
use crate::decompress::{PartStream, Parts};
use crate::error::Result;
use crate::limits::Limits;

const ROW: u16 = 0x0000;
const FORMULA_ERROR: u16 = 0x000b;
const SHEET: u16 = 0x009c;
const MERGED: u16 = 0x00b0;
const END_OF_SHEETS: u16 = 0x0090;
const MAIN: &str = "xl/workbook.bin";
/// Bytes that are inflated at a time.
const BLOCK: usize = 64 << 10;
/// No record of interest is longer.
const RECORD: usize = 1 << 20;

/// For each sheet its name and its part.
pub(super) fn sheets(parts: &Parts, limits: &Limits) -> Result<Vec<(String, String)>> {
    let relations = package::relations(&Limited::new(parts, limits), MAIN)?;
    let mut sheets = Vec::new();
    walk(parts, MAIN, limits, |kind, body| {
        if kind == SHEET && sheets.len() < limits.archive_entries {
            let mut rest = body.get(8..).unwrap_or_default();
            let (id, name) = (wide(&mut rest), wide(&mut rest));
            let relation = relations.iter().find(|relation| Some(&relation.id) == id.as_ref());
            if let (Some(relation), Some(name)) = (relation, name) {
                sheets.push((name, relation.target.clone()));
            }
        }
        Ok(kind != END_OF_SHEETS)
    })?;
    Ok(sheets)
}

/// Adds to a sheet what is in its part and not among its cells yet.
pub(super) fn complete(
    parts: &Parts,
    part: &str,
    limits: &Limits,
    sheet: &mut Sheet,
    left: &mut u64,
) -> Result<()> {
    let mut row = ROWS;
    walk(parts, part, limits, |kind, body| {
        match kind {
            ROW => row = number(body, 0).unwrap_or(ROWS),
            FORMULA_ERROR => {
                let column = number(body, 0).filter(|column| *column < COLUMNS && row < ROWS);
                if let (Some(column), Some(code)) = (column, body.get(8)) {
                    let bits = sheet.own.push(error(*code));
                    sheet.push(row, column, Tag::Error, bits, left)?;
                }
            }
            MERGED => {
                let corner = |at| number(body, at);
                if let (Some(top), Some(bottom), Some(left_column), Some(right)) =
                    (corner(0), corner(4), corner(8), corner(12))
                    && top <= bottom
                    && bottom < ROWS
                    && left_column <= right
                    && right < COLUMNS
                    && *left > 0
                {
                    *left -= 1;
                    sheet.merged.push(Area { top, left: left_column, bottom, right });
                }
            }
            _ => {}
        }
        Ok(true)
    })
}

fn error(code: u8) -> &'static str {
    match code {
        0x00 => "#NULL!",
        0x07 => "#DIV/0!",
        0x0f => "#VALUE!",
        0x17 => "#REF!",
        0x1d => "#NAME?",
        0x24 => "#NUM!",
        0x2a => "#N/A",
        0x2b => "#GETTING_DATA",
        _ => "#ERROR!",
    }
}

fn number(body: &[u8], at: usize) -> Option<u32> {
    let four = body.get(at..at + 4)?.first_chunk()?;
    Some(u32::from_le_bytes(*four))
}

/// A text with its length before it.
fn wide(rest: &mut &[u8]) -> Option<String> {
    let length = usize::try_from(number(rest, 0)?).ok()?.checked_mul(2)?;
    let text = rest.get(4..)?.get(..length)?;
    *rest = &rest[4 + length..];
    let units = text.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
    Some(
        char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect(),
    )
}

/// Calls `record` with each record until it says `false`. Long ones come without their body.
fn walk(
    parts: &Parts,
    part: &str,
    limits: &Limits,
    mut record: impl FnMut(u16, &[u8]) -> Result<bool>,
) -> Result<()> {
    parts.stream(part, limits, |stream| {
        let mut buffer = Buffer { stream, bytes: Vec::new(), at: 0 };
        while let Some((kind, length)) = buffer.head()? {
            let body = if length <= RECORD { length } else { 0 };
            if !buffer.has(body)? || !record(kind, &buffer.bytes[buffer.at..buffer.at + body])? {
                break;
            }
            if !buffer.skip(length)? {
                break;
            }
        }
        Ok(())
    })
}

struct Buffer<'a, 'b> {
    stream: &'a mut PartStream<'b>,
    bytes: Vec<u8>,
    at: usize,
}

impl Buffer<'_, '_> {
    /// Kind and length of the next record, in groups of seven bits.
    fn head(&mut self) -> Result<Option<(u16, usize)>> {
        let (mut kind, mut length) = (0u16, 0usize);
        for (index, shift) in [0, 7].into_iter().enumerate() {
            let Some(byte) = self.byte()? else { return Ok(None) };
            kind |= u16::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 || index == 1 {
                break;
            }
        }
        for shift in [0, 7, 14, 21] {
            let Some(byte) = self.byte()? else { return Ok(None) };
            length |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        Ok(Some((kind, length)))
    }

    fn byte(&mut self) -> Result<Option<u8>> {
        if !self.has(1)? {
            return Ok(None);
        }
        self.at += 1;
        Ok(Some(self.bytes[self.at - 1]))
    }

    fn has(&mut self, bytes: usize) -> Result<bool> {
        while self.bytes.len() - self.at < bytes {
            self.bytes.drain(..self.at);
            self.at = 0;
            if !self.stream.fill(&mut self.bytes, BLOCK)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn skip(&mut self, mut bytes: usize) -> Result<bool> {
        loop {
            let here = bytes.min(self.bytes.len() - self.at);
            self.at += here;
            bytes -= here;
            if bytes == 0 {
                return Ok(true);
            }
            if !self.has(1)? {
                return Ok(false);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Context;
    use crate::format::excel::cells::Workbook;
    use crate::options::{FileType, Options};

    #[test]
    fn errors_of_formulas_and_merged_cells() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/excel/parts_orders.xlsb");
        let bytes = std::fs::read(path).unwrap().into();
        let (options, limits) = (Options::default(), Limits::default());
        let mut context = Context::new(&options, &limits);
        let mut book = Workbook::open(FileType::Xlsb, &bytes, &context).unwrap();
        let hidden: Vec<bool> = book.sheets().iter().map(|sheet| sheet.hidden).collect();
        assert_eq!(hidden, [false, false, true]);
        let mut read = None;
        book.read(&[1], &mut context, &mut |_, sheet, _| {
            read = Some(sheet);
            Ok(())
        })
        .unwrap();
        let sheet = read.unwrap();
        let column = &sheet.columns[1];
        let texts: Vec<_> = (0..column.len()).map(|index| sheet.text(column.get(index))).collect();
        assert_eq!(texts, [Some("ratio"), None, Some("#DIV/0!"), Some("#N/A")]);
        assert_eq!(column.rows(), [0, 1, 2, 3]);
        assert_eq!(sheet.merged, [Area { top: 0, left: 0, bottom: 0, right: 1 }]);
    }
}

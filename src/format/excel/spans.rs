//! Merged areas of an ods, which its reader does not give: cells that span others.

use std::collections::HashMap;

use bytes::Bytes;

use super::DENSE_CELLS;
use super::place::{COLUMNS, ROWS};
use super::sheet::Area;
use super::xlsx::feed::{Limited, with_xml};
use super::xlsx::xml::{Event, Tag, Xml};
use crate::decompress::Parts;
use crate::error::Result;
use crate::limits::Limits;
use crate::report::{Code, Issue, Stage};

/// What a sheet's reader does not tell of its cells.
#[derive(Debug, Default)]
pub(super) struct Spans {
    pub merged: Vec<Area>,
    /// Cells that hold the error of a formula, which look like texts.
    pub errors: Vec<Area>,
}

/// What repeated cells come to: their reader makes a copy for each.
struct Copies {
    cells: u64,
    bytes: u64,
}

impl Copies {
    /// Takes the cells of a row: how many, and how many bytes of them are written in the file.
    fn take(&mut self, cells: u64, bytes: u64, times: u64) -> Result<()> {
        let copied = self.cells.checked_sub(cells.saturating_mul(times));
        self.cells = copied.ok_or_else(|| {
            let message = "more cells than allowed in one workbook, repeated ones included";
            Issue::limit(Code::TooManyCells, message, "sheet_cells")
        })?;
        let copied = self.bytes.checked_sub(bytes.saturating_mul(times));
        self.bytes = copied.ok_or_else(|| {
            let message = "the texts of repeated cells come to more than allowed for such a file";
            Issue::limit(Code::InflatedTooLarge, message, "inflation_ratio")
        })?;
        Ok(())
    }
}

/// The merged areas and errors of each sheet, by its name. Refuses cells that are repeated more often than fits
/// into memory, and XML that is not whole: its reader waits forever for the end of a table.
pub(super) fn spans(bytes: &Bytes, limits: &Limits) -> Result<HashMap<String, Spans>> {
    let texts = (bytes.len() as u64).saturating_mul(limits.inflation_ratio);
    let texts = texts.max(limits.ratio_free_bytes).min(limits.inflated_bytes);
    let mut copies = Copies { cells: limits.sheet_cells.min(DENSE_CELLS), bytes: texts };
    let parts = Parts::open(bytes, limits)?;
    if parts.doubled().is_some() {
        let message = "the workbook is damaged: two of its parts have one name";
        return Err(Issue::error(Stage::Parse, Code::Corrupt, message).into());
    }
    let mut spans: HashMap<String, Spans> = HashMap::new();
    let limited = Limited::new(&parts, limits);
    if !limited.has("content.xml") {
        return Ok(spans);
    }
    with_xml(&limited, "content.xml", false, |xml| {
        if !xml.is_utf8 {
            let message = "another encoding than UTF-8 in an ods";
            return Err(xml.error(Code::UnsupportedFeature, message).into());
        }
        let mut left = limits.sheet_cells;
        loop {
            match xml.next()? {
                Event::Start(tag) if xml.local(&tag) == b"table" && !tag.empty => {
                    let name = attribute(xml, &tag, b"name").map(|name| xml.text_of(name));
                    let name = name.transpose()?.unwrap_or_default();
                    let areas = table(xml, &mut left, &mut copies)?;
                    spans.entry(name).or_insert(areas);
                }
                Event::Eof => return Ok(()),
                _ => {}
            }
        }
    })?;
    Ok(spans)
}

fn attribute<'a>(xml: &'a Xml<'_>, tag: &Tag, name: &[u8]) -> Option<&'a [u8]> {
    xml.attribute(tag, name).or_else(|| xml.prefixed_attribute(tag, name))
}

fn count(xml: &Xml<'_>, tag: &Tag, name: &[u8]) -> u32 {
    let Some(digits) = attribute(xml, tag, name).map(<[u8]>::trim_ascii) else { return 1 };
    let digits = digits.strip_prefix(b"+").unwrap_or(digits);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return 1;
    }
    let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
    number.unwrap_or(u32::MAX).max(1)
}

/// The areas of the table whose tag has been read.
fn table(xml: &mut Xml<'_>, left: &mut u64, copies: &mut Copies) -> Result<Spans> {
    let (mut areas, outside) = (Spans::default(), xml.depth() - 1);
    let mut row = 0u32;
    while xml.depth() > outside {
        let Event::Start(tag) = xml.next()? else { continue };
        // Rows stand in groups too, and are read wherever they stand.
        if xml.local(&tag) == b"table-row" {
            let repeated = count(xml, &tag, b"number-rows-repeated");
            if !tag.empty {
                let (cells, bytes) = cells(xml, row, &mut areas, repeated, left)?;
                copies.take(cells, bytes, u64::from(repeated))?;
            }
            row = row.saturating_add(repeated);
        }
    }
    Ok(areas)
}

/// Gives how many cells the row has up to the last that is filled, and the bytes of all copies.
fn cells(
    xml: &mut Xml<'_>,
    row: u32,
    areas: &mut Spans,
    rows_repeated: u32,
    left: &mut u64,
) -> Result<(u64, u64)> {
    let (mut column, outside) = (0u32, xml.depth() - 1);
    let (mut filled, mut copied) = (0, 0u64);
    while xml.depth() > outside {
        let Event::Start(tag) = xml.next()? else { continue };
        let columns = count(xml, &tag, b"number-columns-spanned");
        let rows = count(xml, &tag, b"number-rows-spanned");
        let repeated = count(xml, &tag, b"number-columns-repeated");
        let (bottom, right) = (row.saturating_add(rows - 1), column.saturating_add(columns - 1));
        if (columns, rows) != (1, 1) && bottom < ROWS && right < COLUMNS && *left > 0 {
            *left -= 1;
            areas.merged.push(Area { top: row, left: column, bottom, right });
        }
        let is_error = xml
            .attributes(&tag)
            .any(|(key, value)| key.ends_with(b":value-type") && value == b"error");
        if is_error && *left > 0 && column < COLUMNS && row < ROWS {
            *left -= 1;
            let bottom = row.saturating_add(rows_repeated - 1).min(ROWS - 1);
            let right = column.saturating_add(repeated - 1).min(COLUMNS - 1);
            areas.errors.push(Area { top: row, left: column, bottom, right });
        }
        column = column.saturating_add(repeated);
        let holds_value = |key: &[u8]| {
            [&b"value"[..], b"value-type", b"formula"].iter().any(|end| key.ends_with(end))
        };
        let is_filled = !tag.empty || xml.attributes(&tag).any(|(key, _)| holds_value(key));
        let attributes = xml.attributes(&tag).map(|(_, value)| value.len() as u64).sum::<u64>();
        let start = xml.offset();
        let spaces = inside(xml, &tag)?;
        if is_filled {
            filled = u64::from(column);
            let bytes = (xml.offset() - start).saturating_add(attributes).saturating_add(spaces);
            let bytes = bytes.saturating_mul(u64::from(repeated));
            copied = copied.saturating_add(bytes);
        }
    }
    Ok((filled, copied))
}

/// Reads over a cell; gives the spaces that its texts write as a number.
fn inside(xml: &mut Xml<'_>, tag: &Tag) -> Result<u64> {
    let (mut spaces, outside) = (0u64, xml.depth().saturating_sub(1));
    while !tag.empty && xml.depth() > outside {
        let Event::Start(tag) = xml.next()? else { continue };
        match xml.local(&tag) {
            b"s" => {
                spaces = spaces.saturating_add(u64::from(count(xml, &tag, b"c")));
                // One text alone is bounded too.
                xml.check_length(usize::try_from(spaces).unwrap_or(usize::MAX))?;
            }
            // The reader would take its rows for those of the sheet.
            b"table-row" => {
                let message = "a table inside a cell";
                return Err(xml.error(Code::UnsupportedFeature, message).into());
            }
            _ => {}
        }
    }
    Ok(spaces)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::excel::xlsx::written::zip;

    #[test]
    fn cells_that_span_others() {
        let xml = "<office:document-content xmlns:table=\"t\"><office:body><table:table table:name=\"A\">\
                   <table:table-header-rows><table:table-row table:number-rows-repeated=\"3\"/></table:table-header-rows>\
                   <table:table-row><table:table-cell table:number-columns-repeated=\"2\"/>\
                   <table:table-cell table:number-columns-spanned=\"2\" table:number-rows-spanned=\"1\"><text:p>x</text:p></table:table-cell>\
                   <table:covered-table-cell/></table:table-row></table:table><table:table table:name=\"B\"/></office:body></office:document-content>";
        let parts = [("content.xml".to_owned(), xml.as_bytes().to_vec())];
        let spans = spans(&zip(&parts), &Limits::default()).unwrap();
        assert_eq!(spans["A"].merged, [Area { top: 3, left: 2, bottom: 3, right: 3 }]);
        assert_eq!(spans["A"].errors, []);
        assert_eq!(spans.len(), 1);
    }

    #[test]
    fn errors_and_repeated_cells() {
        let book = |times: &str| {
            let xml = format!(
                "<office:document-content xmlns:table=\"t\"><table:table table:name=\"A\"><table:table-row>\
                 <table:table-cell office:value-type=\"string\" calcext:value-type=\"error\" table:number-columns-repeated=\"{times}\">\
                 <text:p>#N/A</text:p></table:table-cell></table:table-row></table:table></office:document-content>"
            );
            spans(&zip(&[("content.xml".to_owned(), xml.into_bytes())]), &Limits::default())
        };
        let area = Area { top: 0, left: 0, bottom: 0, right: 1 };
        assert_eq!(book("2").unwrap()["A"].errors, [area]);
        for many in ["900000000", "90000000000000", " +900000000"] {
            assert_eq!(book(many).unwrap_err().issue().code, Code::TooManyCells);
        }
    }

    #[test]
    fn what_would_keep_its_reader_busy() {
        let book = |rows: &str| {
            let xml = format!("<a><table:table table:name=\"A\">{rows}</table:table></a>");
            let book = zip(&[("content.xml".to_owned(), xml.into_bytes())]);
            spans(&book, &Limits::default()).map(|_| ()).map_err(|error| error.issue().code)
        };
        let cell = "<table:table-row><table:table-cell office:value-type=\"string\">";
        let ends = "</table:table-cell></table:table-row>";
        assert_eq!(book(&format!("{cell}<text:p>a<text:s text:c=\"3\"/></text:p>{ends}")), Ok(()));
        let spaces = format!("{cell}<text:p><text:s text:c=\"99999999999\"/></text:p>{ends}");
        assert_eq!(book(&spaces), Err(Code::ValueTooLarge));
        assert_eq!(book(&format!("{cell}{cell}{ends}{ends}")), Err(Code::UnsupportedFeature));
        let no_type = "<table:table-row table:number-rows-repeated=\"90000\">\
                       <table:table-cell office:value=\"1\" table:number-columns-repeated=\"16000\"/>\
                       </table:table-row>";
        assert_eq!(book(no_type), Err(Code::TooManyCells));
        assert_eq!(book(&format!("<x>{no_type}</x>")), Err(Code::TooManyCells));
        assert_eq!(book("</table:table><table:table>"), Ok(()));
        assert_eq!(book("</table:table></table:table>"), Err(Code::Corrupt));
        assert_eq!(book("<table:table>"), Err(Code::Corrupt));
    }
}

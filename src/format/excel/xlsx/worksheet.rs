//! The cells of one sheet, as its XML streams by.

use super::feed::{Limited, with_xml};
use super::strings::rich_text;
use super::swift;
use super::text;
use super::value::{self, Kind, Number};
use super::xml::{Event, Tag as Element, Xml};
use crate::error::{Error, Result};
use crate::format::excel::place::{COLUMNS, ROWS, area_of, cell_of, name_of, row_of};
use crate::format::excel::sheet::{Sheet, Tag};
use crate::report::{Code, Issue, Stage};

/// What was found beside the cells.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// The largest index of a shared text, and the first cell that has it.
    pub largest: Option<(u64, (u32, u32))>,
    /// Formulas without a value: how many, and the first cell.
    unsaved: Tally,
    /// Values that are not what their cell says they are.
    unlike: Tally,
    /// Whole numbers of more digits than a number holds.
    long: Tally,
}

#[derive(Debug, Default)]
struct Tally {
    count: u64,
    first: Option<(u32, u32)>,
}

impl Tally {
    #[cold]
    fn add(&mut self, place: (u32, u32)) {
        self.count += 1;
        self.first.get_or_insert(place);
    }
}

impl Findings {
    /// What the report should say.
    pub fn issues(&self, sheet: &str) -> Vec<Issue> {
        let mut issues = Vec::new();
        let said = |tally: &Tally, one: &str, many: &str| {
            let (row, column) = tally.first?;
            let cell = format!("{sheet}!{}", name_of(row, column));
            Some(match tally.count {
                1 => format!("cell {cell} {one}"),
                count => format!("{count} cells {many}; the first is {cell}"),
            })
        };
        if let Some(message) = said(
            &self.unsaved,
            "has a formula without a saved value, read as empty",
            "have formulas without saved values, read as empty",
        ) {
            let hint = "open the workbook in a spreadsheet program and save it";
            let issue = Issue::warning(Stage::Parse, Code::CellError, message);
            issues.push(issue.table(sheet).hint(hint));
        }
        if let Some(message) = said(
            &self.long,
            "holds a whole number that no float64 holds, read as text",
            "hold whole numbers that no float64 holds, read as text",
        ) {
            issues.push(Issue::warning(Stage::Parse, Code::FloatPrecision, message).table(sheet));
        }
        if let Some(message) = said(
            &self.unlike,
            "holds what is not of the type it declares, read as text",
            "hold what is not of the type they declare, read as text",
        ) {
            issues.push(Issue::warning(Stage::Parse, Code::BadValue, message).table(sheet));
        }
        issues
    }
}

/// Reads a sheet's part into `sheet`, at most `left` cells.
pub(super) fn worksheet(
    parts: &Limited<'_>,
    part: &str,
    overlap: bool,
    styles: &[Tag],
    sheet: &mut Sheet,
    left: u64,
) -> Result<Findings> {
    with_xml(parts, part, overlap, |xml| cells(xml, styles, sheet, left))
}

/// Reads a sheet's XML into `sheet`, at most `left` cells.
pub(super) fn cells(
    xml: &mut Xml<'_>,
    styles: &[Tag],
    sheet: &mut Sheet,
    left: u64,
) -> Result<Findings> {
    let mut reader = Reader {
        sheet,
        styles,
        plain: styles.first().copied().unwrap_or(Tag::Number),
        left,
        row: 0,
        column: 0,
        value: String::new(),
        inline: String::new(),
        last_error: None,
        findings: Findings::default(),
    };
    reader.part(xml)?;
    Ok(reader.findings)
}

struct Reader<'a> {
    sheet: &'a mut Sheet,
    styles: &'a [Tag],
    /// What numbers without a style are.
    plain: Tag,
    left: u64,
    /// Where a cell is that does not say where it is.
    row: u32,
    column: u32,
    value: String,
    inline: String,
    last_error: Option<u64>,
    findings: Findings,
}

impl Reader<'_> {
    fn part(&mut self, xml: &mut Xml<'_>) -> Result<()> {
        let mut any = false;
        loop {
            match xml.next()? {
                Event::Start(tag) => {
                    let depth = xml.depth() - usize::from(!tag.empty);
                    match xml.local(&tag) {
                        _ if depth == 0 => any = true,
                        b"sheetData" if !tag.empty => self.rows(xml)?,
                        b"mergeCells" if !tag.empty => self.merged(xml)?,
                        _ => xml.skip(&tag)?,
                    }
                }
                Event::Eof if any => return Ok(()),
                Event::Eof => {
                    let message = "a part without XML where a sheet was expected";
                    return Err(xml.error(Code::Corrupt, message).into());
                }
                _ => {}
            }
        }
    }

    fn rows(&mut self, xml: &mut Xml<'_>) -> Result<()> {
        let mut next_row = 0;
        loop {
            match xml.next()? {
                Event::Start(tag) if xml.local(&tag) == b"row" => {
                    self.row = match xml.attribute(&tag, b"r") {
                        Some(row) => {
                            row_of(row.trim_ascii()).ok_or_else(|| outside(xml, "row", row))?
                        }
                        None if next_row < ROWS => next_row,
                        None => return Err(outside(xml, "row", (ROWS + 1).to_string().as_bytes())),
                    };
                    next_row = self.row + 1;
                    self.column = 0;
                    if !tag.empty {
                        self.cells(xml)?;
                    }
                }
                Event::Start(tag) => xml.skip(&tag)?,
                Event::End | Event::Eof => return Ok(()),
                _ => {}
            }
        }
    }

    fn cells(&mut self, xml: &mut Xml<'_>) -> Result<()> {
        loop {
            while let Some(written) = swift::cell(xml.rest()) {
                self.written(xml, &written)?;
                xml.advance(written.end);
            }
            match xml.next()? {
                Event::Start(tag) if xml.local(&tag) == b"c" => self.cell(xml, &tag)?,
                Event::Start(tag) => xml.skip(&tag)?,
                Event::End | Event::Eof => return Ok(()),
                _ => {}
            }
        }
    }

    #[inline]
    fn written(&mut self, xml: &Xml<'_>, written: &swift::Written) -> Result<()> {
        let place = written.place.unwrap_or((self.row, self.column));
        if place.1 >= COLUMNS {
            return Err(outside(xml, "cell", name_of(place.0, place.1).as_bytes()));
        }
        self.column = place.1 + 1;
        let Some(range) = &written.value else {
            if written.formula {
                self.findings.unsaved.add(place);
            }
            return Ok(());
        };
        let raw = &xml.rest()[range.clone()];
        match written.kind {
            Kind::Number => {
                if let Some(number) = value::number(xml.rest(), range.start, range.end) {
                    return self.number(place, written.style, number);
                }
            }
            Kind::Shared => {
                if let Some(index) = value::index(raw) {
                    return self.shared(place, index);
                }
            }
            Kind::Text | Kind::Inline if text::is_verbatim(raw) => {
                xml.check_length(raw.len())?;
                let text = text::utf8(raw).map_err(|bad| xml.bad_text(bad))?;
                let bits = self.sheet.own.push(text);
                return self.push(place, Tag::Own, bits);
            }
            _ => {}
        }
        xml.check_length(raw.len())?;
        let mut value = std::mem::take(&mut self.value);
        value.clear();
        text::unescape(raw, &mut value).map_err(|bad| xml.bad_text(bad))?;
        let cell =
            Cell { place, kind: written.kind, style: written.style, formula: written.formula };
        self.put(xml, &cell, &mut value)?;
        self.value = value;
        Ok(())
    }

    /// A cell in any form, whose tag has been read.
    fn cell(&mut self, xml: &mut Xml<'_>, tag: &Element) -> Result<()> {
        let place = match xml.attribute(tag, b"r") {
            Some(place) => {
                cell_of(place.trim_ascii()).ok_or_else(|| outside(xml, "cell", place))?
            }
            None => (self.row, self.column),
        };
        if place.1 >= COLUMNS {
            return Err(outside(xml, "cell", name_of(place.0, place.1).as_bytes()));
        }
        self.column = place.1 + 1;
        // A style that is none shows no date.
        let style = xml.attribute(tag, b"s").map_or(0, |style| {
            value::index(style).and_then(|style| u32::try_from(style).ok()).unwrap_or(u32::MAX)
        });
        let kind = xml.attribute(tag, b"t").map_or(Kind::Number, Kind::of);
        let mut cell = Cell { place, kind, style, formula: false };
        let (mut value, mut inline) =
            (std::mem::take(&mut self.value), std::mem::take(&mut self.inline));
        value.clear();
        inline.clear();
        let (mut has_value, mut has_inline) = (false, false);
        if !tag.empty {
            let outside = xml.depth() - 1;
            while xml.depth() > outside {
                let Event::Start(tag) = xml.next()? else { continue };
                match xml.local(&tag) {
                    b"v" => {
                        has_value = true;
                        xml.text_inside(&tag, &mut value)?;
                    }
                    b"is" => has_inline |= rich_text(xml, &tag, &mut inline)?,
                    b"f" => {
                        cell.formula = true;
                        xml.skip(&tag)?;
                    }
                    _ => xml.skip(&tag)?,
                }
            }
        }
        if has_inline {
            let bits = self.sheet.own.push(&inline);
            self.push(place, Tag::Own, bits)?;
        } else if has_value {
            self.put(xml, &cell, &mut value)?;
        } else if cell.formula {
            self.findings.unsaved.add(place);
        }
        (self.value, self.inline) = (value, inline);
        Ok(())
    }

    /// A value whose entities are resolved.
    fn put(&mut self, xml: &Xml<'_>, cell: &Cell, text: &mut String) -> Result<()> {
        let place = cell.place;
        if matches!(cell.kind, Kind::Text | Kind::Inline) {
            text::resolve_marks(text);
            let bits = self.sheet.own.push(text);
            return self.push(place, Tag::Own, bits);
        }
        let trimmed = text.trim_ascii();
        if trimmed.is_empty() {
            if cell.formula {
                self.findings.unsaved.add(place);
            }
            return Ok(());
        }
        match cell.kind {
            Kind::Number => {
                if let Some(number) = value::number(trimmed.as_bytes(), 0, trimmed.len()) {
                    return self.number(place, cell.style, number);
                }
            }
            Kind::Shared => {
                let Some(index) = value::index(trimmed.as_bytes()) else {
                    let raw = crate::report::quote(trimmed.as_bytes());
                    let name = name_of(place.0, place.1);
                    let message = format!(
                        "cell {name} has {raw:?} where the number of a shared text was expected"
                    );
                    return Err(xml.error(Code::Corrupt, message).into());
                };
                return self.shared(place, index);
            }
            Kind::Bool => {
                if let Some(flag) = value::flag(trimmed.as_bytes()) {
                    return self.push(place, Tag::Bool, u64::from(flag));
                }
            }
            Kind::Error => {
                // There are few errors, and often many cells of one.
                let last = self.last_error.filter(|last| self.sheet.own.get(*last) == trimmed);
                let bits = last.unwrap_or_else(|| self.sheet.own.push(trimmed));
                self.last_error = Some(bits);
                return self.push(place, Tag::Error, bits);
            }
            Kind::Date => {
                let bits = self.sheet.own.push(trimmed);
                return self.push(place, Tag::Iso, bits);
            }
            Kind::Text | Kind::Inline | Kind::Unknown => {}
        }
        let digits = trimmed.strip_prefix('-').unwrap_or(trimmed);
        match cell.kind == Kind::Number && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            true => self.findings.long.add(place),
            false => self.findings.unlike.add(place),
        }
        let bits = self.sheet.own.push(text);
        self.push(place, Tag::Own, bits)
    }

    #[inline]
    fn number(&mut self, place: (u32, u32), style: u32, number: Number) -> Result<()> {
        let tag = match style {
            0 => self.plain,
            style => self.styles.get(style as usize).copied().unwrap_or(Tag::Number),
        };
        match number {
            Number::Float(float) => self.push(place, tag, float.to_bits()),
            Number::Whole(whole) if tag == Tag::Number => {
                self.push(place, Tag::Whole, whole.cast_unsigned())
            }
            Number::Whole(whole) => self.push(place, tag, (whole as f64).to_bits()),
        }
    }

    #[inline]
    fn shared(&mut self, place: (u32, u32), index: u64) -> Result<()> {
        if self.findings.largest.is_none_or(|(largest, _)| index > largest) {
            self.findings.largest = Some((index, place));
        }
        self.push(place, Tag::Shared, index)
    }

    #[inline]
    fn push(&mut self, place: (u32, u32), tag: Tag, bits: u64) -> Result<()> {
        self.sheet.push(place.0, place.1, tag, bits, &mut self.left)
    }

    fn merged(&mut self, xml: &mut Xml<'_>) -> Result<()> {
        loop {
            match xml.next()? {
                Event::Start(tag) => {
                    if xml.local(&tag) == b"mergeCell"
                        && let Some(raw) = xml.attribute(&tag, b"ref")
                    {
                        let area = area_of(raw).ok_or_else(|| outside(xml, "area", raw))?;
                        self.left = self.left.checked_sub(1).ok_or_else(too_many)?;
                        self.sheet.merged.push(area);
                    }
                    xml.skip(&tag)?;
                }
                Event::End | Event::Eof => return Ok(()),
                _ => {}
            }
        }
    }
}

/// What is known of a cell besides its value.
struct Cell {
    place: (u32, u32),
    kind: Kind,
    style: u32,
    formula: bool,
}

fn too_many() -> Error {
    let message = "more cells and merged areas than cells are allowed in one workbook";
    Issue::limit(Code::TooManyCells, message, "sheet_cells").into()
}

fn outside(xml: &Xml<'_>, what: &str, written: &[u8]) -> Error {
    let written = crate::report::quote(written);
    let message = format!(
        "the {what} {written:?} is not among the {ROWS} rows and {COLUMNS} columns of a sheet"
    );
    xml.error(Code::Corrupt, message).into()
}

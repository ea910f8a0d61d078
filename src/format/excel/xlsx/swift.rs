//! A cell in the form that nearly every cell has, read in one go.
//!
//! `None` says only that a cell has another form, or is not all there yet: the exact reader then says
//! what it is.

use std::ops::Range;

use memchr::memchr;

use super::value::Kind;
use super::xml::Attributes;
use crate::format::excel::place::cell_of;

/// A cell as it is written.
#[derive(Debug, PartialEq)]
pub(super) struct Written {
    /// Row and column, if the cell names them.
    pub place: Option<(u32, u32)>,
    pub style: u32,
    pub kind: Kind,
    /// The value's text, entities unresolved.
    pub value: Option<Range<usize>>,
    pub formula: bool,
    /// Behind the cell.
    pub end: usize,
}

/// The cell that begins `text`, blanks before it passed over.
#[inline]
pub(super) fn cell(text: &[u8]) -> Option<Written> {
    let mut at = 0;
    while matches!(text.get(at)?, b' ' | b'\n' | b'\r' | b'\t') {
        at += 1;
    }
    if text.get(at..at + 2)? != b"<c" {
        return None;
    }
    at += 2;
    let mut cell =
        Written { place: None, style: 0, kind: Kind::Number, value: None, formula: false, end: 0 };
    let mut seen = 0;
    loop {
        let [first, name, equals, quote] = *text.get(at..)?.first_chunk()?;
        if first == b'>' {
            at += 1;
            break;
        }
        if first == b'/' && name == b'>' {
            cell.end = at + 2;
            return Some(cell);
        }
        if first != b' ' || equals != b'=' || quote != b'"' {
            return None;
        }
        let start = at + 4;
        let mut end = start;
        while *text.get(end)? != b'"' {
            end += 1;
        }
        let value = &text[start..end];
        let bit = match name {
            b'r' => 1,
            b's' => 2,
            _ => 4,
        };
        if seen & bit != 0 {
            // Which of two attributes counts is for the other reader to say.
            return None;
        }
        seen |= bit;
        match name {
            b'r' => cell.place = Some(cell_of(value)?),
            b's' => cell.style = style(value)?,
            b't' => cell.kind = Kind::of(value),
            _ => return None,
        }
        at = end + 1;
    }
    let mut rest = &text[at..];
    if let Some(formula) = rest.strip_prefix(b"<f") {
        rest = after_formula(formula)?;
        cell.formula = true;
    }
    if let Some(value) = rest.strip_prefix(b"<v>") {
        let length = value.iter().position(|byte| *byte == b'<')?;
        rest = value[length..].strip_prefix(b"</v>")?;
        let start = text.len() - value.len();
        cell.value = Some(start..start + length);
        if cell.kind == Kind::Inline {
            return None;
        }
    } else if let Some(inline) = rest.strip_prefix(b"<is><t") {
        let inline = inline.strip_prefix(b" xml:space=\"preserve\"").unwrap_or(inline);
        let value = inline.strip_prefix(b">")?;
        let length = memchr(b'<', value)?;
        rest = value[length..].strip_prefix(b"</t></is>")?;
        let start = text.len() - value.len();
        cell.value = Some(start..start + length);
        cell.kind = Kind::Inline;
    }
    rest = rest.strip_prefix(b"</c>")?;
    cell.end = text.len() - rest.len();
    Some(cell)
}

/// What follows a formula, whose `<f` is read.
fn after_formula(formula: &[u8]) -> Option<&[u8]> {
    let mut rest = formula;
    if rest.first()? != &b'>' {
        if let Some(after) = rest.strip_prefix(b"/>") {
            return Some(after);
        }
        if rest[0] != b' ' {
            return None;
        }
        // Attributes may hold what ends a tag.
        loop {
            let mark = rest.iter().position(|byte| matches!(byte, b'>' | b'"' | b'\'' | b'<'))?;
            match rest[mark] {
                b'>' if rest[..mark].ends_with(b"/") => {
                    let attributes = &formula[..formula.len() - rest.len() + mark - 1];
                    let well_formed = Attributes::of(attributes).are_well_formed();
                    return well_formed.then(|| &rest[mark + 1..]);
                }
                b'>' => {
                    rest = &rest[mark..];
                    break;
                }
                b'<' => return None,
                quote => rest = &rest[mark + 2 + memchr(quote, &rest[mark + 1..])?..],
            }
        }
        let attributes = &formula[..formula.len() - rest.len()];
        if !Attributes::of(attributes).are_well_formed() {
            return None;
        }
    }
    let end = memchr(b'<', rest)?;
    rest[end..].strip_prefix(b"</f>")
}

fn style(text: &[u8]) -> Option<u32> {
    if text.is_empty() || text.len() > 8 {
        return None;
    }
    let mut style = 0;
    for digit in text {
        let value = digit.wrapping_sub(b'0');
        if value > 9 {
            return None;
        }
        style = style * 10 + u32::from(value);
    }
    Some(style)
}

//! Styles: what the number format of each shows.

use std::collections::HashMap;

use super::feed::{Limited, with_xml};
use super::formats;
use super::xml::{Event, Xml};
use crate::error::Result;
use crate::format::excel::sheet::Tag;
use crate::report::Code;

/// Formats and styles of a workbook; Excel allows 65,490.
const MOST: usize = 1 << 20;

/// For each cell style what a number in it is.
pub(super) fn styles(parts: &Limited<'_>, part: &str) -> Result<Vec<Tag>> {
    with_xml(parts, part, false, |xml| {
        let mut formats = HashMap::new();
        let mut ids: Vec<u32> = Vec::new();
        loop {
            match xml.next()? {
                Event::Start(tag) if xml.depth() - usize::from(!tag.empty) == 1 => {
                    match xml.local(&tag) {
                        b"numFmts" if !tag.empty => children(xml, |xml, tag| {
                            let id = number(xml.attribute(tag, b"numFmtId"));
                            let code = xml.attribute_text(tag, b"formatCode")?;
                            if let (Some(id), Some(code)) = (id, code) {
                                formats.insert(id, formats::custom(&code));
                            }
                            few(xml, formats.len())
                        })?,
                        b"cellXfs" if !tag.empty => children(xml, |xml, tag| {
                            if xml.local(tag) == b"xf" {
                                ids.push(number(xml.attribute(tag, b"numFmtId")).unwrap_or(0));
                            }
                            few(xml, ids.len())
                        })?,
                        _ => xml.skip(&tag)?,
                    }
                }
                Event::Eof => break,
                _ => {}
            }
        }
        let shown = |id: &u32| formats.get(id).copied().unwrap_or_else(|| formats::builtin(*id));
        Ok(ids.iter().map(shown).collect())
    })
}

fn children(
    xml: &mut Xml<'_>,
    mut child: impl FnMut(&Xml<'_>, &super::xml::Tag) -> Result<()>,
) -> Result<()> {
    loop {
        match xml.next()? {
            Event::Start(tag) => {
                child(xml, &tag)?;
                xml.skip(&tag)?;
            }
            Event::End | Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

fn few(xml: &Xml<'_>, count: usize) -> Result<()> {
    if count <= MOST {
        return Ok(());
    }
    let message = format!("more than {MOST} styles or number formats");
    Err(xml.error(Code::Corrupt, message).into())
}

fn number(raw: Option<&[u8]>) -> Option<u32> {
    std::str::from_utf8(raw?).ok()?.trim().parse().ok()
}

//! The workbook's shared texts.

use memchr::memchr;

use super::feed::{Limited, with_xml};
use super::text;
use super::xml::{Event, Tag, Xml};
use crate::error::Result;
use crate::format::excel::sheet::Texts;
use crate::report::{Code, Issue};

/// Reads all shared texts.
pub(super) fn strings(parts: &Limited<'_>, part: &str) -> Result<Texts> {
    let most = parts.limits.sheet_cells;
    with_xml(parts, part, false, |xml| {
        let mut texts = Texts::default();
        let mut scratch = String::new();
        loop {
            while let Some((range, length)) = swift_item(xml.rest()) {
                xml.check_length(range.len())?;
                let raw = &xml.rest()[range];
                texts.push(text::utf8(raw).map_err(|bad| xml.bad_text(bad))?);
                xml.advance(length);
                if texts.len() as u64 > most {
                    return Err(too_many());
                }
            }
            match xml.next()? {
                Event::Start(tag) if xml.depth() - usize::from(!tag.empty) == 1 => {
                    if xml.local(&tag) != b"si" {
                        xml.skip(&tag)?;
                        continue;
                    }
                    scratch.clear();
                    rich_text(xml, &tag, &mut scratch)?;
                    texts.push(&scratch);
                    if texts.len() as u64 > most {
                        return Err(too_many());
                    }
                }
                Event::Eof => return Ok(texts),
                _ => {}
            }
        }
    })
}

fn too_many() -> crate::Error {
    let message = "the workbook has more shared texts than cells are allowed";
    Issue::limit(Code::TooManyCells, message, "sheet_cells").into()
}

/// `<si><t>…</t></si>` whose text is what is written: where the text is, and the length of all.
fn swift_item(rest: &[u8]) -> Option<(std::ops::Range<usize>, usize)> {
    let inside = rest.strip_prefix(b"<si><t")?;
    let inside = inside.strip_prefix(b" xml:space=\"preserve\"").unwrap_or(inside);
    let text = inside.strip_prefix(b">")?;
    let length = memchr(b'<', text)?;
    let after = text[length..].strip_prefix(b"</t></si>")?;
    let start = rest.len() - text.len();
    text::is_verbatim(&text[..length]).then(|| (start..start + length, rest.len() - after.len()))
}

/// The text of an `si` or `is`: its own and that of its runs, joined; how to pronounce it is no part
/// of it. Whether there was any, empty or not.
pub(super) fn rich_text(xml: &mut Xml<'_>, tag: &Tag, into: &mut String) -> Result<bool> {
    let mut any = false;
    if !tag.empty {
        let outside = xml.depth() - 1;
        while xml.depth() > outside {
            let Event::Start(tag) = xml.next()? else { continue };
            match xml.local(&tag) {
                b"t" => {
                    any = true;
                    xml.text_inside(&tag, into)?;
                }
                // What is in a run is looked into.
                b"r" => {}
                _ => xml.skip(&tag)?,
            }
        }
    }
    text::resolve_marks(into);
    Ok(any)
}

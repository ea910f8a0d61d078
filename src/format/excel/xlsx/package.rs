//! How the parts of a workbook hang together: relationships, the list of sheets, named tables.

use std::collections::{HashMap, HashSet};

use super::feed::{Limited, with_xml};
use super::xml::{Event, Tag, Xml, local};
use crate::error::Result;
use crate::format::excel::cells::SheetInfo;
use crate::format::excel::header::{MOST_NAME, cut};
use crate::format::excel::place::area_of;
use crate::format::excel::sheet::NamedTable;
use crate::report::{Code, Issue};

/// A relationship from one part to another.
#[derive(Clone, Debug)]
pub(in crate::format::excel) struct Relation {
    pub id: String,
    /// The last piece of its type: `worksheet`, `styles`, …
    kind: String,
    /// The part's name, from the root.
    pub target: String,
}

/// The relationships of a part, none if it has none; those that lead out of the file left out.
pub(in crate::format::excel) fn relations(
    parts: &Limited<'_>,
    part: &str,
) -> Result<Vec<Relation>> {
    let (folder, name) = part.rsplit_once('/').unwrap_or(("", part));
    let rels = if folder.is_empty() {
        format!("_rels/{name}.rels")
    } else {
        format!("{folder}/_rels/{name}.rels")
    };
    let mut found = Vec::new();
    if !parts.has(&rels) {
        return Ok(found);
    }
    each_child(parts, &rels, |xml, tag| {
        let external = xml.attribute(tag, b"TargetMode").is_some_and(|mode| mode == b"External");
        if xml.local(tag) == b"Relationship" && !external {
            let text = |name: &[u8]| {
                Ok::<_, crate::Error>(xml.attribute_text(tag, name)?.unwrap_or_default())
            };
            let (id, kind, target) = (text(b"Id")?, text(b"Type")?, text(b"Target")?);
            let kind = kind.rsplit('/').next().unwrap_or_default().to_owned();
            found.push(Relation { id, kind, target: resolve(parts, folder, &target) });
            // Every part may be the target of several, but not of any number.
            few(xml, found.len(), parts.limits.archive_entries.saturating_mul(10))?;
        }
        xml.skip(tag)
    })?;
    Ok(found)
}

fn few(xml: &Xml<'_>, count: usize, most: usize) -> Result<()> {
    if count <= most {
        return Ok(());
    }
    let issue = xml.error(Code::Corrupt, format!("more than {most} sheets or relationships"));
    Err(issue.into())
}

/// A target as it is written, from the folder of the part that names it.
fn resolve(parts: &Limited<'_>, folder: &str, target: &str) -> String {
    let target = target.replace('\\', "/");
    let mut pieces: Vec<&str> = if target.starts_with('/') {
        Vec::new()
    } else {
        folder.split('/').filter(|piece| !piece.is_empty()).collect()
    };
    for piece in target.split('/') {
        match piece {
            "" | "." => {}
            ".." => {
                pieces.pop();
            }
            piece => pieces.push(piece),
        }
    }
    let joined = pieces.join("/");
    if parts.has(&joined) {
        return joined;
    }
    let decoded = percent_decoded(&joined);
    // Some writers give the path from the root, and leave the slash out.
    let from_root = target.trim_start_matches("./").to_owned();
    [decoded, from_root].into_iter().find(|name| parts.has(name)).unwrap_or(joined)
}

fn percent_decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((first, tail)) = rest.split_first() {
        let hex = tail.first_chunk::<2>().filter(|_| *first == b'%');
        let code = hex.and_then(|hex| std::str::from_utf8(hex).ok());
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Calls `child` with each element directly inside the root of a part. It must read the element.
fn each_child(
    parts: &Limited<'_>,
    part: &str,
    mut child: impl FnMut(&mut Xml<'_>, &Tag) -> Result<()>,
) -> Result<()> {
    with_xml(parts, part, false, |xml| {
        loop {
            match xml.next()? {
                Event::Start(tag) if xml.depth() - usize::from(!tag.empty) == 1 => {
                    child(xml, &tag)?;
                }
                Event::Eof => return Ok(()),
                _ => {}
            }
        }
    })
}

/// What the main part says of the workbook.
#[derive(Debug, Default)]
pub(super) struct Main {
    /// The sheets, each with its part, if it has one.
    pub sheets: Vec<(SheetInfo, Option<String>)>,
    pub from_1904: bool,
    pub styles: Option<String>,
    pub strings: Option<String>,
}

/// Finds and reads the main part.
pub(super) fn main(parts: &Limited<'_>) -> Result<Main> {
    let root = relations(parts, "")?;
    let named = root.into_iter().find(|relation| relation.kind == "officeDocument");
    let part = named.map(|relation| relation.target).filter(|target| parts.has(target));
    let part = part.unwrap_or_else(|| "xl/workbook.xml".to_owned());
    let relations = relations(parts, &part)?;
    let folder = part.rsplit_once('/').map_or("", |(folder, _)| folder);
    let target = |kind: &str, file: &str| {
        let found = relations.iter().find(|relation| relation.kind == kind);
        let usual = format!("{folder}/{file}");
        found
            .map(|relation| relation.target.clone())
            .or_else(|| Some(usual).filter(|usual| relations.is_empty() && parts.has(usual)))
    };
    let mut main = Main {
        styles: target("styles", "styles.xml"),
        strings: target("sharedStrings", "sharedStrings.xml"),
        ..Main::default()
    };
    let mut by_id = HashMap::with_capacity(relations.len());
    for relation in &relations {
        by_id.entry(relation.id.as_str()).or_insert(relation);
    }
    each_child(parts, &part, |xml, tag| match xml.local(tag) {
        b"workbookPr" => {
            let flag = xml.attribute(tag, b"date1904");
            main.from_1904 = flag.is_some_and(|flag| flag == b"1" || flag == b"true");
            xml.skip(tag)
        }
        b"sheets" if !tag.empty => loop {
            match xml.next()? {
                Event::Start(tag) => {
                    if xml.local(&tag) == b"sheet" {
                        let sheet = sheet(xml, &tag, main.sheets.len(), &by_id, folder)?;
                        main.sheets.push(sheet);
                        if main.sheets.len() > parts.limits.archive_entries {
                            let message = "more sheets than parts are allowed in one workbook";
                            return Err(Issue::limit(
                                Code::TooManyTables,
                                message,
                                "archive_entries",
                            )
                            .into());
                        }
                    }
                    xml.skip(&tag)?;
                }
                Event::End | Event::Eof => return Ok(()),
                _ => {}
            }
        },
        _ => xml.skip(tag),
    })?;
    Ok(main)
}

fn sheet(
    xml: &Xml<'_>,
    tag: &Tag,
    before: usize,
    relations: &HashMap<&str, &Relation>,
    folder: &str,
) -> Result<(SheetInfo, Option<String>)> {
    let mut name = xml.attribute_text(tag, b"name")?.unwrap_or_default();
    super::text::resolve_marks(&mut name);
    if name.is_empty() {
        name = format!("Sheet{}", before + 1);
    }
    let state = xml.attribute(tag, b"state");
    let hidden = state.is_some_and(|state| state == b"hidden" || state == b"veryHidden");
    let id = xml.prefixed_attribute(tag, b"id").map(|id| xml.text_of(id)).transpose()?;
    let relation = id.and_then(|id| relations.get(id.as_str()).copied());
    let part = relation.map(|relation| relation.target.clone());
    // A workbook whose relationships are lost still has its sheets where everybody puts them.
    let usual = || format!("{folder}/worksheets/sheet{}.xml", before + 1);
    let part = part.or_else(|| relations.is_empty().then(usual));
    let kind = relation.map_or("worksheet", |relation| relation.kind.as_str());
    let lower = kind.to_ascii_lowercase();
    let other = ["chartsheet", "dialogsheet", "macrosheet"];
    let worksheet = !other.iter().any(|other| lower.ends_with(other));
    Ok((SheetInfo { name, hidden, worksheet }, part))
}

/// The tables that a sheet's part names.
pub(super) fn tables(parts: &Limited<'_>, sheet_part: &str) -> Result<Vec<NamedTable>> {
    let mut tables = Vec::new();
    let mut taken = HashSet::new();
    for relation in relations(parts, sheet_part)? {
        let is_table = relation.kind == "table" && parts.has(&relation.target);
        if !is_table || taken.contains(&relation.target) {
            continue;
        }
        tables.extend(table(parts, &relation.target)?);
        taken.insert(relation.target);
        if tables.len() > parts.limits.tables {
            let message = format!("more than {} named tables in a sheet", parts.limits.tables);
            return Err(Issue::limit(Code::TooManyTables, message, "tables").into());
        }
    }
    Ok(tables)
}

fn table(parts: &Limited<'_>, part: &str) -> Result<Option<NamedTable>> {
    with_xml(parts, part, false, |xml| {
        let mut table = None;
        loop {
            match xml.next()? {
                Event::Start(tag) => match local(xml.local(&tag)) {
                    b"table" if table.is_none() => {
                        let Some(area) = xml.attribute(&tag, b"ref").and_then(area_of) else {
                            let message = "the named table has no area that can be read";
                            return Err(xml.error(Code::Corrupt, message).into());
                        };
                        let rows = |name: &[u8], usual| match xml.attribute(&tag, name) {
                            Some(b"0") => 0,
                            Some(_) => 1,
                            None => usual,
                        };
                        let name = xml.attribute_text(&tag, b"displayName")?;
                        let name = name
                            .map_or_else(|| xml.attribute_text(&tag, b"name"), |n| Ok(Some(n)))?;
                        let mut name = name.unwrap_or_default();
                        cut(&mut name, MOST_NAME);
                        table = Some(NamedTable {
                            name,
                            area,
                            header_rows: rows(b"headerRowCount", 1),
                            totals_rows: rows(b"totalsRowCount", 0),
                            columns: Vec::new(),
                        });
                    }
                    b"tableColumns" => {}
                    b"tableColumn" => {
                        let mut name = xml.attribute_text(&tag, b"name")?.unwrap_or_default();
                        super::text::resolve_marks(&mut name);
                        cut(&mut name, MOST_NAME);
                        if let Some(table) = &mut table {
                            if table.columns.len() as u32 > table.area.right - table.area.left {
                                let message = "the named table has more columns than its area";
                                return Err(xml.error(Code::Corrupt, message).into());
                            }
                            table.columns.push(name);
                        }
                        xml.skip(&tag)?;
                    }
                    _ => xml.skip(&tag)?,
                },
                Event::Eof => return Ok(table),
                _ => {}
            }
        }
    })
}

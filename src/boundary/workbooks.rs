//! Workbooks with sheets of random cells in random spelling: undamaged they read, damaged inside of
//! their XML they do no harm.

use std::fmt::Write;

use super::choices::Choices;
use super::damage::{damage, damage_inside};
use super::wrapping::archive;
use super::{excel, limits};
use crate::{FileType, Options, Source, ingest};

const TYPES: &str = r#"<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>"#;
const ROOT: &str = r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
const RELATIONS: &str = r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/><Relationship Id="rId3" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>"#;
const BOOK: &str = r#"<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="One" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
const STYLES: &str = r#"<?xml version="1.0"?><styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd"/></numFmts><cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/><xf numFmtId="164"/></cellXfs></styleSheet>"#;
const TEXTS: &str = r#"<?xml version="1.0"?><sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" count="4" uniqueCount="4"><si><t>plain</t></si><si><t xml:space="preserve"> spaced </t></si><si><r><rPr><b/></rPr><t>ri</t></r><r><t>ch &amp; more</t></r></si><si><t>x_x000D_y</t></si></sst>"#;

/// A workbook of random cells, in the many ways in which one cell can be spelled; then damaged.
pub fn written_xlsx(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let damages = choices.below(8);
    let rows = 1 + choices.below(60);
    let columns = 1 + choices.below(8);
    let sheet = sheet(rows, columns, &mut choices);
    let parts = [
        ("[Content_Types].xml", TYPES),
        ("_rels/.rels", ROOT),
        ("xl/workbook.xml", BOOK),
        ("xl/_rels/workbook.xml.rels", RELATIONS),
        ("xl/worksheets/sheet1.xml", &sheet),
        ("xl/sharedStrings.xml", TEXTS),
        ("xl/styles.xml", STYLES),
    ];
    let parts = parts.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()));
    let Some(file) = archive(&parts, &mut choices) else { return };
    let options = Options { file_type: Some(FileType::Xlsx), ..Options::default() };
    let found = ingest(Source::bytes(file.clone()), &options, &limits());
    assert!(found.is_ok(), "what was written cannot be read: {found:?}\n{sheet}");
    let read: u64 = found.iter().flat_map(|f| &f.tables).map(|table| table.num_rows()).sum();
    assert_eq!(read, rows as u64, "rows of {sheet}");
    for turn in 0..damages {
        if turn % 4 == 0 {
            let mut damaged = file.clone();
            damage(&mut damaged, &mut choices, &file);
            excel(&damaged);
        } else {
            // The members as they are lend their bytes to each other.
            let donor = parts[choices.below(parts.len())].1.clone();
            excel(&damage_inside(&file, &mut choices, &donor));
        }
    }
}

/// A header and rows, whose first column is a number in every row.
fn sheet(rows: usize, columns: usize, choices: &mut Choices<'_>) -> String {
    let prefix = choices.one_of(&["", "", "x:"]);
    let space = match prefix {
        "" => "xmlns",
        _ => "xmlns:x",
    };
    let mut sheet = format!(
        "<?xml version=\"1.0\"?><{prefix}worksheet {space}=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><{prefix}sheetData>"
    );
    for row in 0..=rows {
        match choices.one_in(8) {
            // Rows and cells need not say where they are.
            true => sheet.push_str(&format!("<{prefix}row >")),
            false => sheet.push_str(&format!("<{prefix}row r=\"{}\">", row + 1)),
        }
        for column in 0..columns {
            let place = match choices.one_in(8) && column == 0 {
                true => String::new(),
                false => format!(" r=\"{}{}\"", char::from(b'A' + column as u8), row + 1),
            };
            let cell = match (row, column) {
                (0, _) => format!(
                    "<{prefix}c{place} t=\"inlineStr\"><{prefix}is><{prefix}t>head {column}</{prefix}t></{prefix}is></{prefix}c>"
                ),
                (_, 0) => format!("<{prefix}c{place}><{prefix}v>{row}</{prefix}v></{prefix}c>"),
                _ => cell(&place, prefix, choices),
            };
            sheet.push_str(&cell);
        }
        if choices.one_in(16) {
            sheet.push_str("<!-- <c> -->\n");
        }
        let _ = write!(sheet, "</{prefix}row>");
    }
    let _ = write!(sheet, "</{prefix}sheetData></{prefix}worksheet>");
    sheet
}

fn cell(place: &str, prefix: &str, choices: &mut Choices<'_>) -> String {
    let (attributes, inner) = match choices.below(12) {
        0 => (" t=\"s\"".to_owned(), format!("<{prefix}v>{}</{prefix}v>", choices.below(4))),
        1 => (" t=\"b\"".to_owned(), format!("<{prefix}v>{}</{prefix}v>", choices.below(2))),
        2 => (" t='e'".to_owned(), format!("<{prefix}v>#N/A</{prefix}v>")),
        3 => (
            " t=\"str\"".to_owned(),
            format!("<{prefix}f>A1&amp;\"x\"</{prefix}f><{prefix}v>A&#66;</{prefix}v>"),
        ),
        4 => {
            let style = 1 + choices.below(2);
            (format!(" s=\"{style}\""), format!("<{prefix}v>{}</{prefix}v>", choices.below(60_000)))
        }
        5 => (String::new(), format!("<{prefix}v>{:e}</{prefix}v>", choices.byte())),
        6 => (String::new(), String::new()),
        7 => (" t=\"n\"".to_owned(), format!("<{prefix}v>-{}.5</{prefix}v>", choices.byte())),
        8 => (" t=\"str\"".to_owned(), format!("<{prefix}v><![CDATA[<a>&]]></{prefix}v>")),
        9 => (" t=\"inlineStr\"".to_owned(), format!("<{prefix}is><{prefix}t/></{prefix}is>")),
        10 => return format!("<{prefix}c{place}/>"),
        _ => (String::new(), format!("<{prefix}v>{}</{prefix}v>", choices.byte())),
    };
    format!("<{prefix}c{place}{attributes}>{inner}</{prefix}c>")
}

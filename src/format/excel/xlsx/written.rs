//! Small workbooks written by the tests themselves.

pub(in crate::format::excel) use tests::*;

mod tests {
    use bytes::Bytes;

    use super::super::Xlsx;
    use crate::context::Context;
    use crate::format::excel::place::name_of;
    use crate::format::excel::sheet::{Sheet, Tag};
    use crate::limits::Limits;
    use crate::options::{Options, Parallelism};
    use crate::report::Issue;

    pub(in crate::format::excel) const MAIN: &str =
        "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    pub(in crate::format::excel) const RELATED: &str =
        "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

    /// A workbook in the making: parts by name.
    #[derive(Clone)]
    pub(in crate::format::excel) struct Book(pub(in crate::format::excel) Vec<(String, Vec<u8>)>);

    impl Book {
        /// One sheet with this XML.
        pub(in crate::format::excel) fn with_sheet(xml: &str) -> Self {
            let rel = |id: u32, kind: &str, target: &str| {
                format!(
                    "<Relationship Id=\"r{id}\" Type=\"{RELATED}/{kind}\" Target=\"{target}\"/>"
                )
            };
            Book(Vec::new())
                .part("_rels/.rels", &rels(&rel(1, "officeDocument", "xl/workbook.xml")))
                .part(
                    "xl/_rels/workbook.xml.rels",
                    &rels(
                        &(rel(1, "worksheet", "worksheets/sheet1.xml")
                            + &rel(2, "styles", "styles.xml")
                            + &rel(3, "sharedStrings", "sharedStrings.xml")),
                    ),
                )
                .part("xl/workbook.xml", &main("", "<sheet name=\"S\" r:id=\"r1\"/>"))
                .part("xl/worksheets/sheet1.xml", xml)
                .styles("")
        }

        /// One sheet with these rows.
        pub(in crate::format::excel) fn with_rows(rows: &str) -> Self {
            Book::with_sheet(&format!(
                "<worksheet xmlns=\"{MAIN}\"><sheetData>{rows}</sheetData></worksheet>"
            ))
        }

        pub(in crate::format::excel) fn part(self, name: &str, text: &str) -> Self {
            self.bytes(name, text.as_bytes())
        }

        pub(in crate::format::excel) fn bytes(mut self, name: &str, bytes: &[u8]) -> Self {
            self.0.retain(|(other, _)| other != name);
            self.0.push((name.to_owned(), bytes.to_vec()));
            self
        }

        pub(in crate::format::excel) fn without(mut self, name: &str) -> Self {
            self.0.retain(|(other, _)| other != name);
            self
        }

        pub(in crate::format::excel) fn strings(self, items: &str) -> Self {
            self.part("xl/sharedStrings.xml", &format!("<sst xmlns=\"{MAIN}\">{items}</sst>"))
        }

        pub(in crate::format::excel) fn styles(self, inside: &str) -> Self {
            self.part(
                "xl/styles.xml",
                &format!("<styleSheet xmlns=\"{MAIN}\">{inside}</styleSheet>"),
            )
        }

        pub(in crate::format::excel) fn try_read(
            &self,
            limits: &Limits,
        ) -> Result<(Vec<Sheet>, Vec<Issue>), Box<Issue>> {
            let read = |threads: usize| {
                let parallelism = Parallelism { threads, ..Parallelism::default() };
                let options = Options { parallelism, ..Options::default() };
                let mut context = Context::new(&options, limits);
                let mut sheets = Vec::new();
                let outcome = Xlsx::open(&zip(&self.0), limits).and_then(|mut book| {
                    let all: Vec<usize> = (0..book.sheets().len()).collect();
                    book.read(&all, &mut context, &mut |_, sheet, _| {
                        sheets.push(sheet);
                        Ok(())
                    })
                });
                let report = context.reporter.finish(Vec::new());
                outcome.map_err(|error| Box::new(error.issue().clone()))?;
                Ok((sheets, report.issues))
            };
            let (one, two) = (read(1), read(3));
            assert_eq!(format!("{one:?}"), format!("{two:?}"));
            one
        }

        pub(in crate::format::excel) fn cells(&self) -> String {
            let (sheets, issues) = self.try_read(&Limits::default()).unwrap();
            assert_eq!(issues, []);
            shown(&sheets[0])
        }

        pub(in crate::format::excel) fn error(&self) -> Issue {
            *self.try_read(&Limits::default()).unwrap_err()
        }
    }

    pub(in crate::format::excel) fn rels(inside: &str) -> String {
        format!(
            "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">{inside}</Relationships>"
        )
    }

    pub(in crate::format::excel) fn main(before: &str, sheets: &str) -> String {
        format!(
            "<workbook xmlns=\"{MAIN}\" xmlns:r=\"{RELATED}\">{before}<sheets>{sheets}</sheets></workbook>"
        )
    }

    /// A zip that stores its members.
    pub(in crate::format::excel) fn zip(parts: &[(String, Vec<u8>)]) -> Bytes {
        let crc = |bytes: &[u8]| {
            !bytes.iter().fold(!0u32, |mut crc, byte| {
                crc ^= u32::from(*byte);
                (0..8).for_each(|_| crc = crc >> 1 ^ (0xedb8_8320 & (crc & 1).wrapping_neg()));
                crc
            })
        };
        let (mut out, mut directory) = (Vec::new(), Vec::new());
        for (name, bytes) in parts {
            let mut common = vec![20, 0, 0, 8, 0, 0, 0, 0, 0x21, 0];
            common.extend(crc(bytes).to_le_bytes());
            common.extend((bytes.len() as u32).to_le_bytes().repeat(2));
            common.extend((name.len() as u32).to_le_bytes());
            directory.extend(b"PK\x01\x02\x14\x00");
            directory.extend(&common);
            directory.extend([0; 10]);
            directory.extend((out.len() as u32).to_le_bytes());
            directory.extend(name.as_bytes());
            out.extend(b"PK\x03\x04");
            out.extend(&common);
            out.extend(name.as_bytes());
            out.extend(bytes);
        }
        let (start, count) = (out.len() as u32, parts.len() as u16);
        out.extend(&directory);
        out.extend(b"PK\x05\x06\0\0\0\0");
        out.extend(count.to_le_bytes().repeat(2));
        out.extend((directory.len() as u32).to_le_bytes());
        out.extend(start.to_le_bytes());
        out.extend([0, 0]);
        out.into()
    }

    /// All cells in a line: `A1=1 B1='text'`.
    pub(in crate::format::excel) fn shown(sheet: &Sheet) -> String {
        let mut cells = Vec::new();
        for (column, stack) in sheet.columns.iter().enumerate() {
            for index in 0..stack.len() {
                let cell = stack.get(index);
                let float = f64::from_bits(cell.bits);
                let text = sheet.text(cell).unwrap_or_default();
                let value = match cell.tag {
                    Tag::Number => format!("{float}"),
                    Tag::Whole => format!("whole {}", cell.bits.cast_signed()),
                    Tag::Bool => format!("{}", cell.bits == 1),
                    Tag::Shared | Tag::Own => format!("{text:?}"),
                    Tag::Iso => format!("iso {text}"),
                    Tag::Error => text.to_owned(),
                    other => format!("{other:?} {float}"),
                };
                cells.push((
                    cell.row,
                    column,
                    format!("{}={value}", name_of(cell.row, column as u32)),
                ));
            }
        }
        cells.sort();
        cells.iter().map(|(_, _, cell)| cell.as_str()).collect::<Vec<_>>().join(" ")
    }
}

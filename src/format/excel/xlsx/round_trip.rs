//! Random cells written in random ways are read back as they were, however the bytes are cut.

mod tests {
    use std::collections::BTreeMap;
    use std::fmt::Write;

    use proptest::prelude::*;

    use super::super::worksheet::cells;
    use super::super::written::{Book, shown};
    use super::super::xml::{Blocks, Xml};
    use crate::error::Result;
    use crate::format::excel::place::name_of;
    use crate::format::excel::sheet::{CellColumn, Sheet, Tag};
    use crate::limits::Limits;

    /// Bytes that come so many at a time.
    struct Slices<'a>(&'a [u8], usize);

    impl Blocks for Slices<'_> {
        fn next(&mut self, into: &mut Vec<u8>) -> Result<bool> {
            let (now, later) = self.0.split_at(self.1.min(self.0.len()));
            into.extend_from_slice(now);
            self.0 = later;
            Ok(!now.is_empty())
        }
    }

    const STYLES: &[Tag] = &[Tag::Number, Tag::Date, Tag::Duration];

    /// What is read, or the error, in words.
    fn read(xml: &[u8], step: usize) -> std::result::Result<String, String> {
        let mut blocks = Slices(xml, step);
        let mut sheet = Sheet::default();
        let outcome = Xml::new(&mut blocks, "p", &Limits::default())
            .and_then(|mut xml| cells(&mut xml, STYLES, &mut sheet, 1_000_000));
        let findings = outcome.map_err(|error| error.issue().message.clone())?;
        sheet.settle();
        let shared = |column: &CellColumn| {
            (0..column.len()).filter(|index| column.get(*index).tag == Tag::Shared).count()
        };
        let shared: usize = sheet.columns.iter().map(shared).sum();
        let merged = sheet.merged.len();
        Ok(format!(
            "{} {shared} {merged} {:?} {:?}",
            shown(&sheet),
            findings.largest,
            findings.issues("S")
        ))
    }

    #[derive(Clone, Debug)]
    enum Value {
        Number(f64, u8),
        Text(String),
        Inline(String),
        Bool(bool),
        Error,
    }

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            (any::<f64>().prop_filter("finite", |f| f.is_finite()), 0u8..5)
                .prop_map(|(f, s)| Value::Number(f, s)),
            (-100_000i32..100_000).prop_map(|n| Value::Number(f64::from(n) / 100.0, 0)),
            "[ -~é😀\n\t_x0-9&<>]{0,12}".prop_map(Value::Text),
            "[a-z<&_]{0,8}".prop_map(Value::Inline),
            any::<bool>().prop_map(Value::Bool),
            Just(Value::Error),
        ]
    }

    fn escaped(text: &str) -> String {
        // A mark that is meant as it stands has its underscore marked.
        let marked = text.replace("_x", "_x005F_x");
        marked.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
    }

    /// A cell as `way` writes it.
    fn written(row: u32, column: u32, value: &Value, way: u8) -> String {
        let (prefix, gap) =
            (if way & 1 == 0 { "" } else { "x:" }, if way & 2 == 0 { "" } else { "\n  " });
        let formula = if way & 4 == 0 { "" } else { "<f t=\"array\" ref=\"A1>B\">a&lt;1</f>" };
        let formula = if way & 8 == 0 { formula } else { "<f/>" };
        let place = name_of(row, column);
        let (kind, inside) = match value {
            Value::Number(number, style) => {
                (format!("s=\"{style}\""), format!("<{prefix}v>{number:?}</{prefix}v>"))
            }
            Value::Text(text) => {
                ("t=\"str\"".into(), format!("<{prefix}v>{}</{prefix}v>", escaped(text)))
            }
            Value::Inline(text) => (
                "t=\"inlineStr\" s=\"1\"".into(),
                format!("<is>{gap}<t xml:space=\"preserve\">{}</t></is>", escaped(text)),
            ),
            Value::Bool(flag) => ("t='b'".into(), format!("<v>{}</v>", u8::from(*flag))),
            Value::Error => ("t=\"e\"".into(), "<v>#N/A</v>".into()),
        };
        format!("{gap}<{prefix}c r=\"{place}\" {kind}>{formula}{inside}{gap}</{prefix}c>")
    }

    fn expected(cells: &BTreeMap<(u32, u32), (Value, u8)>) -> String {
        let mut words = Vec::new();
        for ((row, column), (value, _)) in cells {
            let shown = match value {
                Value::Number(number, 1) => format!("Date {number}"),
                Value::Number(number, 2) => format!("Duration {number}"),
                Value::Number(number, _) => format!("{number}"),
                Value::Text(text) | Value::Inline(text) => format!("{text:?}"),
                Value::Bool(flag) => format!("{flag}"),
                Value::Error => "#N/A".to_owned(),
            };
            words.push(format!("{}={shown}", name_of(*row, *column)));
        }
        words.join(" ")
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            cells in proptest::collection::btree_map((0u32..40, 0u32..30), (value(), any::<u8>()), 0..40),
            step in 1usize..200,
        ) {
            let mut xml = "<worksheet xmlns:x=\"u\"><sheetData>".to_owned();
            for row in 0..40 {
                let mut row_cells = cells.range((row, 0)..(row + 1, 0)).peekable();
                if row_cells.peek().is_none() {
                    continue;
                }
                write!(xml, "<row r=\"{}\">", row + 1).unwrap();
                row_cells.for_each(|(at, (value, way))| xml.push_str(&written(at.0, at.1, value, *way)));
                xml.push_str("</row>");
            }
            xml.push_str("</sheetData></worksheet>");
            let whole = read(xml.as_bytes(), usize::MAX);
            prop_assert_eq!(&read(xml.as_bytes(), step), &whole);
            prop_assert_eq!(&read(xml.as_bytes(), 1), &whole);
            prop_assert_eq!(whole.unwrap(), format!("{} 0 0 None []", expected(&cells)));
        }

        /// The swift reader says nothing that the exact one would not say, of any bytes at all.
        #[test]
        fn damage_is_seen_alike(
            cells in proptest::collection::vec((value(), any::<u8>()), 1..5),
            harm in proptest::collection::vec((any::<prop::sample::Index>(), prop_oneof![any::<u8>(), Just(b'<'), Just(b'"'), Just(b'/')]), 0..4),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut xml = "<worksheet><sheetData><row>".to_owned();
            for (column, (value, way)) in cells.iter().enumerate() {
                xml.push_str(&written(0, column as u32, value, *way & !1));
            }
            xml.push_str("</row></sheetData><mergeCells><mergeCell ref=\"A1:B1\"/></mergeCells></worksheet>");
            let mut bytes = xml.into_bytes();
            for (at, byte) in harm {
                let at = 1 + at.index(bytes.len() - 1);
                bytes[at] = byte;
            }
            let end = cut.index(bytes.len() * 3).max(1).min(bytes.len());
            prop_assert_eq!(read(&bytes[..end], usize::MAX), read(&bytes[..end], 1));
        }

        /// Whatever is harmed, reading ends, and threads do not change how.
        #[test]
        fn harm_to_any_part(
            part in any::<prop::sample::Index>(),
            harm in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
            cut in any::<prop::sample::Index>(),
        ) {
            let rows = "<row><c t=\"s\"><v>0</v></c><c s=\"1\"><v>1.5</v></c></row>";
            let mut book = Book::with_rows(rows).strings("<si><r><t>a</t></r></si><si><t>b</t></si>").styles(
                "<numFmts><numFmt numFmtId=\"170\" formatCode=\"[h]:mm\"/></numFmts><cellXfs><xf/><xf numFmtId=\"170\"/></cellXfs>",
            );
            let part = part.index(book.0.len());
            let bytes = &mut book.0[part].1;
            for (at, byte) in harm {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            bytes.truncate(cut.index(bytes.len() * 3));
            let _ = book.try_read(&Limits::default());
        }
    }
}

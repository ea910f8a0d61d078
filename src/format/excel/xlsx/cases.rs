//! Sheets as one writer or another makes them, and what must be read from each.

mod tests {
    use super::super::Xlsx;
    use super::super::written::{Book, MAIN, RELATED, main, rels, shown, zip};
    use crate::limits::Limits;
    use crate::report::Code;

    #[test]
    fn values_of_every_type() {
        let book = Book::with_rows(
            "<row r=\"1\"><c r=\"A1\"><v>1</v></c><c r=\"B1\" t=\"n\"><v>-2.5E-3</v></c><c r=\"C1\" t=\"s\"><v>1</v></c>\
             <c r=\"D1\" t=\"b\"><v>1</v></c><c r=\"E1\" t=\"e\"><v>#DIV/0!</v></c><c r=\"F1\" t=\"str\"><v>a &lt; b</v></c>\
             <c r=\"G1\" t=\"d\"><v>2024-02-29T12:00:00</v></c><c r=\"H1\" t=\"inlineStr\"><is><t>in</t></is></c>\
             <c r=\"I1\"/><c r=\"J1\" s=\"1\"></c><c r=\"K1\"><v></v></c><c r=\"L1\" t=\"e\"><v>#SPILL!</v></c></row>\
             <row r=\"3\"><c r=\"A3\" t=\"b\"><v>false</v></c><c r=\"B3\"><v>9007199254740993</v></c>\
             <c r=\"C3\" t=\"str\"><v></v></c></row>",
        );
        let book = book.strings("<si><t>no</t></si><si><t>yes</t></si>");
        assert_eq!(
            book.cells(),
            "A1=1 B1=-0.0025 C1=\"yes\" D1=true E1=#DIV/0! F1=\"a < b\" G1=iso 2024-02-29T12:00:00 H1=\"in\" \
             L1=#SPILL! A3=false B3=whole 9007199254740993 C3=\"\""
        );
    }

    #[test]
    fn references_that_are_missing() {
        let rows = "<row><c><v>1</v></c><c><v>2</v></c></row><row/><row><c/><c r=\"D3\"><v>3</v></c><c><v>4</v></c></row>\
                    <row r=\"9\"><c><v>5</v></c></row><row><c><v>6</v></c></row>";
        assert_eq!(Book::with_rows(rows).cells(), "A1=1 B1=2 D3=3 E3=4 A9=5 A10=6");
    }

    #[test]
    fn cells_and_rows_out_of_order() {
        let rows = "<row r=\"5\"><c r=\"C5\"><v>1</v></c><c r=\"A5\"><v>2</v></c></row>\
                    <row r=\"2\"><c r=\"A2\"><v>3</v></c><c r=\"A2\"><v>4</v></c></row>";
        assert_eq!(Book::with_rows(rows).cells(), "A2=4 A5=2 C5=1");
    }

    #[test]
    fn prefixes_and_other_names_of_the_format() {
        let strict = "http://purl.oclc.org/ooxml/spreadsheetml/main";
        let sheet = format!(
            "<?xml version=\"1.0\" standalone=\"yes\"?>\n<!-- a -->\n<x:worksheet xmlns:x=\"{strict}\">\n <x:dimension ref=\"ZZ9\"/>\
             \n <x:sheetData>\n <x:row r='1' x14ac:dyDescent=\"0.2\"><x:c r='A1' x:s=\"5\"\n t = \"inlineStr\" ><x:is><x:t>a</x:t></x:is></x:c >\
             \n<?pi c?><x:c r=\"B1\"><!-- b --><x:v>1<!-- 2 -->3</x:v><x:extLst><x:ext><x:v>9</x:v></x:ext></x:extLst></x:c>\
             </x:row></x:sheetData></x:worksheet>\n"
        );
        assert_eq!(Book::with_sheet(&sheet).cells(), "A1=\"a\" B1=13");
    }

    #[test]
    fn rich_and_odd_texts() {
        let strings = "<si><r><rPr><b/></rPr><t>ri</t></r><r><t xml:space=\"preserve\"> ch</t></r><rPh sb=\"0\" eb=\"1\"><t>PH</t></rPh>\
                       <phoneticPr fontId=\"1\"/></si><si/><si><t/></si><si><t xml:space=\"preserve\"> a </t></si>\
                       <si><t><![CDATA[<&>]]>&amp;&#233;</t></si><si><t>l1\r\nl2_x000D_\n_x005F_x000D_</t></si>";
        let rows = "<row><c t=\"s\"><v>0</v></c><c t=\"s\"><v>1</v></c><c t=\"s\"><v>2</v></c><c t=\"s\"><v>3</v></c>\
                    <c t=\"s\"><v>4</v></c><c t=\"s\"><v> 5 </v></c><c t=\"inlineStr\"><is><r><t>x</t></r><r><t>_x0009_y</t></r>\
                    <rPh sb=\"0\" eb=\"1\"><t>no</t></rPh></is></c><c t=\"inlineStr\"><is/></c><c t=\"inlineStr\"><v>old</v></c>\
                    <c t=\"str\"><v>&#x1F600;</v></c><c t=\"str\"><v><![CDATA[1]]>2</v></c></row>";
        assert_eq!(
            Book::with_rows(rows).strings(strings).cells(),
            "A1=\"ri ch\" B1=\"\" C1=\"\" D1=\" a \" E1=\"<&>&é\" F1=\"l1\\nl2\\r\\n_x000D_\" G1=\"x\\ty\" I1=\"old\" J1=\"😀\" K1=\"12\""
        );
    }

    #[test]
    fn formulas_give_their_saved_values() {
        let rows = "<row><c r=\"A1\"><f>1+1</f><v>2</v></c><c r=\"B1\"><f t=\"shared\" ref=\"B1:B2\" si=\"0\">A1&gt;1</f><v>3</v></c>\
                    <c r=\"C1\" t=\"str\"><f a=\"/>\">\"x\"</f><v>x</v></c><c r=\"D1\" t=\"str\"><f>\"\"</f><v></v></c></row>\
                    <row><c r=\"A2\"><f>1</f></c><c r=\"B2\"><f t=\"shared\" si=\"0\"/><v>4</v></c><c r=\"C2\"><f>1</f><v></v></c>\
                    <c r=\"D2\"><f>2</f><v/></c></row>";
        let (sheets, issues) = Book::with_rows(rows).try_read(&Limits::default()).unwrap();
        assert_eq!(shown(&sheets[0]), "A1=2 B1=3 C1=\"x\" D1=\"\" B2=4");
        assert_eq!(issues.len(), 1);
        let message =
            "3 cells have formulas without saved values, read as empty; the first is S!A2";
        assert_eq!((issues[0].code, issues[0].message.as_str()), (Code::CellError, message));
    }

    #[test]
    fn what_is_not_as_declared_stays_text() {
        let rows = "<row><c><v>1,5</v></c><c t=\"b\"><v>2</v></c><c t=\"zz\"><v>3</v></c><c><v>1e999</v></c></row>";
        let (sheets, issues) = Book::with_rows(rows).try_read(&Limits::default()).unwrap();
        assert_eq!(shown(&sheets[0]), "A1=\"1,5\" B1=\"2\" C1=\"3\" D1=\"1e999\"");
        assert_eq!(issues.len(), 1);
        assert_eq!(issues[0].code, Code::BadValue);
    }

    #[test]
    fn number_formats_say_what_numbers_are() {
        let styles = "<numFmts><numFmt numFmtId=\"164\" formatCode=\"[h]:mm\"/><numFmt numFmtId=\"165\" formatCode=\"0.0&quot;d&quot;\"/></numFmts>\
                      <cellStyleXfs><xf numFmtId=\"14\"/></cellStyleXfs>\
                      <cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/><xf numFmtId=\"22\"/><xf numFmtId=\"20\"/><xf numFmtId=\"164\"/>\
                      <xf numFmtId=\"165\"/><xf numFmtId=\"34\"/><xf/></cellXfs><dxfs><dxf><numFmt numFmtId=\"165\" formatCode=\"yyyy\"/></dxf></dxfs>";
        let cells: String =
            (0..10).map(|style| format!("<c s=\"{style}\"><v>1.5</v></c>")).collect();
        let book = Book::with_rows(&format!("<row>{cells}</row>")).styles(styles);
        assert_eq!(
            book.cells(),
            "A1=1.5 B1=Date 1.5 C1=Stamp 1.5 D1=Time 1.5 E1=Duration 1.5 F1=1.5 G1=Moment 1.5 H1=1.5 I1=1.5 J1=1.5"
        );
    }

    #[test]
    fn styles_that_are_missing_are_reported() {
        let book = Book::with_rows("<row><c s=\"1\"><v>1</v></c></row>").without("xl/styles.xml");
        let (sheets, issues) = book.try_read(&Limits::default()).unwrap();
        assert_eq!((shown(&sheets[0]).as_str(), issues.len()), ("A1=1", 1));
        assert!(issues[0].message.contains("xl/styles.xml is missing"), "{issues:?}");
    }

    #[test]
    fn far_corners_cost_nothing() {
        let rows = "<row r=\"1\"><c r=\"A1\"><v>1</v></c></row><row r=\"1048576\"><c r=\"XFD1048576\"><v>2</v></c></row>";
        assert_eq!(Book::with_rows(rows).cells(), "A1=1 XFD1048576=2");
        for cell in ["XFE1", "A1048577", "A0", "1", "A", "", "R1C1"] {
            let rows = format!("<row><c r=\"A1\"/><c r=\"{cell}\"><v>1</v></c></row>");
            let issue = Book::with_rows(&rows).error();
            assert!(issue.message.contains(&format!("cell {cell:?}")), "{issue:?}");
        }
        assert!(Book::with_rows("<row r=\"1048577\"/>").error().message.contains("row"));
        let rows = "<row r=\"1048576\"/><row><c><v>1</v></c></row>";
        assert!(Book::with_rows(rows).error().message.contains("1048577"));
        let rows = "<row><c r=\"XFD1\"/><c><v>1</v></c></row>";
        assert!(Book::with_rows(rows).error().message.contains("XFE1"));
    }

    #[test]
    fn merged_areas_and_named_tables() {
        let sheet = format!(
            "<worksheet xmlns=\"{MAIN}\"><sheetData/><mergeCells count=\"9\"><mergeCell ref=\"A1:B2\"/><mergeCell ref=\"D4\"/></mergeCells>\
             <tableParts><tablePart r:id=\"t\"/></tableParts></worksheet>"
        );
        let table = format!(
            "<table xmlns=\"{MAIN}\" id=\"1\" name=\"t1\" displayName=\"Sales\" ref=\"B2:C9\" totalsRowCount=\"1\"><autoFilter ref=\"B2:C8\"/>\
             <tableColumns count=\"2\"><tableColumn id=\"1\" name=\"a_x000a_b\"/><tableColumn id=\"2\" name=\"&lt;\"><calculatedColumnFormula>1\
             </calculatedColumnFormula></tableColumn></tableColumns></table>"
        );
        let rel =
            format!("<Relationship Id=\"t\" Type=\"{RELATED}/table\" Target=\"../tables/t.xml\"/>");
        let book = Book::with_sheet(&sheet)
            .part("xl/worksheets/_rels/sheet1.xml.rels", &rels(&rel))
            .part("xl/tables/t.xml", &table);
        let (sheets, _) = book.try_read(&Limits::default()).unwrap();
        assert_eq!(sheets[0].merged.len(), 2);
        assert_eq!(sheets[0].merged[0].bottom, 1);
        let table = &sheets[0].tables[0];
        assert_eq!((table.name.as_str(), table.header_rows, table.totals_rows), ("Sales", 1, 1));
        assert_eq!((table.area.top, table.area.left, table.area.bottom), (1, 1, 8));
        assert_eq!(table.columns, ["a\nb", "<"]);
    }

    #[test]
    fn parts_are_found_however_they_are_named() {
        let row = "<worksheet><sheetData><row><c><v>7</v></c></row></sheetData></worksheet>";
        let rel = |id: &str, kind: &str, target: &str| {
            format!(
                "<Relationship Id=\"{id}\" Type=\"http://purl.oclc.org/ooxml/officeDocument/relationships/{kind}\" Target=\"{target}\"/>"
            )
        };
        for (target, part) in [
            ("/Book/Sheets/S%201.xml", "Book/Sheets/S 1.xml"),
            ("sheets/s1.xml", "book/SHEETS/S1.XML"),
            ("..\\book\\sheets\\.\\a.xml", "\\book\\sheets\\a.xml"),
            ("book/a.xml", "book/a.xml"),
        ] {
            let book = Book(Vec::new())
                .part("_rels/.rels", &rels(&rel("m", "officeDocument", "/book/main.xml")))
                .part(
                    "book/main.xml",
                    &main(
                        "<workbookPr date1904=\"true\"/>",
                        "<sheet name=\"S&amp;T\" r:id=\"q\" state=\"veryHidden\"/>",
                    ),
                )
                .part("book/_rels/main.xml.rels", &rels(&rel("q", "worksheet", target)))
                .part(part, row);
            let (sheets, _) = book.try_read(&Limits::default()).unwrap();
            let sheet = &sheets[0];
            assert_eq!(shown(sheet), "A1=7", "{target}");
            assert_eq!((sheet.name.as_str(), sheet.hidden, sheet.from_1904), ("S&T", true, true));
        }
        // No relationships at all: everything is where everybody puts it.
        let book =
            Book::with_sheet(row).without("_rels/.rels").without("xl/_rels/workbook.xml.rels");
        assert_eq!(book.cells(), "A1=7");
    }

    #[test]
    fn sheets_of_other_kinds_have_no_cells() {
        let rel = |id: u32, kind: &str| {
            format!("<Relationship Id=\"r{id}\" Type=\"{RELATED}/{kind}\" Target=\"s{id}.xml\"/>")
        };
        let kinds = ["worksheet", "chartsheet", "dialogsheet", "xlMacrosheet"];
        let all: String = kinds.iter().enumerate().map(|(id, kind)| rel(id as u32, kind)).collect();
        let sheets: String =
            (0..4).map(|id| format!("<sheet name=\"S{id}\" r:id=\"r{id}\"/>")).collect();
        let book = Book::with_rows("")
            .part("xl/_rels/workbook.xml.rels", &rels(&all))
            .part("xl/workbook.xml", &main("", &sheets))
            .part("xl/s0.xml", "<worksheet/>");
        let infos = Xlsx::open(&zip(&book.0), &Limits::default()).unwrap().sheets();
        assert_eq!(
            infos.iter().map(|info| info.worksheet).collect::<Vec<_>>(),
            [true, false, false, false]
        );
        assert_eq!(book.try_read(&Limits::default()).unwrap().0.len(), 4);
    }

    #[test]
    fn other_encodings() {
        let text = "<?xml version=\"1.0\" encoding=\"UTF-16\"?><worksheet><sheetData><row><c t=\"str\"><v>äß</v></c></row></sheetData></worksheet>";
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let latin = text.replace("UTF-16", "ISO-8859-1");
        let latin: Vec<u8> = latin.chars().map(|character| character as u8).collect();
        let part = "xl/worksheets/sheet1.xml";
        for bytes in [
            [b"\xff\xfe", &wide[..]].concat(),
            [b"\xfe\xff", &big[..]].concat(),
            wide,
            big,
            latin,
            [b"\xef\xbb\xbf", text.replace("UTF-16", "utf-8").as_bytes()].concat(),
            text.into(),
        ] {
            assert_eq!(Book::with_rows("").bytes(part, &bytes).cells(), "A1=\"äß\"");
        }
        let issue = Book::with_rows("<row><c t=\"str\"><v>A</v></c></row>").0;
        let broken: Vec<u8> =
            issue[3].1.iter().map(|byte| if *byte == b'A' { 0xff } else { *byte }).collect();
        assert_eq!(Book::with_rows("").bytes(part, &broken).error().code, Code::BadEncoding);
        let unknown = "<?xml version=\"1.0\" encoding=\"EBCDIC\"?><worksheet/>";
        assert_eq!(Book::with_rows("").part(part, unknown).error().code, Code::UnsupportedFeature);
    }

    #[test]
    fn damage_is_named_with_its_place() {
        let row = "<row><c r=\"A1\"><v>1</v></c></row>";
        let sheet = |text: &str| Book::with_rows("").part("xl/worksheets/sheet1.xml", text).error();
        let cases = [
            ("<worksheet><sheetData><row><c r=\"A1\"><v>1", Code::Truncated, "ends inside <v>", 41),
            ("<worksheet><sheetData><row><c r=\"A1", Code::Truncated, "ends inside <row>", 35),
            (
                "<worksheet><sheetData></worksheet>",
                Code::Corrupt,
                "</worksheet> where <sheetData> is open",
                22,
            ),
            ("</a>", Code::Corrupt, "nothing is open", 0),
            ("", Code::Corrupt, "without XML", 0),
            ("<worksheet><sheetData a=b/>", Code::Corrupt, "cannot be read", 11),
            (
                "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
                Code::UnsupportedFeature,
                "document type",
                0,
            ),
            ("<a><!-- ", Code::Truncated, "ends inside <a>", 8),
            (
                "<worksheet><sheetData><row><c t=\"str\"><v>&x;</v></c></row></sheetData></worksheet>",
                Code::Corrupt,
                "&x;",
                0,
            ),
        ];
        for (text, code, message, offset) in cases {
            let issue = sheet(text);
            assert_eq!(issue.code, code, "{issue:?}");
            assert!(issue.message.contains(message), "{issue:?}");
            assert!(issue.message.ends_with(", in xl/worksheets/sheet1.xml"), "{issue:?}");
            assert_eq!(issue.table.as_deref(), Some("S"));
            assert!(offset == 0 || issue.byte_offset == Some(offset), "{issue:?}");
        }
        let deep = "<a>".repeat(1000);
        assert!(sheet(&deep).message.contains("256 elements"));
        let book = Book::with_rows("<row><c r=\"B7\" t=\"s\"><v>2</v></c></row>")
            .strings("<si><t>a</t></si>");
        assert!(book.error().message.contains("cell S!B7 has the shared text 2, but there are 1"));
        assert!(
            Book::with_rows("<row><c t=\"s\"><v>x</v></c></row>").error().message.contains("A1")
        );
        let book = Book::with_rows(row).without("xl/worksheets/sheet1.xml");
        assert!(book.error().message.contains("xl/worksheets/sheet1.xml is missing"));
    }

    #[test]
    fn bounds_hold() {
        let limits = Limits { sheet_cells: 3, value_bytes: 50, ..Limits::default() };
        let rows = "<row><c><v>1</v></c><c><v>1</v></c><c><v>1</v></c></row>";
        assert!(Book::with_rows(rows).try_read(&limits).is_ok());
        let more = format!("{rows}<row><c><v>1</v></c></row>");
        assert_eq!(Book::with_rows(&more).try_read(&limits).unwrap_err().code, Code::TooManyCells);
        // Both sheets are the same part: what is read twice counts twice.
        let twice = "<sheet name=\"S\" r:id=\"r1\"/><sheet name=\"T\" r:id=\"r1\"/>";
        let book = Book::with_rows(rows).part("xl/workbook.xml", &main("", twice));
        assert_eq!(book.try_read(&limits).unwrap_err().code, Code::TooManyCells);
        let long = format!("<row><c t=\"str\"><v>{}</v></c></row>", "x".repeat(51));
        assert_eq!(Book::with_rows(&long).try_read(&limits).unwrap_err().code, Code::ValueTooLarge);
        let limits = Limits { inflated_bytes: 100_000, ..Limits::default() };
        let blanks = " ".repeat(60_000);
        let book = Book::with_rows(&blanks).part("xl/workbook.xml", &main("", twice));
        assert_eq!(book.try_read(&limits).unwrap_err().code, Code::InflatedTooLarge);
    }

    #[test]
    fn parts_of_one_name_are_reported() {
        let mut book = Book::with_rows("<row><c><v>1</v></c></row>");
        let sheet = book.0[3].1.clone();
        book.0.push(("XL/worksheets/Sheet1.xml".to_owned(), sheet));
        let (sheets, issues) = book.try_read(&Limits::default()).unwrap();
        assert_eq!(shown(&sheets[0]), "A1=1");
        assert_eq!(issues[0].code, Code::SkippedMember);
    }
}

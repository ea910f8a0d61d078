//! Columns of texts and the types they get.

pub(super) mod tests {
    use arrow::array::Array;
    use arrow::datatypes::{DataType, TimeUnit};
    use arrow::util::display::array_value_to_string;

    use super::super::class::{FRACTION, GROUP_LIKE, NEGATIVE, WHOLE, class};
    use super::super::*;
    use crate::options::ParserOptions;

    pub(in crate::infer) fn options(json: &str) -> ParserOptions {
        let json: serde_json::Value = serde_json::from_str(json).unwrap();
        ParserOptions::from_json(json.as_object().unwrap()).unwrap()
    }

    pub(in crate::infer) fn column(values: &[impl AsRef<str>]) -> TextColumn {
        let mut column = TextColumn::default();
        values.iter().for_each(|value| column.push(value.as_ref().as_bytes(), false));
        column
    }

    /// The type, the values as they are shown, and how they were written.
    pub(in crate::infer) fn read(
        values: &[impl AsRef<str>],
        json: &str,
    ) -> (Inferred, Vec<String>) {
        let options = options(json);
        let rules = Rules::for_text(&options, &[]).column("c", 0);
        let column = column(values);
        let inferred = infer([&column], &rules);
        let array = convert(&column, &inferred, &rules, &mut |bad| {
            let text = String::from_utf8_lossy(&bad.text).into_owned();
            assert!(inferred.data_type != DataType::Utf8 && rules.forced.is_some(), "bad {text:?}");
        });
        let shown =
            (0..array.len()).map(|row| array_value_to_string(&array, row).unwrap()).collect();
        (inferred, shown)
    }

    pub(in crate::infer) fn short(data_type: &DataType) -> &'static str {
        match data_type {
            DataType::Null => "null",
            DataType::Boolean => "bool",
            DataType::Int64 => "int",
            DataType::UInt64 => "uint",
            DataType::Decimal128(38, 0) => "decimal",
            DataType::Float64 => "float",
            DataType::Date32 => "date",
            DataType::Timestamp(TimeUnit::Microsecond, None) => "stamp",
            DataType::Timestamp(TimeUnit::Nanosecond, None) => "fine stamp",
            DataType::Timestamp(_, Some(_)) => "zoned",
            DataType::Time64(_) => "time",
            DataType::Utf8 => "text",
            _ => "other",
        }
    }

    /// Values between bars, the type, the values shown where they are not as they stand, the layout.
    type Case = (&'static str, &'static str, &'static str, &'static str);

    fn check(cases: &[Case], json: &str) {
        for (texts, expected, values, format) in cases {
            let (inferred, shown) = read(&texts.split('|').collect::<Vec<_>>(), json);
            let ambiguous = if inferred.ambiguous.is_some() { "?" } else { "" };
            let mixed = if inferred.mixed { "!" } else { "" };
            let inexact = if inferred.inexact { "~" } else { "" };
            let found = format!("{}{ambiguous}{mixed}{inexact}", short(&inferred.data_type));
            assert_eq!(&found, expected, "{texts}");
            let values = if values.is_empty() { texts } else { values };
            assert_eq!(&shown.join("|"), values, "{texts}");
            assert_eq!(inferred.format().unwrap_or_default(), *format, "{texts}");
        }
    }

    #[test]
    fn plain_values() {
        check(
            &[
                ("1|-2", "int", "", ""),
                ("1|18446744073709551615", "uint", "", ""),
                ("-1|18446744073709551615", "decimal", "", ""),
                ("1|2.5", "float", "1.0|2.5", ""),
                ("1e5|2", "float", "100000.0|2.0", ""),
                ("-0|1", "float", "-0.0|1.0", ""),
                ("inf|1", "float", "inf|1.0", ""),
                ("9007199254740993|2.5", "text~", "", ""),
                ("1e400|1", "text~", "", ""),
                ("1.5e400|1", "text~", "", ""),
                ("0.5|1e-400", "text~", "", ""),
                ("123456789012345678901234567890123456789", "text~", "", ""),
                ("9007199254740993|2,5", "text~", "", ""),
                ("1e400|x", "text!", "", ""),
                ("1e400|00501", "text", "", ""),
                ("1e400|2026-01-31", "text!", "", ""),
                ("1|2|abc", "text!", "", ""),
                ("1|abc", "text!", "", ""),
                ("abc|1|def", "text", "", ""),
                ("00501|10001", "text", "", ""),
                ("+49301234|+49305678", "text", "", ""),
                ("12345678901234567890|12345678901234567891", "uint", "", ""),
                ("99345678901234567890|12345678901234567891", "decimal", "", ""),
                ("1e5|2a7|3b1", "text", "", ""),
                ("true|False", "bool", "true|false", ""),
                ("true|1", "text!", "", ""),
                ("yes|no", "text", "", ""),
                ("NA|1", "int", "|1", ""),
                ("-|1|--|.|?|..|n/a", "int", "|1|||||", ""),
                ("NA|DE", "text", "", ""),
                ("NA|NA", "text", "", ""),
                ("-|x", "text", "", ""),
                ("|", "null", "", ""),
                ("  |1", "int", "|1", ""),
                ("  |x", "text", "", ""),
                (" 1 |2 ", "int", "1|2", ""),
                ("infinite", "text", "", ""),
                ("192.168.1.1|10.0.0.1", "text", "", ""),
                ("192.168.100.200|110.100.100.101", "text", "", ""),
                ("1.2.3|1.2.4", "text", "", ""),
                ("0x1f|0x20", "text", "", ""),
                ("5%|6%", "text", "", ""),
                ("€5|€6", "text", "", ""),
                ("5 kg|6 kg", "text", "", ""),
                ("1-2|3-4", "text", "", ""),
                ("3.14159265358979323846", "float", "3.141592653589793", ""),
            ],
            "{}",
        );
    }

    #[test]
    fn iso_dates() {
        check(
            &[
                ("2026-01-31|", "date", "", ""),
                ("2026-01-31|NA", "date", "2026-01-31|", ""),
                ("2026-01-31|2026-1-5", "date", "2026-01-31|2026-01-05", ""),
                (
                    "2026-01-31|2026-01-31 10:00",
                    "stamp",
                    "2026-01-31T00:00:00|2026-01-31T10:00:00",
                    "",
                ),
                (
                    "2026-01-31T10:00:00Z|2026-01-31T10:00:00+02:00",
                    "zoned",
                    "2026-01-31T10:00:00Z|2026-01-31T08:00:00Z",
                    "",
                ),
                ("2026-01-31T10:00:00Z|2026-01-31T10:00:00", "text!", "", ""),
                ("2026-01-31T10:00:00.123456789", "fine stamp", "", ""),
                ("1026-01-31T10:00:00.123456789", "text", "", ""),
                ("20260131T120000Z", "zoned", "2026-01-31T12:00:00Z", "%Y%m%dT%H%M%S%z"),
                ("20260131|20260201", "int", "", ""),
                ("2026-01-31|20260201", "text!", "", ""),
                ("2026-01-31 12:00:00 UTC", "zoned", "2026-01-31T12:00:00Z", ""),
                ("2026-02-30|2026-01-01", "text!", "", ""),
                ("10:00:00|10:00:00.5", "time", "10:00:00|10:00:00.500", ""),
                ("10:00|23:59", "time", "10:00:00|23:59:00", "%H:%M"),
                ("10:00|24:30", "text!", "", ""),
                ("4:35|3:20", "text", "", ""),
                ("1:30 PM|12:15 am", "time", "13:30:00|00:15:00", "%I:%M %p"),
                ("2026-01-31 1:30 PM", "stamp", "2026-01-31T13:30:00", "%Y-%m-%d %I:%M %p"),
                ("2026|2025", "int", "", ""),
                ("2026-01|2026-02", "text", "", ""),
            ],
            "{}",
        );
    }

    #[test]
    fn dates_in_other_layouts() {
        check(
            &[
                ("2026/01/31|2026/2/1", "date", "2026-01-31|2026-02-01", "%Y/%m/%d"),
                ("2026.01.31", "date", "2026-01-31", "%Y.%m.%d"),
                ("31/01/2026|01/02/2026", "date", "2026-01-31|2026-02-01", "%d/%m/%Y"),
                ("01/31/2026|01/02/2026", "date", "2026-01-31|2026-01-02", "%m/%d/%Y"),
                ("01/02/2026|03/04/2026", "text?", "", ""),
                ("01/01/2026|02/02/2026", "date", "2026-01-01|2026-02-02", "%m/%d/%Y"),
                ("31/01/2026|01/31/2026", "text!", "", ""),
                ("31-01-2026|1-2-2026", "date", "2026-01-31|2026-02-01", "%d-%m-%Y"),
                ("31.01.2026|1.2.2026", "date", "2026-01-31|2026-02-01", "%d.%m.%Y"),
                ("01.02.2026", "text?", "", ""),
                ("01/02/2026|2026-01-31", "text?", "", ""),
                ("31/01/2026|2026-02-01", "date", "2026-01-31|2026-02-01", "%d/%m/%Y"),
                ("31/01/2026|01.02.2026", "date", "2026-01-31|2026-02-01", "%d/%m/%Y or %d.%m.%Y"),
                ("31/01/26|01/02/26", "date", "2026-01-31|2026-02-01", "%d/%m/%y"),
                ("01/31/26|01/02/69", "date", "2026-01-31|1969-01-02", "%m/%d/%y"),
                ("31/01/26|01/02/2026", "text", "", ""),
                ("01/02/26", "text?", "", ""),
                ("26-01-05|26-01-12|26-02-20", "text?", "", ""),
                ("26-01-31", "text?", "", ""),
                ("26-01-99|25-01-99", "date", "1999-01-26|1999-01-25", "%d-%m-%y"),
                ("31 Jan 2026|1 Feb 2026", "date", "2026-01-31|2026-02-01", "%d %b %Y"),
                ("31-Jan-2026", "date", "2026-01-31", "%d-%b-%Y"),
                ("31-JAN-26|01-FEB-26", "date", "2026-01-31|2026-02-01", "%d-%b-%y"),
                (
                    "01-Jan-20|01-Jan-21|01-Jan-22",
                    "date",
                    "2020-01-01|2021-01-01|2022-01-01",
                    "%d-%b-%y",
                ),
                ("31/12/20|31/12/21|31/12/22", "text?", "", ""),
                (
                    "31/12/98|31/12/99|31/12/00",
                    "date",
                    "1998-12-31|1999-12-31|2000-12-31",
                    "%d/%m/%y",
                ),
                ("Sept. 1, 2026|October 2, 2026", "date", "2026-09-01|2026-10-02", "%B %d, %Y"),
                ("0001-01-01", "date", "", ""),
                ("0000-00-00|2026-01-31", "text!", "", ""),
                (
                    "1/2/2026 0:00|1/13/2026 23:59",
                    "stamp",
                    "2026-01-02T00:00:00|2026-01-13T23:59:00",
                    "%m/%d/%Y %H:%M",
                ),
                ("12.05.2026 - 13.05.2026", "text", "", ""),
                ("Jan 31, 2026", "date", "2026-01-31", "%b %d, %Y"),
                ("January 31, 2026", "date", "2026-01-31", "%B %d, %Y"),
                ("31 January 2026", "date", "2026-01-31", "%d %B %Y"),
                ("Sat, 31 Jan 2026", "date", "2026-01-31", "%a, %d %b %Y"),
                ("Mon, 31 Jan 2026|x|y", "text", "", ""),
                ("31/01/2026 10:30", "stamp", "2026-01-31T10:30:00", "%d/%m/%Y %H:%M"),
                ("1/31/2026 1:30:05 PM", "stamp", "2026-01-31T13:30:05", "%m/%d/%Y %I:%M:%S %p"),
                (
                    "31.01.2026T10:30:00+01:00",
                    "zoned",
                    "2026-01-31T09:30:00Z",
                    "%d.%m.%Y %H:%M:%S%z",
                ),
                (
                    "31/01/2026|01/02/2026 10:00",
                    "stamp",
                    "2026-01-31T00:00:00|2026-02-01T10:00:00",
                    "%d/%m/%Y %H:%M",
                ),
                (" 31/01/2026 ", "date", "2026-01-31", "%d/%m/%Y"),
                ("31/01/2026|-", "date", "2026-01-31|", "%d/%m/%Y"),
                ("31/01/2026|soon", "text!", "", ""),
                ("1.10.12|1.11.13", "text", "", ""),
                ("50-00-0|64-17-5", "text", "", ""),
                ("may|june", "text", "", ""),
                ("May 2026", "text", "", ""),
                ("1/2|3/4", "text", "", ""),
                ("32/01/2026|31/01/2026", "text!", "", ""),
            ],
            "{}",
        );
    }

    #[test]
    fn options_settle_the_order() {
        check(
            &[
                ("01/02/2026", "date", "2026-02-01", "%d/%m/%Y"),
                ("01/31/2026", "date", "2026-01-31", "%m/%d/%Y"),
                ("01/02/26", "date", "2026-02-01", "%d/%m/%y"),
            ],
            r#"{"dayfirst": true}"#,
        );
        check(&[("01/02/2026", "date", "2026-01-02", "%m/%d/%Y")], r#"{"dayfirst": false}"#);
        check(
            &[
                ("01/02/2026", "date", "2026-01-02", "%m/%d/%Y"),
                ("31/01/2026|01/02/2026", "date", "2026-01-31|2026-02-01", "%d/%m/%Y"),
                ("20260131", "date", "2026-01-31", "%Y%m%d"),
            ],
            r#"{"parse_dates": ["c"]}"#,
        );
        check(&[("2026-01-31|01/02/2026", "text", "", "")], r#"{"parse_dates": false}"#);
        check(&[("31/01/2026", "date", "2026-01-31", "%d/%m/%Y")], r#"{"parse_dates": true}"#);
        let strings = |json: &str, text: &str| {
            let options = options(json);
            let rules = Rules::for_strings(&options, &[]).column("c", 0);
            infer([&column(&[text])], &rules).data_type
        };
        assert_eq!(strings("{}", "2026-01-31"), DataType::Utf8);
        assert_eq!(strings("{}", "1,5"), DataType::Utf8);
        assert_eq!(strings(r#"{"parse_dates": true}"#, "2026-01-31"), DataType::Date32);
        assert_eq!(strings(r#"{"parse_dates": true}"#, "31/01/2026"), DataType::Utf8);
        assert_eq!(strings(r#"{"parse_dates": ["c"]}"#, "31/01/2026"), DataType::Date32);
    }

    #[test]
    fn numbers_with_marks() {
        check(
            &[
                ("1234,5|1", "float", "1234.5|1.0", "1234,5"),
                ("0,123", "float", "0.123", "1234,5"),
                ("-0,5|1,25", "float", "-0.5|1.25", "1234,5"),
                ("1,234.5|12", "float", "1234.5|12.0", "1,234.5"),
                ("1,234|1.5", "float", "1234.0|1.5", "1,234.5"),
                ("1,234|1234.5", "float", "1234.0|1234.5", "1,234.5"),
                ("1.234,5|2", "float", "1234.5|2.0", "1.234,5"),
                ("1.234|12,5", "float", "1234.0|12.5", "1.234,5"),
                ("1.234|5.678", "float", "", ""),
                ("1,234|5,678", "text?", "", ""),
                ("1,234|5", "text?", "", ""),
                ("1.234|12,345", "text?", "", ""),
                ("1,234,567|1,234", "int", "1234567|1234", "1,234"),
                ("1.234.567|1.234", "int", "1234567|1234", "1.234"),
                ("12,34,567|1,234", "int", "1234567|1234", "1,234"),
                ("1 234|12", "int", "1234|12", "1 234"),
                ("1\u{a0}234,5", "float", "1234.5", "1 234,5"),
                ("1\u{202f}234.5", "float", "1234.5", "1 234.5"),
                ("1 234|1,5", "float", "1234.0|1.5", "1 234,5"),
                ("1'234.50|7", "float", "1234.5|7.0", "1'234.5"),
                ("1’234|7", "int", "1234|7", "1'234"),
                ("1'234,5", "float", "1234.5", "1'234,5"),
                ("-1.234,5|1", "float", "-1234.5|1.0", "1.234,5"),
                ("1.234,50-|1,00", "float", "-1234.5|1.0", "1.234,5"),
                ("5-|6", "text!", "", ""),
                ("(1,234.50)|7", "float", "-1234.5|7.0", "1,234.5"),
                ("(1)|(2)", "text", "", ""),
                ("1,5E3|2", "float", "1500.0|2.0", "1234,5"),
                ("1,5|1.5", "text!", "", ""),
                ("1,234,5|1", "text!", "", ""),
                ("1,23,45", "text", "", ""),
                ("1234,567", "float", "1234.567", "1234,5"),
                ("01,5|1", "text!", "", ""),
                (",5|1", "float", "0.5|1.0", "1234,5"),
                ("1,|2", "text!", "", ""),
                ("1 234 567|12 345", "int", "1234567|12345", "1 234"),
                ("555 123 456|555 123 457", "text", "", ""),
                ("110 001|110 002", "text", "", ""),
                ("123.456.789|123.456.780", "text", "", ""),
                ("1,234|NA|1.5", "float", "1234.0||1.5", "1,234.5"),
                ("1,5|inf", "float", "1.5|inf", "1234,5"),
                ("1,234.5|5.", "float", "1234.5|5.0", "1,234.5"),
                ("1.234|9007199254740993", "text~", "", ""),
                ("1,234,567,890,123,456,789|9", "int", "1234567890123456789|9", "1,234"),
                ("12,234,567,890,123,456,789|9", "decimal", "12234567890123456789|9", "1,234"),
                ("1,5 %|2", "text!", "", ""),
                ("1 5|2", "text!", "", ""),
                ("12 34 56 78|22 33 44 55", "text", "", ""),
                ("(500)|600", "int", "-500|600", "1234"),
                ("(1,234)|5,678", "text?", "", ""),
                ("52.5200,13.4050|1.5", "text!", "", ""),
                ("- 5|1", "text!", "", ""),
                ("1234 567|1", "text!", "", ""),
                ("4111 1111 1111 1111", "text", "", ""),
                ("1,234.5|#N/A|—", "float", "1234.5||", "1,234.5"),
                ("-1,234,567|2", "int", "-1234567|2", "1,234"),
                ("123 456|-1", "int", "123456|-1", "1 234"),
                ("1,2,3|4,5,6", "text", "", ""),
            ],
            "{}",
        );
        assert_eq!(read(&["1,234"], "{}").0.ambiguous, Some(Ambiguity::Numbers));
        assert_eq!(read(&["1/2/2026"], "{}").0.ambiguous, Some(Ambiguity::Dates));
    }

    #[test]
    fn given_marks_rule() {
        let json = r#"{"decimal": ","}"#;
        check(&[("1,5", "float", "1.5", ""), ("1.234", "text", "", "")], json);
        let json = r#"{"thousands": ","}"#;
        check(&[("1,234|5", "int", "1234|5", ""), ("1,23", "text", "", "")], json);
        let json = r#"{"decimal": ",", "thousands": "."}"#;
        check(&[("1.234", "int", "1234", ""), ("1.234,5", "float", "1234.5", "")], json);
    }

    #[test]
    fn types_that_are_asked_for() {
        for (texts, json, expected) in [
            ("1.234,5|2", r#"{"dtype": "float64"}"#, "1234.5|2.0"),
            ("1,234|5", r#"{"dtype": "int64"}"#, "|5"),
            ("007|+5", r#"{"dtype": "int64"}"#, "7|5"),
            (
                "31/01/2026|01/02/2026",
                r#"{"dtype": "datetime64[us]"}"#,
                "2026-01-31T00:00:00|2026-02-01T00:00:00",
            ),
            ("01/02/2026", r#"{"dtype": "datetime64[us]"}"#, "2026-01-02T00:00:00"),
            ("NA|01", r#"{"dtype": "str"}"#, "NA|01"),
            ("2026-01-31|x", r#"{"dtype": "datetime64[s]"}"#, "2026-01-31T00:00:00|"),
        ] {
            let (_, shown) = read(&texts.split('|').collect::<Vec<_>>(), json);
            assert_eq!(shown.join("|"), expected, "{texts} {json}");
        }
    }

    #[test]
    fn quoted_empty_cells() {
        let options = options("{}");
        let rules = Rules::for_text(&options, &[]).column("c", 0);
        for (other, nulls) in [("x", 1), ("1", 2)] {
            let mut column = TextColumn::default();
            column.push(b"", true);
            column.push(b"", false);
            column.push(other.as_bytes(), false);
            let inferred = infer([&column], &rules);
            let array = convert(&column, &inferred, &rules, &mut |_| {});
            assert_eq!(array.null_count(), nulls, "{other}");
        }
    }

    #[test]
    fn the_odd_one_is_named() {
        for (texts, odd) in [
            ("1|2|x|3", Some(2)),
            ("2026-01-31|2026-01-30|5", Some(2)),
            ("31/01/2026|01/31/2026|31/01/2026", Some(1)),
            ("1,5|2,5||1.5", Some(3)),
            ("x|y|1", None),
        ] {
            let (inferred, _) = read(&texts.split('|').collect::<Vec<_>>(), "{}");
            assert_eq!(inferred.odd, odd, "{texts}");
        }
    }

    #[test]
    fn classes_that_a_reader_may_know() {
        for (text, expected) in [
            ("0", WHOLE),
            ("123456789012345", WHOLE),
            ("-5", NEGATIVE),
            ("1.5", FRACTION),
            ("0.123", FRACTION),
            ("1234.567", FRACTION),
            ("-1.234", FRACTION | GROUP_LIKE),
            ("123.456", FRACTION | GROUP_LIKE),
            ("2026-01-31", class::DATE | class::STAMP),
        ] {
            let options = options("{}");
            let rules = Rules::for_text(&options, &[]).column("c", 0);
            assert_eq!(class(text.as_bytes(), &rules, &mut Vec::new()), expected, "{text}");
        }
    }
}

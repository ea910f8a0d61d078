//! What holds of any column.

mod tests {
    use arrow::array::AsArray;
    use arrow::datatypes::Float64Type;
    use proptest::prelude::*;

    use super::super::cases::tests::{column, options, read, short};
    use super::super::class::SHORT_YEAR;
    use super::super::*;

    fn any_value() -> impl Strategy<Value = String> {
        prop_oneof![
            "-?[0-9]{1,20}",
            "-?[0-9]{1,3}[.,][0-9]{1,4}",
            "[1-9][0-9]{0,2}([., '][0-9]{3}){1,2}([.,][0-9]{1,2})?",
            "[0-3]?[0-9][/.-][01]?[0-9][/.-](20)?2[0-9]",
            "2026-[01][0-9]-[0-3][0-9]( [012][0-9]:[0-5][0-9])?",
            "[012][0-9]:[0-5][0-9]",
            Just("NA".to_owned()),
            Just(String::new()),
            Just("true".to_owned()),
            "[a-z]{1,3}",
            "\\([0-9]{1,2}\\)",
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

        /// Parts seen apart and put together are the same as all seen in one go, however it is cut.
        #[test]
        fn merged_parts_are_the_whole(
            values in prop::collection::vec(any_value(), 0..12),
            first in 0usize..12,
            second in 0usize..12,
        ) {
            let options = options("{}");
            let rules = Rules::for_text(&options, &[]).column("c", 0);
            let fold = |values: &[String]| {
                let mut seen = Seen::default();
                values.iter().for_each(|v| seen.add(v.as_bytes(), false, &rules, &mut Vec::new()));
                seen
            };
            let (first, second) = (first.min(values.len()), second.min(values.len()));
            let (first, second) = (first.min(second), first.max(second));
            let parts = [fold(&values[..first]), fold(&values[first..second]), fold(&values[second..])];
            let whole = fold(&values);
            let mut left = parts[0];
            left.merge(&parts[1]);
            left.merge(&parts[2]);
            prop_assert_eq!(left, whole);
            let mut right = parts[1];
            right.merge(&parts[2]);
            let mut all = parts[0];
            all.merge(&right);
            prop_assert_eq!(all, whole);
            prop_assert_eq!(all.conclude(&rules), whole.conclude(&rules));
        }

        /// Whatever the type, every value of the column has one: `read` fails on a bad value.
        #[test]
        fn every_value_survives_its_type(values in prop::collection::vec(any_value(), 1..6)) {
            let (inferred, shown) = read(&values, "{}");
            for (value, shown) in values.iter().zip(&shown) {
                let is_null = matches!(value.as_str(), "" | "NA" | "nan" | "nil");
                prop_assert!(is_null || !shown.is_empty(), "{} {:?}", value, inferred);
            }
        }

        /// Dates in any layout with one that settles the order read back.
        #[test]
        fn printed_dates_read_back(
            days in prop::collection::vec(-30_000i32..40_000, 1..20),
            layout in prop::sample::select(vec![
                "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d", "%-d/%-m/%Y",
                "%d %b %Y", "%B %-d, %Y", "%a, %d %b %Y", "%A %d-%B-%Y", "%Y-%-m-%-d", "%d-%b-%Y",
            ]),
            time in prop::sample::select(vec!["", " %H:%M", " %I:%M:%S %p", "T%H:%M:%S%.6f"]),
        ) {
            let day = |days: i32| chrono::NaiveDate::from_num_days_from_ce_opt(days + 719_163).unwrap();
            let settles = day(30);
            let stamps: Vec<chrono::NaiveDateTime> = days
                .iter()
                .map(|days| day(*days))
                .chain([settles])
                .map(|day| day.and_hms_opt(if time.is_empty() { 0 } else { 13 }, 5, 0).unwrap())
                .collect();
            let format = format!("{layout}{time}");
            let texts: Vec<String> = stamps.iter().map(|s| s.format(&format).to_string()).collect();
            let (inferred, shown) = read(&texts, "{}");
            prop_assert_eq!(short(&inferred.data_type), if time.is_empty() { "date" } else { "stamp" });
            for (stamp, shown) in stamps.iter().zip(shown) {
                let form = if time.is_empty() { "%Y-%m-%d" } else { "%Y-%m-%dT%H:%M:%S" };
                prop_assert_eq!(stamp.format(form).to_string(), shown);
            }
            prop_assert_eq!(inferred.layout.kinds & SHORT_YEAR != 0, false);
        }

        /// Floats in any style that the column settles read back to the last bit.
        #[test]
        fn printed_floats_read_back(
            values in prop::collection::vec(-1e9f64..1e9, 1..12),
            (mark, decimal) in prop::sample::select(vec![
                (",", "."), (".", ","), (" ", ","), ("\u{a0}", ","), ("\u{202f}", "."), ("'", "."),
                ("’", ","), ("", ","),
            ]),
        ) {
            let style = |value: f64| {
                let text = format!("{value}");
                let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
                let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |d| ("-", d));
                let grouped = digits.bytes().enumerate().fold(String::new(), |mut out, (at, digit)| {
                    if at > 0 && (digits.len() - at) % 3 == 0 {
                        out.push_str(mark);
                    }
                    out.push(char::from(digit));
                    out
                });
                let point = if fraction.is_empty() { "" } else { decimal };
                format!("{sign}{grouped}{point}{fraction}")
            };
            let mut values = values;
            values.push(1234567.25);
            let texts: Vec<String> = values.iter().map(|value| style(*value)).collect();
            let options = options("{}");
            let rules = Rules::for_text(&options, &[]).column("c", 0);
            let column = column(&texts);
            let inferred = infer([&column], &rules);
            let array = convert(&column, &inferred, &rules, &mut |_| {});
            prop_assert_eq!(array.as_primitive::<Float64Type>().values().to_vec(), values);
        }

        /// No text makes it panic, and none that is read is read otherwise by the reader.
        #[test]
        fn any_text_at_all(text in "[0-9/.,:'() TZAPMJan+eE\u{a0}-]{0,24}") {
            read(&[&text], "{}");
            read(&[&text], r#"{"parse_dates": ["c"]}"#);
            read(&[&text], r#"{"thousands": ".", "decimal": ","}"#);
        }
    }
}

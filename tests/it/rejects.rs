//! The file for rejects: every row and value that was repaired, left out or refused.

use std::fs;

use tablemill::{FileType, Limits, Options, Parallelism, ParserOptions, Source, ingest};

/// The rejects of a text: code, row, line, byte offset, raw text.
fn rejects(text: &str, options: &str, limits: &Limits) -> Vec<[String; 5]> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rejects.csv");
    let json: serde_json::Value = serde_json::from_str(options).unwrap();
    let options = Options {
        file_type: Some(FileType::Csv),
        parser: ParserOptions::from_json(json.as_object().unwrap()).unwrap(),
        rejects: Some(path.clone()),
        parallelism: Parallelism { threads: 2, chunk_bytes: 64 },
        ..Options::default()
    };
    // Where values are refused there is no table, but there are rejects.
    let _ = ingest(Source::bytes(text.to_owned()), &options, limits);
    let written = fs::read(&path).unwrap();
    let mut reader = csv::Reader::from_reader(written.as_slice());
    assert_eq!(reader.headers().unwrap().len(), 8);
    let record = |record: csv::StringRecord| [0, 2, 4, 5, 7].map(|at| record[at].to_owned());
    reader.records().map(|found| record(found.unwrap())).collect()
}

#[test]
fn all_of_them_whatever_the_report_has_room_for() {
    let mut text = String::from("a,b\n");
    for row in 0..200 {
        text.push_str(&format!("{row},x\n{row}\n"));
    }
    let limits = Limits { issues: 3, ..Limits::default() };
    let found = rejects(&text, "{}", &limits);
    assert_eq!(found.len(), 200);
    assert!(found.iter().all(|[code, ..]| code == "short_row"));
    let last = (text.len() - 4).to_string();
    assert_eq!(found[199], ["short_row", "400", "401", &last, "199"]);
    let [_, _, _, offset, raw] = &found[150];
    let offset: usize = offset.parse().unwrap();
    assert_eq!(&text[offset..offset + raw.len()], raw);
}

#[test]
fn rows_that_are_left_out_and_rows_of_several_lines() {
    let text = "a,b\n1,2\n\"x\ny\",2,3\n4,5\n6\n";
    for bad_lines in ["skip", "warn"] {
        let options = format!(r#"{{"on_bad_lines": "{bad_lines}", "header": 0}}"#);
        let found = rejects(text, &options, &Limits::default());
        let expected =
            [["skipped_row", "", "3", "8", "\"x\ny\",2,3"], ["skipped_row", "", "6", "22", "6"]];
        assert_eq!(found, expected);
    }
}

#[test]
fn values_that_do_not_fit() {
    let rows: String = (0..50).map(|row| format!("{row},bad{row}\n")).collect();
    let text = format!("a,b\n{rows}");
    let found = rejects(&text, r#"{"dtype": {"b": "int64"}}"#, &Limits::default());
    assert_eq!(found.len(), 50);
    let last = text.find("bad49").unwrap().to_string();
    assert_eq!(found[49], ["bad_value", "50", "51", &last, "bad49"]);
}

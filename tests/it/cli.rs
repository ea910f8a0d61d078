//! The command line from outside: exit statuses, what goes to which stream, whole files or none.

mod damaged;
mod inspect;
mod isolate;
mod room;
#[cfg(feature = "server")]
mod serve;

use std::fs;
use std::io::{Read, Write};
use std::process::Stdio;

use serde_json::{Value, json};

use room::{Room, fixture};

const PEOPLE: &str = "id,name,score,zip\n1,Ann,1.5,00501\n2,\"Żak, Bob\",2,07030\n3,Zoë,,02134\n";

fn dtypes(report: &Value) -> Vec<(String, String)> {
    let columns = report["tables"][0]["columns"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    columns.iter().map(|column| (text(&column["name"]), text(&column["dtype"]))).collect()
}

#[test]
fn exit_statuses() {
    let room = Room::new(&[("people.csv", PEOPLE), ("empty.csv", "")]);
    room.run(&["inspect", "people.csv"]).expect(0);
    room.run(&["inspect", "empty.csv"]).expect(1);
    room.run(&["inspect", "people.csv", "empty.csv", "people.csv"]).expect(1);
    room.run(&["inspect", "missing.csv"]).expect(1);
    room.run(&["inspect"]).expect(2);
    room.run(&["grind", "people.csv"]).expect(2);
    room.run(&["inspect", "people.csv", "--type", "exe"]).expect(2);
    room.run(&["inspect", "-", "-"]).expect(2);
    room.run(&["convert", "people.csv"]).expect(2);
    room.run(&["convert", "people.csv", "--to", "xml"]).expect(2);
    room.run(&["convert", "people.csv", "--out", "people.xml"]).expect(2);
    room.run(&["sql", "SELECT 1"]).expect(2);
    room.run(&["sql", "SELEC 1", "people.csv"]).expect(1);
    room.run(&["--version"]).expect(0);
    for verb in ["inspect", "convert", "sql"] {
        let help = room.run(&[verb, "--help"]).expect(0);
        assert!(help.text().contains("Examples:") && help.err.is_empty());
    }
}

#[test]
fn inspect_shows_a_summary_and_a_preview() {
    let room = Room::new(&[("people.csv", PEOPLE)]);
    let run = room.run(&["inspect", "people.csv"]).expect(0);
    let expected = "\
people.csv: csv (utf-8, 70 bytes)
dialect: delimiter \",\", quote \"\\\"\", newline \"\\n\", 1 header row

people: 3 rows, 4 columns
  column  dtype    arrow type  nulls
  id      int64    Int64           0
  name    object   Utf8            0
  score   float64  Float64         1
  zip     object   Utf8            0

  id  name      score  zip
   1  Ann         1.5  00501
   2  Żak, Bob    2.0  07030
   3  Zoë        null  02134
";
    assert_eq!(run.text(), expected);
    assert_eq!(run.err, "");
}

#[test]
fn the_preview_is_cut_to_rows_and_width() {
    let header: Vec<String> = (0..200).map(|column| format!("column_{column}")).collect();
    let row = vec!["12"; 200].join(",") + "\n";
    let text = header.join(",") + "\n" + &row.repeat(25);
    let room = Room::new(&[("wide.csv", &text)]);
    let output = room.command(&["inspect", "wide.csv"]).env("COLUMNS", "60").output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(out.contains("  … 150 more columns\n"), "{out}");
    assert!(out.ends_with("  … 15 more rows, 194 more columns\n"), "{out}");
    let table = out.lines().skip_while(|line| !line.starts_with("wide:"));
    assert!(table.clone().count() > 60);
    for line in table {
        assert!(line.chars().count() <= 60, "{line}");
    }
}

#[test]
fn json_gives_one_report_a_line_in_order() {
    let room = Room::new(&[("people.csv", PEOPLE), ("empty.csv", ""), ("b.json", "[{\"a\":1}]")]);
    let files = ["b.json", "empty.csv", "missing.csv", "people.csv"];
    let run = room.run(&[&["inspect", "--json"], &files[..]].concat()).expect(1);
    let reports = run.reports();
    let names: Vec<&str> = reports.iter().map(|r| r["file"]["name"].as_str().unwrap()).collect();
    assert_eq!(names, files);
    let valid: Vec<bool> = reports.iter().map(|r| r["is_valid"].as_bool().unwrap()).collect();
    assert_eq!(valid, [true, false, false, true]);
    assert_eq!(reports[1]["issues"][0]["code"], "empty");
    assert_eq!(reports[2]["issues"][0]["code"], "io");
    assert_eq!(run.err, "");
}

#[test]
fn what_json_cannot_say_is_counted() {
    let room = Room::new(&[("floats.csv", "v,w\ninf,1\n-inf,2\n1.5,3\n")]);
    let run = room.run(&["convert", "floats.csv", "--to", "ndjson"]).expect(0);
    assert_eq!(run.text().lines().next(), Some("{\"v\":null,\"w\":1}"));
    assert!(
        run.err.starts_with("note: 2 values of NaN or infinity were written as null"),
        "{}",
        run.err
    );
    let run = room.run(&["convert", "floats.csv", "--to", "csv"]).expect(0);
    assert_eq!(run.err, "");
}

#[test]
fn a_dash_is_standard_input() {
    let room = Room::new(&[("people.csv", PEOPLE)]);
    let run = room.run_with_input(&["inspect", "--json", "-"], PEOPLE.as_bytes()).expect(0);
    let from_file = room.run(&["inspect", "--json", "people.csv"]).expect(0);
    assert_eq!(dtypes(&run.reports()[0]), dtypes(&from_file.reports()[0]));
    let compressed = fs::read(fixture("matrix/orders.csv.gz")).unwrap();
    let run = room.run_with_input(&["convert", "-", "--to", "ndjson"], &compressed).expect(0);
    assert_eq!(run.text().lines().count(), 20);
}

#[test]
fn a_missing_file_gets_a_hint() {
    let room = Room::new(&[("people.csv", PEOPLE)]);
    let run = room.run(&["inspect", "peple.csv"]).expect(1);
    assert!(run.err.starts_with("error[io]: cannot open peple.csv: "), "{}", run.err);
    assert!(run.err.ends_with("   = hint: did you mean people.csv?\n"), "{}", run.err);
    assert_eq!(run.text(), "");
}

#[test]
fn every_target_is_read_back_as_it_was() {
    let room = Room::new(&[("people.csv", PEOPLE)]);
    let original = room.run(&["inspect", "--json", "people.csv"]).expect(0);
    for name in ["a.csv", "a.ndjson", "a.json", "a.parquet", "a.arrow", "a.arrows"] {
        room.run(&["convert", "people.csv", "--out", name]).expect(0);
        let back = room.run(&["inspect", "--json", name]).expect(0);
        let (mut want, mut got) = (dtypes(&original.reports()[0]), dtypes(&back.reports()[0]));
        // A JSON document may leave out what is null; which column is met first is its affair.
        want.sort();
        got.sort();
        assert_eq!(got, want, "{name}");
        let csv = room.run(&["convert", name, "--to", "csv", "--header", "never"]).expect(0);
        assert!(csv.text().contains("00501") && csv.text().contains("\"Żak, Bob\""), "{name}");
    }
    // The text of a csv survives the binary formats as well.
    for name in ["a.parquet", "a.arrow", "a.arrows"] {
        let back = room.run(&["convert", name, "--to", "csv"]).expect(0);
        assert_eq!(back.text(), room.read("a.csv"), "{name}");
    }
}

#[test]
fn a_binary_target_may_go_to_a_pipe() {
    let room = Room::new(&[("people.csv", PEOPLE)]);
    let parquet = room.run(&["convert", "people.csv", "--to", "parquet", "--out", "-"]).expect(0);
    assert!(parquet.out.starts_with(b"PAR1") && parquet.out.ends_with(b"PAR1"));
    let arrow = room.run(&["convert", "people.csv", "--to", "arrow"]).expect(0);
    assert!(arrow.out.starts_with(b"ARROW1"));
}

#[test]
fn text_keeps_every_cell_as_it_stands() {
    let text = "id,a,b\n007,NA,1.50\n8,,True\n";
    let room = Room::new(&[("cells.csv", text)]);
    let run = room.run(&["convert", "cells.csv", "--to", "csv", "--text"]).expect(0);
    // An empty text is written as such or in quotes.
    assert_eq!(run.text().replace("\"\"", ""), text);
    let run = room.run(&["convert", "cells.csv", "--to", "ndjson", "--text"]).expect(0);
    let rows = run.reports();
    assert_eq!(rows[0], json!({"id": "007", "a": "NA", "b": "1.50"}));
    assert_eq!(rows[1], json!({"id": "8", "a": "", "b": "True"}));
    room.run(&["convert", "cells.csv", "--to", "csv", "--text", "-o", "dtype=str"]).expect(2);
}

#[test]
fn a_header_is_written_if_the_input_had_one() {
    let room = Room::new(&[("with.csv", "id,n\n1,2\n"), ("without.csv", "1,2\n3,4\n")]);
    let convert = |file: &str, more: &[&str]| {
        let run = room.run(&[&["convert", file, "--to", "csv"], more].concat()).expect(0);
        run.text().to_owned()
    };
    assert_eq!(convert("with.csv", &[]), "id,n\n1,2\n");
    assert_eq!(convert("with.csv", &["--header", "never"]), "1,2\n");
    let headless = ["-o", "header=none", "--text"];
    assert_eq!(convert("without.csv", &headless), "1,2\n3,4\n");
    let always = convert("without.csv", &["-o", "header=none", "--header", "always"]);
    assert_eq!(always.lines().count(), 3, "{always}");
    fs::write(room.path("a.json"), "[{\"id\": 1}]").unwrap();
    assert_eq!(convert("a.json", &[]), "id\n1\n");
}

#[test]
fn of_several_tables_one_must_be_chosen() {
    let room = Room::new(&[]);
    let zip = several_tables(&room);
    let run = room.run(&["convert", &zip, "--to", "csv"]).expect(2);
    assert!(run.err.contains("holds 2 tables"), "{}", run.err);
    assert!(run.err.contains("\n    0: first (1 row, 2 columns)\n"), "{}", run.err);
    assert!(run.err.contains("\n    1: second (2 rows, 1 column)\n"), "{}", run.err);
    let by_name = room.run(&["convert", &zip, "--to", "csv", "--table", "second"]).expect(0);
    let by_position = room.run(&["convert", &zip, "--to", "csv", "--table", "1"]).expect(0);
    assert_eq!(by_name.text(), "n\n1\n2\n");
    assert_eq!(by_name.text(), by_position.text());
    let run = room.run(&["convert", &zip, "--to", "csv", "--table", "secnd"]).expect(2);
    assert!(run.err.contains("did you mean \"second\"?"), "{}", run.err);
    room.run(&["convert", &zip, "--to", "csv", "--table", "2"]).expect(2);
}

/// An archive of two tables.
fn several_tables(room: &Room) -> String {
    let path = room.path("several.zip");
    let mut zip = zip::ZipWriter::new(fs::File::create(&path).unwrap());
    for (name, text) in [("first.csv", "a,b\n1,2\n"), ("second.csv", "n\n1\n2\n")] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap();
    path.display().to_string()
}

#[test]
fn sql_steps_run_before_output() {
    let room = Room::new(&[("people.csv", PEOPLE)]);
    let query = "SELECT name FROM data WHERE id > 1 ORDER BY id";
    let run = room.run(&["convert", "people.csv", "--to", "csv", "--sql", query]).expect(0);
    assert_eq!(run.text(), "name\n\"Żak, Bob\"\nZoë\n");
    let run = room.run(&["inspect", "--json", "people.csv", "--sql", "SELECT nam FROM data"]);
    let report = &run.expect(1).reports()[0];
    let last = report["issues"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["stage"], &last["code"]), (&json!("transform"), &json!("unknown_column")));
}

#[test]
fn sql_joins_files_and_tells_clashing_names_apart() {
    let towns = r#"[{"zip": "00501", "town": "Holtsville"}, {"zip": "02134", "town": "Allston"}]"#;
    let room = Room::new(&[("people.csv", PEOPLE), ("towns.json", towns)]);
    let query = "SELECT name, town FROM people JOIN towns ON people.zip = towns.zip ORDER BY name";
    let run = room.run(&["sql", query, "people.csv", "towns.json"]).expect(0);
    assert_eq!(run.text(), "name,town\nAnn,Holtsville\nZoë,Allston\n");
    fs::write(room.path("people.json"), "[{\"id\": 9}]").unwrap();
    let query = "SELECT (SELECT max(id) FROM \"people (2)\") AS second, count(*) AS n FROM data";
    let arguments = ["sql", query, "people.csv", "people.json", "--to", "ndjson"];
    let run = room.run(&arguments).expect(0);
    assert_eq!(run.reports()[0], json!({"second": 9, "n": 3}));
    let run = room.run(&["sql", query, "people.csv", "people.json", "--out", "r.parquet"]);
    run.expect(0);
    room.run(&["inspect", "r.parquet"]).expect(0);
}

#[test]
fn sql_says_what_is_wrong() {
    let room = Room::new(&[("people.csv", PEOPLE), ("empty.csv", "")]);
    let run = room.run(&["sql", "SELECT * FROM peeple", "people.csv"]).expect(1);
    assert!(run.err.starts_with("error[unknown_table]: "), "{}", run.err);
    assert!(
        run.err.contains("\n 1 | SELECT * FROM peeple\n   |               ^^^^^^\n"),
        "{}",
        run.err
    );
    let run = room.run(&["sql", "DROP TABLE people", "people.csv"]).expect(1);
    assert!(run.err.starts_with("error["), "{}", run.err);
    // Every bad file is told about, not only the first.
    let run = room.run(&["sql", "SELECT 1 AS a", "empty.csv", "missing.csv"]).expect(1);
    assert!(run.err.contains("error[empty]") && run.err.contains("error[io]"), "{}", run.err);
    assert_eq!(run.text(), "");
}

#[test]
fn an_unknown_option_is_a_warning_that_names_the_nearest() {
    let room = Room::new(&[("people.csv", PEOPLE)]);
    let run = room.run(&["inspect", "people.csv", "-o", "hedaer=0"]).expect(0);
    assert!(run.err.starts_with("warning[unknown_option]: unknown option"), "{}", run.err);
    assert!(run.err.contains("hint: did you mean header"), "{}", run.err);
    assert!(!run.text().contains("warning"));
}

#[test]
fn bad_option_values_are_told_all_at_once() {
    let room = Room::new(&[("people.csv", PEOPLE)]);
    let bad = ["-o", "quoting=9", "-o", "nrows", "-o", "encoding=klingon", "--type", "exe"];
    let run = room.run(&[&["inspect", "people.csv"], &bad[..]].concat()).expect(2);
    let lines: Vec<&str> = run.err.lines().collect();
    assert_eq!(lines.len(), 4, "{}", run.err);
    assert_eq!(lines[0], "error: -o quoting: got 9, expected 0 to 3");
    assert!(lines[1].starts_with("error: -o nrows: "), "{}", lines[1]);
    assert_eq!(run.text(), "");
}

#[test]
fn a_bad_row_is_shown_with_line_caret_and_hint() {
    let text = "v,w\n1,2\n2,3\n3,4\n4,5\n5,6\n6,7\nx1,2\n";
    let room = Room::new(&[("data.csv", text)]);
    let run = room.run(&["inspect", "data.csv", "-o", "dtype={\"v\": \"int64\"}"]).expect(1);
    let place = text.find("x1").unwrap();
    assert!(run.err.starts_with("error[bad_value]: row 7 of column \"v\": got "), "{}", run.err);
    let lines: Vec<&str> = run.err.lines().collect();
    assert_eq!(
        lines[1..5],
        [&format!("  --> data.csv:8 (byte {place})"), "   |", " 8 | x1,2", "   | ^^"]
    );
    assert!(lines[5].starts_with("   = hint: "), "{}", run.err);
    assert_eq!(lines.len(), 6);
}

#[test]
fn warnings_come_after_the_summary_and_not_all_of_them() {
    let text = "a,b\n".to_owned() + &"1,2\n1\n".repeat(50);
    let room = Room::new(&[("short.csv", &text)]);
    let run = room.run(&["inspect", "short.csv"]).expect(0);
    assert_eq!(run.err.matches("warning[short_row]").count(), 10, "{}", run.err);
    assert!(run.err.ends_with("… and 40 more (see inspect --json)\n"), "{}", run.err);
    assert!(run.text().contains("short: 100 rows, 2 columns"));
}

#[test]
fn a_closed_pipe_is_no_error() {
    let text = "a,b\n".to_owned() + &"123456789,text that fills the pipe\n".repeat(50_000);
    let room = Room::new(&[("long.csv", &text)]);
    for arguments in [
        ["convert", "long.csv", "--to", "csv"],
        ["convert", "long.csv", "--to", "ndjson"],
        ["convert", "long.csv", "--to", "parquet"],
        ["sql", "SELECT * FROM long", "long.csv", "--to=json"],
    ] {
        let mut command = room.command(&arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut first = [0; 4];
        let mut out = child.stdout.take().unwrap();
        out.read_exact(&mut first).unwrap();
        drop(out);
        let output = child.wait_with_output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), err.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn no_half_file_is_left_behind() {
    let room = Room::new(&[("bad.csv", "v\n1\nx\n"), ("out.csv", "old\n")]);
    let dtype = "dtype={\"v\": \"int64\"}";
    room.run(&["convert", "bad.csv", "--out", "out.csv", "-o", dtype]).expect(1);
    room.run(&["convert", "bad.csv", "--out", "new.json", "-o", dtype]).expect(1);
    assert_eq!(room.read("out.csv"), "old\n");
    assert_eq!(room.names(), ["bad.csv", "out.csv"]);
    // A file may be converted onto itself.
    room.run(&["convert", "out.csv", "--out", "out.csv"]).expect(0);
    assert_eq!(room.names(), ["bad.csv", "out.csv"]);
    let run = room.run(&["convert", "out.csv", "--out", "no/such/folder.csv"]).expect(1);
    assert!(run.err.starts_with("error: cannot write no/such/folder.csv: "), "{}", run.err);
}

#[cfg(unix)]
#[test]
fn a_written_file_is_an_ordinary_one() {
    use std::os::unix::fs::PermissionsExt;
    let room = Room::new(&[("a.csv", "v\n1\n"), ("beside.csv", "")]);
    let mode = |name: &str| fs::metadata(room.path(name)).unwrap().permissions().mode() & 0o777;
    room.run(&["convert", "a.csv", "--out", "new.json"]).expect(0);
    assert_eq!(mode("new.json"), mode("beside.csv"));
    // An old file keeps its permissions, and a link keeps pointing at it.
    fs::set_permissions(room.path("beside.csv"), fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink("beside.csv", room.path("link.csv")).unwrap();
    room.run(&["convert", "a.csv", "--out", "link.csv"]).expect(0);
    assert_eq!((mode("beside.csv"), room.read("beside.csv").as_str()), (0o640, "v\n1\n"));
    assert!(fs::symlink_metadata(room.path("link.csv")).unwrap().is_symlink());
    room.run(&["convert", "a.csv", "--to", "csv", "--out", "/dev/null"]).expect(0);
}

#[test]
fn file_text_cannot_steer_the_terminal() {
    let text = r#"[{"\u001b[31mname": "\u001b]0;title\u0007"}, {"\u001b[31mname": "a\u202eb"}]"#;
    let room = Room::new(&[("a.json", text)]);
    let run = room.run(&["inspect", "a.json"]).expect(0);
    let all = run.text().to_owned() + &run.err;
    let harmless = |c: char| c == '\n' || !c.is_control() && c != '\u{202e}';
    assert!(all.chars().all(harmless), "{all:?}");
    assert!(run.text().contains("\\u{1b}[31mname"));
}

#[test]
fn hostile_files_cost_an_error() {
    let room = Room::new(&[]);
    for name in ["two_far_cells.xlsx", "bomb.zip", "deep_nesting.json", "truncated.csv.gz"] {
        let run = room.run(&["inspect", "--json", &fixture(&format!("broken/{name}"))]);
        let report = &run.expect(1).reports()[0];
        assert_eq!(report["is_valid"], false, "{name}");
    }
}

//! What `inspect` says of files whose values it does not read, and of damage in the first rows.

use std::fs;

use arrow::array::{ArrayRef, DictionaryArray, RecordBatch};
use arrow::datatypes::Int32Type;
use arrow::ipc::writer::StreamWriter;

use super::PEOPLE;
use super::room::{Room, fixture};

const METADATA_ONLY: &str = "metadata and first rows only; --verify reads everything\n";

#[test]
fn damage_in_the_first_rows_is_an_issue_of_its_file() {
    let room = Room::new(&[("people.csv", PEOPLE)]);
    fs::copy(fixture("broken/bad_page.parquet"), room.path("bad.parquet")).unwrap();
    for isolate in [&[][..], &["--isolate"][..]] {
        let arguments = [&["inspect", "bad.parquet", "people.csv"], isolate].concat();
        let run = room.run(&arguments).expect(1);
        assert!(!run.err.contains("standard output"), "{}", run.err);
        assert!(run.err.starts_with("error[corrupt]: "), "{}", run.err);
        assert!(run.err.contains("bad.parquet"), "{}", run.err);
        assert!(run.text().contains("people.csv: csv"), "{}", run.text());
        assert!(run.text().contains("Żak, Bob"), "{}", run.text());
    }
    let run = room.run(&["inspect", "bad.parquet"]).expect(1);
    assert!(run.text().ends_with("  the first rows cannot be read\n"), "{}", run.text());
}

#[test]
fn what_was_not_read_is_said() {
    let room = Room::new(&[("people.csv", PEOPLE)]);
    for format in ["parquet", "orc", "arrow", "arrow-stream"] {
        let name = match format {
            // Nothing here writes ORC.
            "orc" => {
                let file = fs::read_dir(fixture("orc")).unwrap();
                let mut files: Vec<_> = file.map(|entry| entry.unwrap().path()).collect();
                files.sort();
                let is_orc =
                    |path: &&std::path::PathBuf| path.extension().is_some_and(|e| e == "orc");
                fs::copy(files.iter().find(is_orc).unwrap(), room.path("t.orc")).unwrap();
                "t.orc".to_owned()
            }
            format => {
                let name = format!("t.{format}");
                room.run(&["convert", "people.csv", "--to", format, "--out", &name]).expect(0);
                name
            }
        };
        let run = room.run(&["inspect", &name]).expect(0);
        assert_eq!(run.text().matches(METADATA_ONLY).count(), 1, "{}", run.text());
        let run = room.run(&["inspect", "--verify", &name]).expect(0);
        assert!(!run.text().contains("metadata"), "{}", run.text());
        for isolate in [&[][..], &["--isolate"][..]] {
            let run = room.run(&[&["inspect", "--json", &name], isolate].concat()).expect(0);
            assert_eq!(run.reports()[0]["file"]["read"], "metadata", "{name}");
            let verified = [&["inspect", "--json", "--verify", &name], isolate].concat();
            let run = room.run(&verified).expect(0);
            assert!(run.reports()[0]["file"].get("read").is_none(), "{name}");
        }
        let query = ["inspect", "--json", &name, "--sql", "SELECT 1 AS one"];
        assert!(room.run(&query).expect(0).reports()[0]["file"].get("read").is_none());
    }
    let run = room.run(&["inspect", "people.csv"]).expect(0);
    assert!(!run.text().contains("metadata"), "{}", run.text());
}

#[test]
fn a_table_whose_dictionaries_differ_goes_to_a_file_as_to_a_stream() {
    let room = Room::new(&[]);
    let batch = |texts: [&str; 2]| {
        let keys: DictionaryArray<Int32Type> = texts.into_iter().collect();
        RecordBatch::try_from_iter([("k", std::sync::Arc::new(keys) as ArrayRef)]).unwrap()
    };
    let batches = [batch(["a", "b"]), batch(["c", "d"])];
    let out = fs::File::create(room.path("t.arrows")).unwrap();
    let mut writer = StreamWriter::try_new(out, &batches[0].schema()).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.finish().unwrap();
    for (to, name) in [("arrow", "t.arrow"), ("arrow-stream", "u.arrows")] {
        room.run(&["convert", "t.arrows", "--to", to, "--out", name]).expect(0);
        let run = room.run(&["convert", name, "--to", "csv"]).expect(0);
        assert_eq!(run.out, b"k\na\nb\nc\nd\n");
    }
}

//! Damaged files on the command line: what is whole can be had, by those who ask for it.

use super::room::{Room, fixture};

#[test]
fn inspect_shows_what_is_whole() {
    let room = Room::new(&[]);
    let run = room.run(&["inspect", &fixture("broken/cut.tar")]).expect(1);
    assert!(
        run.text().contains("\nfirst: 20 rows") && run.text().contains("\nsecond: 5 rows"),
        "{}",
        run.text()
    );
    assert!(run.err.contains("error[truncated]"), "{}", run.err);
}

#[test]
fn convert_writes_what_is_whole_when_asked() {
    let room = Room::new(&[]);
    let file = fixture("broken/cut_long.csv.gz");
    let run = room.run(&["convert", &file, "--out", "out.csv"]).expect(1);
    assert!(run.err.ends_with("rows came out nevertheless: --salvage takes them\n"), "{}", run.err);
    assert_eq!(room.names(), Vec::<String>::new());
    let run = room.run(&["convert", &file, "--out", "out.csv", "--salvage"]).expect(1);
    assert!(run.err.starts_with("error[truncated]"), "{}", run.err);
    let salvaged = room.read("out.csv");
    assert!(salvaged.lines().count() > 100 && salvaged.ends_with('\n'));
    // A worker's tables are no other.
    room.run(&["convert", &file, "--out", "apart.csv", "--salvage", "--isolate"]).expect(1);
    assert_eq!(room.read("apart.csv"), salvaged);
    // Where nothing is whole there is nothing to write.
    let flipped = fixture("broken/flipped.csv.bz2");
    let run = room.run(&["convert", &flipped, "--to", "csv", "--salvage"]).expect(1);
    assert_eq!(run.text(), "");
}

#[test]
fn sql_asks_what_is_whole_when_asked() {
    let room = Room::new(&[("sound.csv", "n\n1\n2\n")]);
    let file = fixture("broken/one_bad_parquet.zip");
    let query = "SELECT (SELECT count(*) FROM good) AS good, (SELECT sum(n) FROM sound) AS sum";
    let run = room.run(&["sql", query, &file, "sound.csv"]).expect(1);
    assert_eq!(run.text(), "");
    let run = room.run(&["sql", query, &file, "sound.csv", "--salvage"]).expect(1);
    assert_eq!(run.text(), "good,sum\n20,3\n");
    room.run(&["sql", "SELECT 1", "sound.csv", "--salvage"]).expect(0);
    // A file of which nothing is whole does not keep the others from being asked.
    let none = fixture("broken/flipped.csv.bz2");
    let query = "SELECT sum(n) AS sum FROM sound";
    let run = room.run(&["sql", query, &none, "sound.csv", "--salvage"]).expect(1);
    assert_eq!(run.text(), "sum\n3\n");
    assert_eq!(room.run(&["sql", query, &none, "sound.csv"]).expect(1).text(), "");
}

#[test]
fn rejects_are_neither_the_input_nor_the_output() {
    let text = "a,b\n1\n";
    let room = Room::new(&[("in.csv", text)]);
    let run = room.run(&["inspect", "in.csv", "--rejects", "./in.csv"]).expect(2);
    assert!(run.err.contains("the file to be read"), "{}", run.err);
    assert_eq!(room.read("in.csv"), text);
    room.run(&["convert", "in.csv", "--rejects", "out.csv", "--out", "out.csv"]).expect(2);
    assert_eq!(room.names(), ["in.csv"]);
}

#[test]
fn a_text_under_the_name_of_a_binary_format_is_told() {
    let room = Room::new(&[("data.parquet", "version https://example.org/spec\noid 12\nsize 3\n")]);
    let run = room.run(&["inspect", "data.parquet"]).expect(0);
    assert!(run.err.contains("the name ends in .parquet, but the bytes are csv"), "{}", run.err);
    let run = room.run(&["inspect", "data.parquet", "--type", "csv"]).expect(0);
    assert!(!run.err.contains("the name ends in"), "{}", run.err);
}

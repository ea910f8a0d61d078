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
}

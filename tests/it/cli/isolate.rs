//! `--isolate` and `--limit`.

use super::PEOPLE;
use super::room::{Room, fixture};

#[test]
fn isolated_verbs_say_and_write_the_same() {
    let room =
        Room::new(&[("people.csv", PEOPLE), ("empty.csv", ""), ("towns.csv", "id,t\n1,U\n")]);
    let orders = fixture("matrix/orders.xlsx");
    let join = "SELECT name, t FROM people JOIN towns ON people.id = towns.id";
    let bad = "SELECT nam FROM people";
    let runs: &[&[&str]] = &[
        &["inspect", "people.csv", "empty.csv", &orders],
        &["inspect", "missing.csv"],
        &["inspect", "people.csv", "-o", "hedaer=1"],
        &["inspect", "people.csv", "--sql", bad],
        &["convert", "people.csv", "--to", "ndjson"],
        &["convert", "people.csv", "--to", "csv", "--text"],
        &["convert", &orders, "--to", "csv"],
        &["sql", join, "people.csv", "towns.csv"],
        &["sql", bad, "people.csv"],
    ];
    for arguments in runs {
        let plain = room.run(arguments);
        let isolated = room.run(&[arguments, &["--isolate"][..]].concat());
        assert_eq!(isolated.text(), plain.text(), "{arguments:?}");
        assert_eq!((isolated.err, isolated.status), (plain.err, plain.status), "{arguments:?}");
    }
    let plain = room.run_with_input(&["inspect", "-"], PEOPLE.as_bytes());
    let isolated = room.run_with_input(&["inspect", "-", "--isolate"], PEOPLE.as_bytes());
    assert_eq!(isolated.text(), plain.text());
    // Rejects are written by whoever reads.
    let ragged = Room::new(&[("r.csv", "a,b\n1,2\n3\n4,5\n")]);
    for more in [&[][..], &["--isolate"]] {
        ragged.run(&[&["inspect", "r.csv", "--rejects", "rejects.csv"], more].concat());
        assert_eq!(ragged.read("rejects.csv").lines().count(), 2, "{more:?}");
    }
}

#[test]
fn a_limit_is_set_and_named() {
    let room = Room::new(&[("people.csv", PEOPLE)]);
    for more in [&[][..], &["--isolate"]] {
        let run = room.run(&[&["inspect", "people.csv", "--limit", "rows=2"], more].concat());
        let run = run.expect(1);
        let hint = "hint: the limit is `rows`; raise it with --limit rows=VALUE";
        assert!(run.err.contains(hint), "{}", run.err);
        room.run(&[&["inspect", "people.csv", "--limit", "rows=3"], more].concat()).expect(0);
    }
    let wrong = room.run(&["inspect", "people.csv", "--limit", "rowz=2", "--limit", "time=soon"]);
    let wrong = wrong.expect(2);
    assert!(wrong.err.contains("did you mean rows?"), "{}", wrong.err);
    assert!(wrong.err.contains("time: got soon, expected seconds"), "{}", wrong.err);
    let run = room.run(&["inspect", "people.csv", "--isolate", "--limit", "memory_bytes=1MiB"]);
    assert!(run.expect(1).err.contains("--limit memory_bytes=VALUE"));
    room.run(&["worker"]).expect(1);
}

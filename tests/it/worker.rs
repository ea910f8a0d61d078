//! Workers: what they give is what reading here gives, and however one ends, its parent goes on.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use arrow::array::ArrayRef;
use arrow::datatypes::SchemaRef;
use tablemill::{
    Error, ErrorKind, Ingest, Limits, Options, Report, Result, Source, Stage, Table, Worker, ingest,
};
use tempfile::TempDir;

use super::boundaries::{files, fixtures};

const PROGRAM: &str = env!("CARGO_BIN_EXE_tablemill");

fn report(result: &Result<Ingest>) -> Report {
    let report = match result {
        Ok(read) => read.report.clone(),
        Err(error) => error.report().unwrap().clone(),
    };
    Report { timings: Default::default(), ..report }
}

#[test]
fn a_worker_gives_the_same_for_every_fixture() {
    tablemill::quiet_guarded_panics();
    let (worker, options) = (Worker::new(PROGRAM), Options::default());
    let limits = Limits { issues: 50, ..Limits::default() };
    let files = files(&fixtures());
    assert!(files.len() > 300);
    let compare = |files: &[PathBuf]| {
        let mut wrong = Vec::new();
        for file in files {
            let here = ingest(Source::path(file), &options, &limits);
            let apart = worker.ingest(Source::path(file), &options, &limits);
            let tables = |read: &Result<Ingest>| match read {
                Ok(read) => Ok(read.tables.iter().map(rows).collect::<Vec<_>>()),
                Err(error) => Err(Box::new((error.kind(), error.issue().clone()))),
            };
            if report(&apart) != report(&here) || tables(&apart) != tables(&here) {
                let [apart, here] = [&apart, &here].map(report);
                wrong.push(format!("{}:\n  {apart:?}\n  {here:?}", file.display()));
            }
        }
        wrong
    };
    let wrong = std::thread::scope(|scope| {
        let (first, second) = files.split_at(files.len() / 2);
        let first = scope.spawn(|| compare(first));
        let second = compare(second);
        [first.join().unwrap(), second].concat()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A table's name, schema and arrays.
fn rows(table: &Table) -> (String, SchemaRef, Vec<Vec<ArrayRef>>) {
    let batches = table.batches().iter().map(|batch| batch.columns().to_vec()).collect();
    (table.name().to_owned(), table.schema().clone(), batches)
}

/// A program of this text, which knows the folder of its work as `$TMPDIR`.
fn script(folder: &Path, text: &str) -> PathBuf {
    let script = folder.join("worker");
    std::fs::write(&script, format!("#!/bin/sh\nPATH=/usr/bin:/bin\n{text}\n")).unwrap();
    std::fs::set_permissions(&script, PermissionsExt::from_mode(0o755)).unwrap();
    script
}

/// The program, told to go wrong where the file is called `bomb`.
pub struct Bomb {
    _folder: TempDir,
    pub worker: Worker,
    pub left: TempDir,
}

impl Bomb {
    pub fn that(how: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = format!("TABLEMILL_WORKER_TEST={how} exec {PROGRAM} \"$@\"");
        let script = script(folder.path(), &text);
        let left = tempfile::tempdir().unwrap();
        let worker = Worker::new(script).in_folder(left.path());
        Bomb { _folder: folder, worker, left }
    }

    fn read(&self, name: &str, limits: &Limits) -> Result<Ingest> {
        self.worker.ingest(Source::bytes("a\n1\n").named(name), &Options::default(), limits)
    }

    /// The error, after which nothing is left behind and the next file is read.
    fn goes_off(&self, limits: &Limits) -> Error {
        let error = self.read("bomb", limits).unwrap_err();
        let report = error.report().unwrap();
        assert!(!report.is_valid);
        assert_eq!((report.file.name.as_str(), report.file.bytes), ("bomb", 4));
        assert_eq!(&report.issues, &[error.issue().clone()]);
        assert_eq!(std::fs::read_dir(self.left.path()).unwrap().count(), 0);
        assert_eq!(self.read("good", &Limits::default()).unwrap().tables[0].num_rows(), 1);
        error
    }
}

#[test]
fn however_a_worker_ends_the_error_says_it() {
    let limits = Limits::default();
    let error = Bomb::that("abort").goes_off(&limits);
    assert_eq!((error.kind(), error.issue().stage), (ErrorKind::Corrupt, Stage::Parse));
    assert!(error.issue().message.contains("signal 6"), "{error}");

    let error = Bomb::that("overflow").goes_off(&limits);
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert_eq!(error.issue().message, "the reader ran out of stack on this file");

    let error = Bomb::that("panic").goes_off(&limits);
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.issue().message.contains("status 101"), "{error}");

    // An allocation that fails, and memory that fills.
    for how in ["allocate", "hoard"] {
        let limits = Limits { memory_bytes: 100 << 20, ..Limits::default() };
        let error = Bomb::that(how).goes_off(&limits);
        assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{how}");
        assert_eq!(error.issue().limit_name(), Some("memory_bytes"), "{how}");
        assert_eq!(error.issue().message, "the file takes more than 100 MiB of memory", "{how}");
    }

    let limits = Limits { time: Duration::from_secs(1), ..Limits::default() };
    let start = Instant::now();
    let error = Bomb::that("spin").goes_off(&limits);
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    assert_eq!(error.issue().limit_name(), Some("time"));
    assert_eq!(error.issue().message, "the file took more than 1 s");
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
fn what_is_no_fault_of_the_file_is_an_io_error() {
    let read = |worker: Worker| {
        let limits = Limits::default();
        worker.ingest(Source::bytes("a\n1\n"), &Options::default(), &limits).unwrap_err()
    };
    assert_eq!(read(Worker::new("/nowhere/tablemill")).kind(), ErrorKind::Io);
    assert_eq!(read(Worker::new(PROGRAM).in_folder("/nowhere")).kind(), ErrorKind::Io);
    // A program that is no worker.
    assert_eq!(read(Worker::new("/bin/true")).kind(), ErrorKind::Io);
    let missing =
        Worker::new(PROGRAM).ingest("missing.csv", &Options::default(), &Limits::default());
    let here = ingest("missing.csv", &Options::default(), &Limits::default());
    assert_eq!(missing.unwrap_err().issue(), here.unwrap_err().issue());
}

#[test]
fn a_worker_ends_with_its_parent() {
    let folder = tempfile::tempdir().unwrap();
    let work = folder.path().join("work");
    std::fs::create_dir(&work).unwrap();
    let request = serde_json::json!({
        "folder": {"Unix": work.as_os_str().as_encoded_bytes()},
        "limits": Limits::default(),
        "task": {"Query": {"tables": [], "sql": "SELECT 1"}},
    });
    let mut child = std::process::Command::new(PROGRAM)
        .arg("worker")
        .env("TABLEMILL_WORKER_TEST", "spin")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut input, format!("{request}\n").as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(500));
    assert!(child.try_wait().unwrap().is_none(), "it works");
    drop(input);
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        assert!(start.elapsed() < Duration::from_secs(20), "it goes on without a parent");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(!Path::new(&work).exists(), "its folder goes with it");
}

#[test]
fn heads_and_queries() {
    let worker = Worker::new(PROGRAM);
    let source = || Source::bytes("a,b\n1,x\n,y\n3,z\n").named("t.csv");
    let (options, limits) = (Options::default(), Limits::default());
    let head = worker.ingest_head(source(), &options, &limits, 2).unwrap();
    assert_eq!(head.tables[0].num_rows(), 3);
    assert_eq!(head.tables[0].slice(0, 9).unwrap().num_rows(), 2);
    assert_eq!(head.tables[0].report(), head.report.tables[0]);
    assert!(worker.ingest_head(source(), &options, &limits, 0).unwrap().tables.is_empty());
    let tables = worker.ingest(source(), &options, &limits).unwrap().tables;
    let found = worker.query(&tables, "SELECT sum(a) AS s FROM t", &limits).unwrap();
    let here = tablemill::query(tables.clone(), "SELECT sum(a) AS s FROM t", &limits).unwrap();
    assert_eq!(found.batches(), here.batches());
    let wrong = worker.query(&tables, "SELECT nope FROM t", &limits).unwrap_err();
    assert_eq!(wrong.kind(), ErrorKind::Sql);
}

#[test]
fn a_worker_knows_little_of_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let seen = folder.path().join("seen");
    let text = format!("cat /proc/$$/environ > {}\nexec {PROGRAM} \"$@\"", seen.display());
    let worker = Worker::new(script(folder.path(), &text));
    worker.ingest(Source::bytes("a\n1\n"), &Options::default(), &Limits::default()).unwrap();
    let seen = std::fs::read_to_string(seen).unwrap();
    let names: Vec<&str> =
        seen.split('\0').filter_map(|pair| Some(pair.split_once('=')?.0)).collect();
    assert!(names.contains(&"TMPDIR"), "{names:?}");
    // What starts the tests tells them this.
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    let known = ["TMPDIR", "TMP", "TEMP", "LANG", "LC_ALL", "TZ", "RUST_BACKTRACE"];
    let is_known = |name: &&str| {
        known.contains(name) || name.starts_with("MIMALLOC_") || name.ends_with("LIBRARY_PATH")
    };
    assert!(names.iter().all(is_known), "{names:?}");
}

#[test]
fn what_a_worker_wrote_is_read_as_a_strangers() {
    let work = format!("{PROGRAM} \"$@\"; cd $TMPDIR");
    let cases = [
        ("mkfifo $TMPDIR/answer.json".to_owned(), "answer.json cannot be used"),
        ("ln -s /etc/passwd $TMPDIR/answer.json".to_owned(), "answer.json cannot be used"),
        ("mkdir $TMPDIR/answer.json".to_owned(), "no regular file"),
        ("echo '{' > $TMPDIR/answer.json".to_owned(), "answer.json cannot be used"),
        ("truncate -s 65M $TMPDIR/answer.json".to_owned(), "65 MiB, allowed are 64 MiB"),
        (format!("{work}; mv 0.arrow x; ln -s x 0.arrow"), "0.arrow cannot be used"),
        (format!("{work}; rm 0.arrow; mkfifo 0.arrow"), "no regular file"),
        (format!("{work}; truncate -s 1P 0.arrow || truncate -s 1T 0.arrow"), "allowed are"),
        (format!("{work}; echo ARROW1 > 0.arrow"), "cut off"),
        (format!("{work}; echo something else >> 0.arrow"), "bytes follow"),
        (
            format!(
                "{work}; sed -i 's/\"tables\":\\[\"[a-z]*\"\\]}}$/\"tables\":[]}}/' answer.json"
            ),
            "names 0 tables, expected 1",
        ),
    ];
    for (text, expected) in cases {
        let folder = tempfile::tempdir().unwrap();
        let worker = Worker::new(script(folder.path(), &text)).in_folder(folder.path());
        let limits = Limits { time: Duration::from_secs(20), ..Limits::default() };
        let start = Instant::now();
        let source = Source::bytes("a\n1\n").named("t.csv");
        let error = worker.ingest(source, &Options::default(), &limits).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{text}: {error}");
        assert!(error.issue().message.contains(expected), "{text}: {error}");
        assert!(start.elapsed() < Duration::from_secs(15), "{text}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "{text}");
    }
}

#[test]
fn a_worker_that_lingers_holds_up_nobody() {
    let limits = Limits { time: Duration::from_secs(2), ..Limits::default() };
    let names: Vec<String> = (0..20_000).map(|n| format!("column {n}")).collect();
    let mut large = Options::default();
    large.parser.set("names", &serde_json::json!(names)).unwrap();
    let started = tempfile::tempdir().unwrap();
    let number = started.path().join("number");
    let cases = [
        // It never reads its request.
        ("exec sleep 300".to_owned(), &large, ErrorKind::LimitExceeded),
        // It leaves a process that holds all its outputs, in its group and in one of its own.
        (format!("sleep 300 & echo $! > {}; exit 3", number.display()), &large, ErrorKind::Corrupt),
        ("setsid sleep 6 & exit 3".to_owned(), &large, ErrorKind::Corrupt),
        ("echo word >&2; yes; exit 3".to_owned(), &large, ErrorKind::LimitExceeded),
    ];
    for (text, options, expected) in cases {
        let folder = tempfile::tempdir().unwrap();
        let worker = Worker::new(script(folder.path(), &text)).in_folder(folder.path());
        let start = Instant::now();
        let error = worker.ingest(Source::bytes("a\n1\n"), options, &limits).unwrap_err();
        assert_eq!(error.kind(), expected, "{text}: {error}");
        assert!(start.elapsed() < Duration::from_secs(5), "{text}: {:?}", start.elapsed());
    }
    let number = std::fs::read_to_string(number).unwrap();
    let status = std::fs::read_to_string(format!("/proc/{}/stat", number.trim()));
    // Gone, or dead and not yet taken note of.
    assert!(status.is_err() || status.unwrap().contains(") Z "), "it went with its group");
}

#[test]
fn options_are_the_same_in_a_worker() {
    let limits = Limits::default();
    let worker = Worker::new(PROGRAM);
    let steps = serde_json::json!([
        {"sql": "SELECT a, count(*) AS n FROM t GROUP BY a ORDER BY a", "name": "counts"},
    ]);
    let transforms = tablemill::Transforms::from_json(&steps).unwrap();
    let given = [
        serde_json::json!({"sep": ";", "header": null, "names": ["a", "b"], "skiprows": 1}),
        serde_json::json!({"sep": ";", "dtype": {"a": "str"}, "nrows": 2, "usecols": ["a"]}),
        serde_json::json!({"sep": ";", "na_values": {"a": ["1"]}, "quotechar": "", "hedaer": 1}),
        serde_json::json!({"sep": ";", "decimal": ",", "on_bad_lines": "skip", "skipfooter": 1}),
    ];
    for given in given {
        for (transforms, leave_rows) in
            [(tablemill::Transforms::default(), true), (transforms.clone(), false)]
        {
            let mut options = Options { transforms, leave_rows, ..Options::default() };
            for (name, value) in given.as_object().unwrap() {
                options.parser.set(name, value).unwrap();
            }
            let source = || Source::bytes("a;b\n1;'x'\n2;1,5\n1;z;y\n3;\n").named("t.csv");
            let apart = worker.ingest(source(), &options, &limits);
            let here = ingest(source(), &options, &limits);
            assert_eq!(report(&apart), report(&here), "{given}");
            if let (Ok(apart), Ok(here)) = (&apart, &here) {
                let tables = |read: &Ingest| read.tables.iter().map(rows).collect::<Vec<_>>();
                assert_eq!(tables(apart), tables(here), "{given}");
            }
        }
    }
    let folders = ["parquet", "orc", "arrow"].map(|name| fixtures().join(name));
    for file in folders.iter().flat_map(|folder| files(folder)) {
        for verify in [false, true] {
            let options = Options { leave_rows: true, verify, ..Options::default() };
            let apart = worker.ingest_head(Source::path(&file), &options, &limits, 3);
            let here = ingest(Source::path(&file), &options, &limits);
            assert_eq!(report(&apart), report(&here), "{}", file.display());
        }
    }
}

/// A file that grows is longer than the text in it, for which the system's bound leaves room.
#[test]
fn small_limits_leave_room_for_a_growing_file() {
    let limits = Limits {
        spool_bytes: 1 << 10,
        inflated_bytes: 4 << 20,
        input_bytes: 4 << 20,
        ..Limits::default()
    };
    let source = || Source::path(fixtures().join("archives/multi_member.csv.gz"));
    let read = Worker::new(PROGRAM).ingest(source(), &Options::default(), &limits).unwrap();
    let here = ingest(source(), &Options::default(), &limits).unwrap();
    assert_eq!(read.tables[0].num_rows(), here.tables[0].num_rows());
}

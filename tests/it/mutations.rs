//! Every fixture, damaged 200 times by seeds: no panic of ours, no abort, nothing over 512 MiB of
//! memory, nothing over 5 s; what comes out is valid, and what is refused is refused with a word.
//!
//! `TABLEMILL_MUTATIONS=5000` tries more of them. `TABLEMILL_MUTATION=csv/orders.csv:17` runs one
//! alone (with `mutations::one`), and leaves its bytes beside the test binary.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Seek};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use arrow::array::{Array, RecordBatch};
use tablemill::boundary::{Choices, damage_inside};
use tablemill::{Ingest, Limits, Options, Parallelism, Report, Source, ingest};

use super::boundaries::{files, fixtures};
use super::memory;

const EACH: u64 = 200;
const MOST_MEMORY: usize = 512 << 20;
const MOST_SECONDS: f64 = 5.0;
/// Longer than any mutation may take, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(90);
/// Where a child finds what it has to do: the folder, the fixture, the first seed.
const TASK: &str = "TABLEMILL_MUTATION_TASK";

fn limits() -> Limits {
    Limits {
        inflated_bytes: 64 << 20,
        ratio_free_bytes: 8 << 20,
        sheet_cells: 2_000_000,
        ..Limits::default()
    }
}

/// So many bytes from a seed, always the same.
pub fn random_bytes(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed;
    let mut number = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    };
    (0..count.div_ceil(8)).flat_map(|_| number().to_le_bytes()).take(count).collect()
}

/// A seed of a text, the same with every compiler.
pub fn seed_of(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

struct Fixture {
    /// With its folder, as in `csv/orders.csv`.
    name: String,
    bytes: Vec<u8>,
}

fn all() -> Vec<Fixture> {
    let read = |path: PathBuf| Fixture {
        name: path.strip_prefix(fixtures()).unwrap().to_string_lossy().into_owned(),
        bytes: std::fs::read(&path).unwrap(),
    };
    files(&fixtures()).into_iter().map(read).collect()
}

fn damaged(fixture: &Fixture, seed: u64, all: &[Fixture]) -> Vec<u8> {
    let bytes = random_bytes(seed_of(&fixture.name).wrapping_add(seed), 512);
    let mut choices = Choices::new(&bytes);
    let donor = &all[choices.below(all.len())].bytes;
    damage_inside(&fixture.bytes, &mut choices, donor)
}

static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn note_panics() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map_or("nowhere".into(), ToString::to_string);
        let is_of_std = place.starts_with("/rustc/");
        let place = if is_of_std { format!("{place} for {}", std_caller()) } else { place };
        let text = info.payload_as_str().unwrap_or("no text");
        PANICS.lock().unwrap().push(format!("panic at {place}: {text}"));
    }));
}

/// The crate that called the standard library, where that panics (a sum that overflows has no other
/// place): the first frame behind the hook whose function or type is of another crate.
fn std_caller() -> String {
    let trace = std::backtrace::Backtrace::force_capture().to_string();
    let frames = trace.lines().filter_map(|line| line.trim_start().split_once(": "));
    let frames = frames.filter(|(number, _)| number.parse::<u32>().is_ok());
    // Of `<crate::Type as Trait>::function` the type; of `<i64 as core::Trait>::function` nothing.
    let mut names = frames.map(|(_, name)| {
        let name = name.trim_start_matches(['<', '&', '[', '(', '*']).trim_start_matches("dyn ");
        name.split([' ', '<', '>']).next().unwrap_or_default()
    });
    let is_other = |path: &str| {
        let of_std = ["std::", "core::", "alloc::", "__rustc::", "it::mutations::note_panics"];
        path.contains("::") && !of_std.iter().any(|of| path.starts_with(of))
    };
    names.find(|path| is_other(path)).map_or("nobody".into(), |path| {
        format!("crate {}", path.split("::").next().unwrap_or_default())
    })
}

/// Reads damaged bytes. An error is what must not be.
fn examine(name: &str, bytes: Vec<u8>, leave_rows: bool) -> Result<&'static str, String> {
    PANICS.lock().unwrap().clear();
    let options = Options {
        parallelism: Parallelism { threads: 2, chunk_bytes: 0 },
        leave_rows,
        ..Options::default()
    };
    let work = || {
        let source = Source::bytes(bytes).named(name);
        match ingest(source, &options, &limits()) {
            Ok(found) => check_tables(&found, leave_rows).map(|()| ("read", found.report)),
            Err(error) => {
                let kind = error.kind().as_str();
                if error.issue().message.is_empty() {
                    return Err(format!("an error of kind {kind} without a message"));
                }
                if matches!(kind, "io" | "bad_option" | "sql") {
                    return Err(format!("no option was given, but: {error}"));
                }
                let report = error.into_report().ok_or("an error without a report")?;
                Ok((kind, report))
            }
        }
    };
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
    let panics = PANICS.lock().unwrap().join("; ");
    let (kind, report) = match outcome {
        Ok(outcome) => outcome.map_err(|wrong| format!("{wrong}; {panics}"))?,
        Err(_) => return Err(format!("not guarded: {panics}")),
    };
    check_report(&report, kind)?;
    // Readers from other crates may panic under the guard; ours may not.
    let format = report.file.format.as_deref().unwrap_or_default();
    let is_others = matches!(format, "arrow" | "parquet" | "orc" | "xls" | "xlsb" | "ods");
    let may = |panic: &str| {
        let is_of_ours = ["for crate tablemill:", "for crate it:", "for nobody:"];
        let is_in_others =
            ["/registry/", "/vendor/", " for crate "].iter().any(|of| panic.contains(of))
                && !is_of_ours.iter().any(|ours| panic.contains(ours));
        // The first of several workbooks gave the format; ours does not call this crate.
        is_in_others && (is_others || panic.contains("/calamine-"))
    };
    let panics = PANICS.lock().unwrap();
    match panics.iter().find(|panic| !may(panic)) {
        Some(panic) => Err(format!("{format}: {panic}")),
        None => Ok(if panics.is_empty() { kind } else { "guarded" }),
    }
}

fn check_report(report: &Report, kind: &str) -> Result<(), String> {
    serde_json::to_string(report).map_err(|error| format!("the report is no JSON: {error}"))?;
    if let Some(issue) = report.issues.iter().find(|issue| issue.message.is_empty()) {
        return Err(format!("an issue without a message: {issue:?}"));
    }
    match report.is_valid && kind != "read" {
        true => Err("the report of an error says that the file is valid".into()),
        false => Ok(()),
    }
}

fn check_tables(found: &Ingest, leave_rows: bool) -> Result<(), String> {
    for (table, reported) in found.tables.iter().zip(&found.report.tables) {
        // As it goes to Python, which takes no NUL in names.
        arrow::ffi::FFI_ArrowSchema::try_from(table.schema().as_ref())
            .map_err(|error| format!("the schema cannot be handed on: {error}"))?;
        let mut rows = 0;
        let mut wrong = Ok(());
        let read = table.each_batch(&mut |batch| {
            rows += batch.num_rows() as u64;
            wrong = check_batch(batch, table.schema());
            Ok(wrong.is_ok())
        });
        wrong.map_err(|wrong| format!("table {:?}: {wrong}", table.name()))?;
        match read {
            // Where only the metadata was read damage may come to light later, but not in silence.
            Err(_) if leave_rows => continue,
            Err(error) => return Err(format!("batches in memory cannot be read: {error}")),
            Ok(()) => {}
        }
        if rows != reported.num_rows {
            return Err(format!("{rows} rows, the report says {}", reported.num_rows));
        }
    }
    match found.tables.len() == found.report.tables.len() {
        true => Ok(()),
        false => Err("the report has another number of tables".into()),
    }
}

fn check_batch(batch: &RecordBatch, schema: &arrow::datatypes::SchemaRef) -> Result<(), String> {
    if batch.schema_ref() != schema {
        let own = batch.schema();
        let fields = own.fields().iter().zip(schema.fields());
        let other = fields.into_iter().find(|(own, field)| own != field);
        return Err(format!(
            "a batch has a schema of its own, {} columns: {other:?}",
            own.fields().len()
        ));
    }
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(batch.schema(), batch.columns().to_vec(), &options)
        .map_err(|error| error.to_string())?;
    for (column, field) in batch.columns().iter().zip(schema.fields()) {
        column.to_data().validate_full().map_err(|error| format!("{field}: {error}"))?;
    }
    Ok(())
}

/// Seconds of processor time of this process, and the most memory it had since the last call, in
/// bytes. Zeros where the system does not tell.
fn usage() -> (f64, usize) {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: f64 = fields.skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = peak.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    (ticks / 100.0, kib.unwrap_or(0) << 10)
}

/// One mutation with its bounds.
fn attempt(fixture: &Fixture, seed: u64, all: &[Fixture]) -> Result<&'static str, String> {
    let bytes = damaged(fixture, seed, all);
    let (seconds_before, _) = usage();
    let before = memory::start();
    let name = fixture.name.rsplit('/').next().unwrap();
    let outcome = examine(name, bytes, seed % 4 == 3);
    let allocated = memory::peak().saturating_sub(before);
    let (seconds, resident) = usage();
    let memory = allocated.max(resident.saturating_sub(before));
    let outcome = outcome?;
    if memory > MOST_MEMORY {
        return Err(format!("{} MiB of memory", memory >> 20));
    }
    match seconds - seconds_before {
        seconds if seconds > MOST_SECONDS => Err(format!("{seconds:.1} s, {outcome}")),
        _ => Ok(outcome),
    }
}

/// What a child process does; nothing when it is run as a test.
#[test]
fn child() {
    let Ok(task) = std::env::var(TASK) else { return };
    let mut task = task.split('|');
    let mut next = || task.next().unwrap().to_owned();
    let (folder, first, mut seed) = (next(), next(), next().parse::<u64>().unwrap());
    let each = next().parse::<u64>().unwrap();
    let all = all();
    note_panics();
    memory::bound(2 * MOST_MEMORY);
    let here = all.iter().filter(|fixture| fixture.name.starts_with(&folder));
    println!();
    for fixture in here.skip_while(|fixture| fixture.name != first) {
        while seed < each {
            println!("at {}|{seed}", fixture.name);
            match attempt(fixture, seed, &all) {
                Ok(kind) => println!("ok {kind}"),
                Err(wrong) => println!("bad {wrong:?}"),
            }
            seed += 1;
        }
        seed = 0;
    }
    println!("done");
}

/// A child's lines as they come; an error when it was silent for too long.
fn follow(task: &str, mut line: impl FnMut(&str)) -> Result<(), String> {
    let mut errors = tempfile::tempfile().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["mutations::child", "--exact", "--nocapture"])
        .env(TASK, task)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(errors.try_clone().unwrap())
        .spawn()
        .unwrap();
    let (send, lines) = channel();
    let output = BufReader::new(child.stdout.take().unwrap());
    let reader = std::thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            if send.send(line).is_err() {
                break;
            }
        }
    });
    let outcome = loop {
        match lines.recv_timeout(PATIENCE) {
            Ok(text) => line(&text),
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => break Err("it hangs".to_owned()),
            Err(_) => break Ok(()),
        }
    };
    if outcome.is_err() {
        child.kill().unwrap();
    }
    let status = child.wait().unwrap();
    drop(lines);
    reader.join().unwrap();
    let mut text = String::new();
    errors.rewind().unwrap();
    errors.read_to_string(&mut text).unwrap();
    let telling =
        ["memory allocation of", "overflowed its stack", "unsafe precondition", "panicked"];
    let is_telling = |line: &&str| telling.iter().any(|word| line.contains(word));
    let last = text.lines().find(is_telling).unwrap_or_default();
    outcome?;
    match status.success() {
        true => Ok(()),
        false => Err(format!("{status}: {last}")),
    }
}

fn check(folder: &str, at_least: usize) {
    let started = Instant::now();
    let each = std::env::var("TABLEMILL_MUTATIONS").ok().and_then(|each| each.parse().ok());
    let each: u64 = each.unwrap_or(EACH);
    let folder = format!("{folder}/");
    let names: Vec<String> =
        all().into_iter().map(|f| f.name).filter(|name| name.starts_with(&folder)).collect();
    assert!(names.len() >= at_least, "only {} fixtures in {folder}", names.len());
    let mut wrong = Vec::new();
    let mut next = (names[0].clone(), 0);
    let mut counts = BTreeMap::<String, u64>::new();
    loop {
        let mut at = next.clone();
        let mut is_done = false;
        let task = format!("{folder}|{}|{}|{each}", next.0, next.1);
        let outcome = follow(&task, |line| {
            if let Some(place) = line.strip_prefix("at ") {
                let (name, seed) = place.split_once('|').unwrap();
                at = (name.to_owned(), seed.parse().unwrap());
            } else if let Some(text) = line.strip_prefix("bad ") {
                wrong.push(format!("{}:{} {text}", at.0, at.1));
            } else if let Some(kind) = line.strip_prefix("ok ") {
                *counts.entry(kind.to_owned()).or_default() += 1;
            } else if line == "done" {
                is_done = true;
            }
        });
        match outcome {
            Ok(()) if is_done => break,
            Ok(()) => wrong.push(format!("{}:{} the process ended", at.0, at.1)),
            Err(text) => wrong.push(format!("{}:{} {text}", at.0, at.1)),
        }
        let seeds_left = at.1 + 1 < each;
        let after = names.iter().skip_while(|name| **name != at.0).nth(1);
        next = match (seeds_left, after) {
            (true, _) => (at.0, at.1 + 1),
            (false, Some(name)) => (name.clone(), 0),
            (false, None) => break,
        };
    }
    println!("{folder} {} fixtures, {each} each, {:?}: {counts:?}", names.len(), started.elapsed());
    assert!(wrong.is_empty(), "{} of them:\n{}", wrong.len(), wrong.join("\n"));
}

macro_rules! folders {
    ($($name:ident $at_least:literal)*) => {
        $(#[test] fn $name() { check(stringify!($name), $at_least); })*

        #[test]
        fn every_folder_is_damaged() {
            let known = [$(stringify!($name)),*];
            for fixture in all() {
                let folder = fixture.name.split('/').next().unwrap();
                assert!(known.contains(&folder), "{folder} is not in the list");
            }
        }
    };
}

folders!(
    archives 20 arrow 20 broken 150 broken_arrow 40 csv 80 excel 50 json 60 matrix 42 orc 10 parquet 16
);

/// See the head of this file.
#[test]
fn one() {
    let Ok(wanted) = std::env::var("TABLEMILL_MUTATION") else { return };
    let (name, seed) = wanted.rsplit_once(':').unwrap();
    let all = all();
    let fixture = all.iter().find(|fixture| fixture.name == name).unwrap();
    let seed = seed.parse().unwrap();
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let file = folder.join(format!("{seed}.{}", name.rsplit('/').next().unwrap()));
    std::fs::write(&file, damaged(fixture, seed, &all)).unwrap();
    println!("{}", file.display());
    note_panics();
    memory::bound(2 * MOST_MEMORY);
    println!("{:?}", attempt(fixture, seed, &all));
}

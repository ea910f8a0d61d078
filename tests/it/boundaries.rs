//! The bodies of the fuzz targets over all fixtures: none panics, aborts or hangs.

use std::path::{Path, PathBuf};

use tablemill::boundary;

use super::mutations::{random_bytes, seed_of};

/// Every fixture, and every seed of a target.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let entries = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.parent() != Some(&fixtures()) {
            found.push(path);
        }
    }
    found.sort();
    found
}

pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn run(name: &str) {
    tablemill::quiet_guarded_panics();
    let (_, body) = boundary::ALL.iter().find(|(known, _)| *known == name).unwrap();
    if name.starts_with("written_") {
        return run_seeds(name, *body);
    }
    let files = files(&fixtures());
    assert!(files.len() > 300, "only {} fixtures", files.len());
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        body(&bytes);
        // Cut short, as a broken connection leaves it.
        body(&bytes[..bytes.len() / 2]);
    }
}

/// These make their files themselves, of bytes that only have to be many and different.
fn run_seeds(name: &str, body: boundary::Boundary) {
    let seeds = std::env::var("TABLEMILL_SEEDS").ok().and_then(|seeds| seeds.parse().ok());
    for seed in 0..seeds.unwrap_or(200) {
        let seed = seed_of(name).wrapping_add(seed);
        let bytes = random_bytes(seed, 64 + (seed % 4096) as usize);
        body(&bytes);
    }
}

macro_rules! boundaries {
    ($($name:ident)*) => {
        $(#[test] fn $name() { run(stringify!($name)); })*

        #[test]
        fn every_boundary_has_a_test_and_a_target() {
            let tested = [$(stringify!($name)),*];
            let all: Vec<&str> = boundary::ALL.iter().map(|(name, _)| *name).collect();
            assert_eq!(all, tested);
            for name in all {
                let target = Path::new(env!("CARGO_MANIFEST_DIR"))
                    .join(format!("fuzz/fuzz_targets/{name}.rs"));
                assert!(target.is_file(), "{} is missing", target.display());
            }
        }
    };
}

boundaries!(
    decompress detect csv json arrow parquet orc excel sql written_arrow written_parquet written_orc
    written_wrapping written_xlsx
);

#[test]
fn sql_texts() {
    for text in [
        "SELECT * FROM data",
        "SELECT s, count(*) AS n FROM data GROUP BY s",
        "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT n FROM t",
        "SELECT * FROM data a, data b, data c, data d, data e",
        "SELECT repeat('x', 1000000000)",
        "DROP TABLE data",
        "SELECT * FROM '/etc/passwd'",
        &format!("SELECT {}1{}", "(".repeat(5000), ")".repeat(5000)),
        &format!("SELECT {} 1", "1 + ".repeat(20_000)),
    ] {
        boundary::sql(text.as_bytes());
    }
}

//! The invariants of ARCHITECTURE.md, held to by reading the sources.

use std::path::{Path, PathBuf};

use super::boundaries::files;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Rust sources under `src`, each with its text up to its tests.
fn sources() -> Vec<(String, String)> {
    let source = root().join("src");
    let is_rust = |path: &PathBuf| path.extension().is_some_and(|e| e == "rs");
    let found: Vec<(String, String)> = files(&source)
        .into_iter()
        .filter(is_rust)
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            // A file of tests alone says so at its top.
            let text = text.split("#![cfg(test)]").next().unwrap_or_default();
            let text = text.split("mod tests {").next().unwrap_or_default().to_owned();
            (path.strip_prefix(&source).unwrap().to_string_lossy().into_owned(), text)
        })
        .collect();
    assert!(found.len() > 50, "only {} sources found", found.len());
    found
}

/// Lines of code, comments left out.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim_start().starts_with("//"))
}

const STAGES: &[&str] =
    &["source", "decompress", "detect", "infer", "format", "table", "transform"];
const FACES: &[&str] = &["cli", "http", "store", "worker", "pipeline"];

#[test]
fn a_stage_imports_only_stages_to_its_left() {
    for (path, text) in sources() {
        let room = path.split('/').next().unwrap_or_default().trim_end_matches(".rs");
        let Some(index) = STAGES.iter().position(|stage| *stage == room) else { continue };
        // Tables are what formats make and transforms take; writing them is a format's business.
        let right =
            STAGES[index + 1..].iter().filter(|stage| !(room == "format" && **stage == "table"));
        for other in right.chain(FACES) {
            for line in code(&text) {
                let imports = line.contains(&format!("crate::{other}::"))
                    || line.contains(&format!("crate::{other};"));
                assert!(!imports, "src/{path} reaches to the right: {line}");
            }
        }
    }
}

#[test]
fn each_bought_crate_has_one_room() {
    let rooms: &[(&str, &[&str])] = &[
        ("flate2::", &["decompress", "boundary"]),
        ("bzip2::", &["decompress", "boundary"]),
        ("xz2::", &["decompress", "boundary"]),
        ("zstd::", &["decompress", "boundary"]),
        ("zip::", &["decompress", "boundary"]),
        ("calamine::", &["format"]),
        ("orc_rust::", &["format", "boundary"]),
        ("parquet::", &["format", "boundary"]),
        ("datafusion::", &["transform"]),
        ("sqlx::", &["store"]),
        ("object_store::", &["store"]),
        ("axum::", &["http"]),
        ("clap::", &["cli"]),
        ("rustix::", &["cli", "worker"]),
    ];
    for (path, text) in sources() {
        let room = path.split('/').next().unwrap_or_default();
        for (name, allowed) in rooms {
            let used = code(&text).find(|line| {
                line.match_indices(name).any(|(at, _)| {
                    !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':')
                })
            });
            if let Some(line) = used {
                assert!(allowed.contains(&room), "src/{path} uses {name}: {line}");
            }
        }
    }
}

#[test]
fn the_core_is_synchronous_and_silent() {
    for (path, text) in sources() {
        let room = path.split('/').next().unwrap_or_default().trim_end_matches(".rs");
        let is_face = matches!(room, "cli" | "main");
        for line in code(&text) {
            let prints = ["println!(", "eprintln!(", "print!(", "dbg!(", "process::exit"];
            let found = prints.iter().find(|print| line.contains(**print));
            assert!(is_face || found.is_none(), "src/{path} prints or exits: {line}");
            let is_async = line.contains("async fn") || line.contains(".await");
            let may = is_face || matches!(room, "http" | "store" | "transform");
            assert!(may || !is_async, "src/{path} is asynchronous: {line}");
        }
    }
}

#[test]
fn nothing_panics_on_purpose() {
    for (path, text) in sources() {
        for line in code(&text) {
            for word in
                [".unwrap()", ".expect(", "panic!(", "todo!(", "unimplemented!(", "unreachable!("]
            {
                assert!(!line.contains(word), "src/{path} may panic: {line}");
            }
        }
    }
}

#[test]
fn unsafe_is_in_its_rooms_with_a_reason() {
    for (path, text) in sources() {
        let lines: Vec<&str> = text.lines().collect();
        for (index, line) in lines.iter().enumerate() {
            if line.trim_start().starts_with("//") || !line.contains("unsafe {") {
                continue;
            }
            assert!(text.contains("#![allow(unsafe_code)]"), "src/{path} has unsafe code: {line}");
            let above = &lines[index.saturating_sub(8)..index];
            assert!(
                above.iter().any(|line| line.contains("SAFETY:")),
                "src/{path}: no SAFETY comment above: {line}"
            );
        }
    }
}

#[test]
fn files_stay_short() {
    for (path, _) in sources() {
        let lines =
            std::fs::read_to_string(root().join("src").join(&path)).unwrap().lines().count();
        assert!(lines <= 480, "src/{path} has {lines} lines, expected about 400");
    }
}

#[test]
fn every_format_has_fixtures_a_target_and_a_line_in_readme() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let targets = root().join("fuzz/fuzz_targets");
    let fixtures = files(&root().join("fixtures"));
    for format in tablemill::format::FORMATS {
        let name = format.file_type().as_str();
        assert!(readme.contains(name), "README.md has no line on {name}");
        let target = match name {
            "xls" | "xlsx" | "xlsb" | "ods" => "excel",
            other => other,
        };
        assert!(targets.join(format!("{target}.rs")).is_file(), "no fuzz target for {name}");
        let has = |path: &PathBuf| {
            path.extension().is_some_and(|e| format.extensions().contains(&&*e.to_string_lossy()))
        };
        assert!(fixtures.iter().any(has), "no fixture for {name}");
    }
}

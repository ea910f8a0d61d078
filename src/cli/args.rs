//! The arguments that several verbs share: how a file is to be read.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::options::{Step, option_from_text};
use crate::{Limits, Options, Transforms, Worker};

use super::exit::Stop;
use super::read::How;

/// How files are to be read.
#[derive(Args, Debug, Default)]
pub(super) struct ReadArguments {
    /// A parser option under pandas' name, such as sep=";" or header=none; may be repeated
    #[arg(short = 'o', long = "option", value_name = "KEY=VALUE")]
    options: Vec<String>,

    /// What the file is: csv, json, arrow, parquet, orc, xls, xlsx, xlsb, ods [default: found out]
    #[arg(long = "type", value_name = "TYPE")]
    file_type: Option<String>,

    /// What it is wrapped in: gzip, bz2, xz, zstd, zip, tar [default: found out]
    #[arg(long, value_name = "COMPRESSION")]
    compression: Option<String>,

    /// Write every row and value of a csv that was repaired, left out or refused, and every broken line of an ndjson, to this csv file
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,

    /// A bound, such as rows=1000, value_bytes=1MiB or time=30s; may be repeated
    #[arg(long = "limit", value_name = "NAME=VALUE")]
    limits: Vec<String>,

    /// Read each file in a process of its own, within the limits memory_bytes and time
    #[arg(long)]
    isolate: bool,
}

/// SQL over the tables of one file.
#[derive(Args, Debug, Default)]
pub(super) struct SqlArguments {
    /// A query over the file's tables, by name, or `data` for the first; may be repeated
    #[arg(long = "sql", value_name = "QUERY")]
    queries: Vec<String>,
}

impl ReadArguments {
    /// The file for rejects, if one is wanted.
    pub(super) fn rejects(&self) -> Option<&Path> {
        self.rejects.as_deref()
    }

    /// A file for rejects belongs to one file that is read.
    pub(super) fn check_rejects(&self, files: usize) -> Result<(), Stop> {
        match self.rejects {
            Some(_) if files > 1 => {
                Err(Stop::usage("--rejects is for one file", "read the files one by one"))
            }
            _ => Ok(()),
        }
    }

    /// The bounds and, where files are to be read apart, by whom. Bad bounds are told by `options`.
    pub(super) fn how(&self) -> Result<How, Stop> {
        let worker = match self.isolate {
            true => Some(Worker::of_this_program().map_err(|error| {
                Stop::Failed(format!("cannot find the program that runs: {error}"))
            })?),
            false => None,
        };
        Ok(How { limits: limits("--limit", &self.limits, &mut Vec::new()), worker, head: None })
    }

    /// The options for the pipeline; everything that is wrong with them at once.
    pub(super) fn options(&self, sql: &SqlArguments) -> Result<Options, Stop> {
        let mut options = Options::default();
        let mut problems = Vec::new();
        for argument in &self.options {
            let Some((name, text)) = argument.split_once('=') else {
                problems.push(format!("-o {argument}: got no \"=\", expected KEY=VALUE"));
                continue;
            };
            let name = name.trim();
            if let Err(problem) = options.parser.set(name, &option_from_text(name, text)) {
                problems.push(format!("-o {problem}"));
            }
        }
        options.rejects.clone_from(&self.rejects);
        options.file_type = choice("--type", self.file_type.as_deref(), &mut problems);
        options.compression = choice("--compression", self.compression.as_deref(), &mut problems);
        limits("--limit", &self.limits, &mut problems);
        if sql.queries.iter().any(|query| query.trim().is_empty()) {
            problems.push("--sql: got no text, expected a query".to_owned());
        }
        if !problems.is_empty() {
            return Err(Stop::Usage { problems, hint: None });
        }
        if !sql.queries.is_empty() {
            let step = |sql: &String| Step { sql: sql.clone(), name: None };
            options.transforms = Transforms::Steps(sql.queries.iter().map(step).collect());
        }
        Ok(options)
    }
}

/// The bounds that a flag sets, and what is wrong with it.
pub(super) fn limits(flag: &str, given: &[String], problems: &mut Vec<String>) -> Limits {
    let mut limits = Limits::default();
    for argument in given {
        let result = match argument.split_once('=') {
            Some((name, text)) => limits
                .set(name.trim(), text)
                .map_err(|problem| format!("{flag} {}: {problem}", name.trim())),
            None => Err(format!("{flag} {argument}: got no \"=\", expected NAME=VALUE")),
        };
        problems.extend(result.err());
    }
    limits
}

fn choice<T: std::str::FromStr<Err = String>>(
    flag: &str,
    text: Option<&str>,
    problems: &mut Vec<String>,
) -> Option<T> {
    match text?.parse() {
        Ok(choice) => Some(choice),
        Err(problem) => {
            problems.push(format!("{flag}: {problem}"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_is_told_at_once() {
        let arguments = ReadArguments {
            options: vec!["quoting=9".into(), "header".into(), "sep=;".into()],
            file_type: Some("exe".into()),
            compression: Some("rar".into()),
            limits: vec!["rowz=1".into(), "rows=many".into()],
            ..ReadArguments::default()
        };
        let Err(Stop::Usage { problems, .. }) = arguments.options(&SqlArguments::default()) else {
            panic!("expected a usage error");
        };
        assert_eq!(problems.len(), 6, "{problems:?}");
        assert_eq!(problems[0], "-o quoting: got 9, expected 0 to 3");
        assert_eq!(problems[4], "--limit rowz: unknown name \"rowz\"; did you mean rows?");
        assert!(problems[2].starts_with("--type: got \"exe\", expected one of csv, json"));
    }
}
